#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Vime: which cells of a row were replaced, and what had they been?
//   dotnet run examples/Vime.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: customers as they come from a database: numbers, a missing income here and there, a boolean, a text. Most have no label.
string[] works = ["farm", "office", "school", "ship", "mill"];
var random = new Random(1);
Customer Draw()
{
    var (kind, habit) = (random.Next(works.Length), random.Next(3));
    return new Customer
    {
        Age = 20 + 8 * kind + random.Next(14),
        Income = random.Next(12) == 0 ? float.NaN : 10 * kind + 5 * habit + 6 * random.NextSingle(),
        Hours = 20 + 10 * habit + 8 * random.NextSingle(),
        Member = habit == 2,
        Work = random.Next(5) == 0 ? works[random.Next(works.Length)] : works[kind],
        Buys = kind is 1 or 3 && habit > 0,
    };
}
string[] columns = ["Age", "Income", "Hours", "Member", "Work"];
Customer[] Rows(int count) => [.. Enumerable.Range(0, count).Select(_ => Draw())];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 256 : 4_000));
var fewLabeled = mlContext.Data.LoadFromEnumerable(Rows(60));
var test = mlContext.Data.LoadFromEnumerable(Rows(1_000));

// Pretraining: an ordinary estimator on the raw columns. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.Tabular.Vime(new VimeTrainer.Options
{
    InputColumnNames = columns,
    NumberOfEpochs = epochs,
}).Fit(unlabeled);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 10);

// Use: a stock trainer on the frozen embedding learns from 60 labels who buys.
double AreaUnderCurve(EncoderTransformer by)
{
    var model = ssl.Embed(by)
        .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
        .Append(mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression("Buys", "Features")).Fit(fewLabeled);
    return mlContext.BinaryClassification.Evaluate(model.Transform(test), "Buys").AreaUnderRocCurve;
}
Console.WriteLine($"area under the ROC curve with 60 labels: untrained {AreaUnderCurve(untrained):0.00}, pretrained {AreaUnderCurve(encoder):0.00}");

// Expected output:
// area under the ROC curve with 60 labels: untrained 0.92, pretrained 0.94

internal sealed class Customer
{
    public int Age { get; set; }
    public float Income { get; set; }
    public float Hours { get; set; }
    public bool Member { get; set; }
    public string Work { get; set; } = "";
    public bool Buys { get; set; }
}
