#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// PairedContrastive: two texts of a row that belong together attract each other, all other rows of the batch repel.
//   dotnet run examples/PairedContrastive.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: questions and answers that share a subject but hardly a word. No labels; the subject is only for the look at the end.
(string Subject, string[] Asked, string[] Told)[] subjects =
[
    ("delivery", ["parcel", "courier", "late", "arrive", "shipping"], ["tracking", "depot", "address", "driver", "transit"]),
    ("payment", ["card", "charged", "twice", "invoice", "price"], ["refund", "bank", "statement", "receipt", "transfer"]),
    ("account", ["password", "login", "forgot", "locked", "email"], ["reset", "link", "profile", "verify", "settings"]),
    ("device", ["screen", "broken", "battery", "noise", "hot"], ["repair", "warranty", "replace", "technician", "parts"]),
];
var random = new Random(1);
string Say(string[] words) => string.Join(' ', Enumerable.Range(0, 4).Select(_ => words[random.Next(words.Length)]));
var rows = Enumerable.Range(0, small ? 128 : 2_000).Select(i => subjects[i % subjects.Length])
    .Select(s => new Row { Subject = s.Subject, Question = "my " + Say(s.Asked), Answer = "please " + Say(s.Told) }).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: an ordinary estimator. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.Text.PairedContrastive("Features", "Question", "Answer", batchSize: 64, numberOfEpochs: epochs).Fit(data);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 5);

// Use: answers are embedded by the same encoder, and the nearest answer of a question should be about its subject.
double SameSubject(EncoderTransformer by)
{
    var answers = ssl.Embed(by, "Features", "Answer").Fit(data).Transform(data);
    using var nearest = ssl.NearestNeighbors(inputColumnName: "Features", idColumnName: "Subject", numberOfNeighbors: 1).Fit(answers);
    var found = mlContext.Data.CreateEnumerable<Found>(nearest.Transform(by.Transform(data)), reuseRowObject: false);
    return found.Zip(rows).Average(pair => pair.First.Neighbors[0] == pair.Second.Subject ? 1.0 : 0.0);
}
Console.WriteLine($"question finds an answer of its subject: untrained {SameSubject(untrained):0.00}, pretrained {SameSubject(encoder):0.00}");

// Expected output:
// question finds an answer of its subject: untrained 0.36, pretrained 1.00

internal sealed class Row
{
    public string Subject { get; set; } = "";
    public string Question { get; set; } = "";
    public string Answer { get; set; } = "";
}

internal sealed class Found
{
    public string[] Neighbors { get; set; } = [];
}
