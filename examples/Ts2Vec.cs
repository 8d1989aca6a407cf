#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Ts2Vec: overlapping stretches of a series agree at every timestamp and on every scale.
//   dotnet run examples/Ts2Vec.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Trainers;
using Ssl.Estimators.Transformers;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: an hour of a machine's vibration, of differing lengths. A worn bearing knocks now and then; most hours nobody has looked at.
var random = new Random(1);
Hour Draw(bool isWorn)
{
    var (length, rate, knocks) = (random.Next(80, 121), 0.2f + 0.2f * random.NextSingle(), random.Next(8, 14));
    var series = Enumerable.Range(0, length).Select(t => MathF.Sin(rate * t) + 0.5f * random.NextSingle()
        + (isWorn && t % knocks < 2 ? 0.8f : 0)).ToArray();
    return new Hour { Vibration = series, IsWorn = isWorn };
}
Hour[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => Draw(i % 2 == 0))];
var unlabelled = mlContext.Data.LoadFromEnumerable(Rows(small ? 32 : 400));
var fewLabelled = mlContext.Data.LoadFromEnumerable(Rows(20));
var test = mlContext.Data.LoadFromEnumerable(Rows(200));

// Pretraining: an ordinary estimator. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
{
    InputColumnName = "Vibration",
    Encoder = TimeSeriesEncoders.DilatedConvolution(embeddingDimension: 64, hiddenDimension: 32, depth: 6),
    BatchSize = 16,
    NumberOfEpochs = epochs,
}).Fit(unlabelled);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 8);

// Use: a stock trainer on the frozen embedding learns from 20 labels which bearings are worn.
double Accuracy(EncoderTransformer by)
{
    var model = ssl.Embed(by)
        .Append(mlContext.Transforms.NormalizeMeanVariance("Features"))
        .Append(mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression("IsWorn", "Features")).Fit(fewLabelled);
    return mlContext.BinaryClassification.Evaluate(model.Transform(test), "IsWorn").Accuracy;
}
Console.WriteLine($"accuracy with 20 labels: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(encoder):0.00}");

internal sealed class Hour
{
    public float[] Vibration { get; set; } = [];
    public bool IsWorn { get; set; }
}
