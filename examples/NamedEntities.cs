#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// NamedEntities: a masked language model learns words in their context, then few labeled texts teach which words are names and places.
//   dotnet run examples/NamedEntities.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: notes in which a name may be a person's or a town's; only the words around it tell. Few of them are labeled, one value a word.
string[] names = ["florence", "paris", "austin", "jordan", "chelsea", "dallas", "san diego", "mary ann"];
string[] toPeople = ["please call", "lunch with", "ask", "a letter from"], toPlaces = ["a train to", "weather in", "the office in", "flights from"];
string[] ends = ["today", "on monday", "at noon", "again"];
var random = new Random(1);
string Pick(string[] words) => words[random.Next(words.Length)];
Note Say()
{
    List<string> words = [], labels = [];
    void Add(string text, string label)
    {
        foreach (var word in text.Split(' '))
            (words, labels) = ([.. words, word], [.. labels, label]);
    }
    Add(Pick(toPeople), "O");
    Add(Pick(names), "PERSON");
    Add("and " + Pick(toPlaces), "O");
    Add(Pick(names), "PLACE");
    Add(Pick(ends), "O");
    return new Note { Text = string.Join(' ', words), Words = [.. labels] };
}
Note[] Notes(int count) => [.. Enumerable.Range(0, count).Select(_ => Say())];
var unlabeled = mlContext.Data.LoadFromEnumerable(Notes(small ? 200 : 4_000));
var labeled = mlContext.Data.LoadFromEnumerable(Notes(40));
var test = mlContext.Data.LoadFromEnumerable(Notes(300));

// Pretraining: hidden words are told from their context.
using var encoder = ssl.Text.MaskedLanguageModel("Features", "Text", TextEncoders.Transformer(dimension: 64, maximumTokens: 24),
    numberOfEpochs: small ? 1 : 8).Fit(unlabeled);

// Fine-tuning: labels are keys, as everywhere in ML.NET; what is found comes with its place, its kind and a score.
var pipeline = mlContext.Transforms.Conversion.MapValueToKey("Label", "Words")
    .Append(ssl.FineTune.NamedEntities(new NamedEntitiesTrainer.Options { Encoder = encoder, NumberOfEpochs = 20, BatchSize = 8 }));
using var model = pipeline.Fit(labeled);
var metrics = ssl.EvaluateTagging(model.Transform(test));
Console.WriteLine($"F1 of entities from 40 labeled notes: {metrics.F1:0.00}");

using var engine = mlContext.Model.CreatePredictionEngine<Note, Found>(model);
var found = engine.Predict(new Note { Text = "please call paris and the office in mary ann again" });
for (var i = 0; i < found.EntityText.Length; i++)
    Console.WriteLine($"{found.EntityStart[i]}: {found.EntityText[i]} is a {found.EntityLabel[i]}");

// Expected output:
// F1 of entities from 40 labeled notes: 1.00
// 12: paris is a PERSON
// 36: mary ann is a PLACE

internal sealed class Note
{
    public string Text { get; set; } = "";
    public string[] Words { get; set; } = [];
}

internal sealed class Found
{
    public string[] EntityText { get; set; } = [];
    public string[] EntityLabel { get; set; } = [];
    public int[] EntityStart { get; set; } = [];
}
