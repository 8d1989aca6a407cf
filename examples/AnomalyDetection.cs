#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// AnomalyDetection: an encoder learns what ordinary rows of a table look like, without labels; three scores say how strange others are.
//   dotnet run examples/AnomalyDetection.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: readings of machines. Ordinarily power and heat follow speed, in each of two modes; in an anomaly every value is usual, but not
// together with the others.
var random = new Random(1);
float Noise() => 0.05f * (2 * random.NextSingle() - 1);
Reading Ordinary()
{
    var (mode, speed) = (random.Next(2), random.NextSingle());
    return new Reading
    {
        Mode = mode == 0 ? "cut" : "polish", Speed = speed, Power = (mode == 0 ? speed : speed * speed) + Noise(),
        Heat = (mode == 0 ? 1 - speed : speed) + Noise(),
    };
}
Reading Strange()
{
    var (first, second) = (Ordinary(), Ordinary());
    return new Reading { Mode = first.Mode, Speed = first.Speed, Power = second.Power, Heat = Ordinary().Heat, IsAnomaly = 1 };
}
var ordinary = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, small ? 300 : 4_000).Select(_ => Ordinary()).ToArray());
var mixed = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 600).Select(i => i % 10 == 0 ? Strange() : Ordinary()).ToArray());

// Pretraining: hidden cells are predicted from the others of their row.
using var encoder = ssl.Tabular.MaskedCells(new MaskedCellsTrainer.Options
{
    OutputColumnName = "Features", InputColumnNames = ["Mode", "Speed", "Power", "Heat"], NumberOfEpochs = small ? 1 : 30,
}).Fit(ordinary);

// Use: each score learns its threshold from the ordinary rows; the output is that of ML.NET's own detectors.
foreach (var method in Enum.GetValues<AnomalyMethod>())
{
    var pipeline = ssl.Embed(encoder).Append(ssl.AnomalyScore(method: method, contaminationFraction: 0.02));
    using var model = pipeline.Fit(ordinary);
    var scored = model.Transform(mixed);
    var metrics = mlContext.AnomalyDetection.Evaluate(scored, labelColumnName: nameof(Reading.IsAnomaly));
    var rows = mlContext.Data.CreateEnumerable<Scored>(scored, reuseRowObject: false).ToArray();
    Console.WriteLine($"{method}: area under the ROC curve {metrics.AreaUnderRocCurve:0.00}, {rows.Count(r => r.PredictedLabel && r.IsAnomaly > 0)} of "
        + $"{rows.Count(r => r.IsAnomaly > 0)} anomalies found, {rows.Count(r => r.PredictedLabel && r.IsAnomaly == 0)} false alarms");
}

// Expected output:
// NeighborDistance: area under the ROC curve 1.00, 59 of 60 anomalies found, 18 false alarms
// Mahalanobis: area under the ROC curve 1.00, 59 of 60 anomalies found, 9 false alarms
// ReconstructionError: area under the ROC curve 0.99, 56 of 60 anomalies found, 8 false alarms

internal sealed class Reading
{
    public string Mode { get; set; } = "";
    public float Speed { get; set; }
    public float Power { get; set; }
    public float Heat { get; set; }
    public float IsAnomaly { get; set; }
}

internal sealed class Scored
{
    public float IsAnomaly { get; set; }
    public bool PredictedLabel { get; set; }
}
