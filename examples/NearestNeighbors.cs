#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// NearestNeighbors: semantic search. A catalog is embedded once; queries get the names of its nearest rows.
//   dotnet run examples/NearestNeighbors.cs [-- --small]
using Microsoft.ML;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: a catalog of tools, each with what it is called and what it is for.
(string Name, string[] Called, string[] For)[] tools =
[
    ("saw", ["saw", "handsaw", "blade"], ["cut", "wood", "boards"]),
    ("hammer", ["hammer", "mallet", "claw"], ["drive", "nails", "beams"]),
    ("brush", ["brush", "roller", "bristle"], ["paint", "walls", "doors"]),
    ("spade", ["spade", "shovel", "fork"], ["dig", "earth", "holes"]),
];
var random = new Random(1);
string Pick(string[] words) => words[random.Next(words.Length)];
var rows = Enumerable.Range(0, small ? 128 : 1_000).Select(i => tools[i % tools.Length])
    .Select(t => new Row { Name = t.Name, Title = $"{Pick(t.Called)} {Pick(["small", "large", "steel"])}", Description = $"to {Pick(t.For)} {Pick(t.For)} {Pick(["fast", "well"])}" }).ToArray();
var data = mlContext.Data.LoadFromEnumerable(rows);

// Pretraining: title and description of a tool belong together.
using var encoder = ssl.Text.PairedContrastive("Features", "Title", "Description", batchSize: 64, numberOfEpochs: small ? 1 : 10).Fit(data);

// Use: the search is a stage as well, and goes into a chain.
var catalog = mlContext.Data.LoadFromEnumerable(tools.Select(t => new Row { Name = t.Name, Title = t.Called[0] }));
using var search = ssl.NearestNeighbors(inputColumnName: "Features", idColumnName: "Name", numberOfNeighbors: 2).Fit(encoder.Transform(catalog));
var queries = mlContext.Data.LoadFromEnumerable(new[] { new Row { Title = "dig holes" }, new Row { Title = "paint doors" } });
foreach (var found in mlContext.Data.CreateEnumerable<Found>(search.Transform(encoder.Transform(queries)), reuseRowObject: false))
    Console.WriteLine($"{found.Title}: {found.Neighbors[0]}");

// Expected output:
// dig holes: spade
// paint doors: brush

internal sealed class Row
{
    public string Name { get; set; } = "";
    public string Title { get; set; } = "";
    public string Description { get; set; } = "";
}

internal sealed class Found
{
    public string Title { get; set; } = "";
    public string[] Neighbors { get; set; } = [];
    public float[] Scores { get; set; } = [];
}
