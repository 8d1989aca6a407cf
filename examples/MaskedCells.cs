#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// MaskedCells: some cells are hidden and told from the others; what is told badly is unusual.
//   dotnet run examples/MaskedCells.cs [-- --small]
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

// Pretraining: an ordinary estimator on the raw columns. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.Tabular.MaskedCells(new MaskedCellsTrainer.Options
{
    InputColumnNames = columns,
    Encoder = TabularEncoders.ColumnTransformer(dimension: 32),
    NumberOfEpochs = epochs,
}).Fit(unlabeled);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 10);

// Use: rows that break what the columns have in common are told badly. Here the work does not fit the age.
var broken = Rows(300);
foreach (var row in broken)
    row.Age = row.Age > 40 ? 20 : 60;
IReadOnlyList<float> Errors(EncoderTransformer by, IEnumerable<Customer> rows) => by.ReconstructionErrors(mlContext.Data.LoadFromEnumerable(rows));
double Found(EncoderTransformer by)
{
    var good = Errors(by, Rows(300));
    var bad = Errors(by, broken);
    return bad.Average(error => good.Average(other => error > other ? 1.0 : 0.0));
}
Console.WriteLine($"a broken row has the larger error: untrained {Found(untrained):0.00}, pretrained {Found(encoder):0.00}");

// Expected output:
// a broken row has the larger error: untrained 0.52, pretrained 0.99

internal sealed class Customer
{
    public int Age { get; set; }
    public float Income { get; set; }
    public float Hours { get; set; }
    public bool Member { get; set; }
    public string Work { get; set; } = "";
    public bool Buys { get; set; }
}
