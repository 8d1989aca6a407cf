#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Report: a page about an encoder, to look at and to pass on.
//   dotnet run examples/Report.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: questions and answers on four subjects.
string[] subjects = ["garden", "railway", "kitchen", "music"];
var random = new Random(1);
var words = subjects.ToDictionary(s => s, s => Enumerable.Range(0, 40).Select(i => $"{s[..2]}{(char)('a' + i % 26)}{(char)('a' + i / 26)}o").ToArray());
string Text(string subject, int count) => string.Join(' ', Enumerable.Range(0, count).Select(_ => words[subject][random.Next(40)]));
var data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, small ? 200 : 4_000).Select(i => subjects[i % subjects.Length])
    .Select(s => new Row { Subject = s, Question = $"how {Text(s, 2)}", Answer = Text(s, 6) }).ToArray());

// Pretraining: question and answer belong together; no label is used. Rows kept aside show whether it goes on too long.
using var encoder = ssl.Text.PairedContrastive(new PairedContrastiveTrainer.Options
{
    InputColumnName = "Question", PairColumnName = "Answer", Encoder = TextEncoders.Bag(embeddingDimension: 32),
    BatchSize = small ? 32 : 128, NumberOfEpochs = small ? 2 : 15, ValidationFraction = 0.1,
}).Fit(data);

// Use: the subjects only color the map and say how well they can be told apart.
var report = ssl.Report(data, encoder, new ReportOptions
{
    LabelColumnName = "Subject", MaximumNumberOfRows = small ? 150 : 2_000, NumberOfMapRows = small ? 100 : 1_000,
    Progress = new Lines(),
});
var path = Path.Combine(Path.GetTempPath(), "report.html");
report.Save(path);
Console.WriteLine(report);
Console.WriteLine($"See {path}");

// In full: "Pretraining pays here up to 20 a class (at 5 a class: probe 1.000, baseline .553)", and a map of four groups.

internal sealed class Lines : IProgress<string>
{
    public void Report(string value) => Console.WriteLine($"{value} ...");
}

internal sealed class Row
{
    public string Subject { get; set; } = "";

    public string Question { get; set; } = "";

    public string Answer { get; set; } = "";
}
