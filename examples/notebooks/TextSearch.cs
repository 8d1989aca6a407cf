#:project ../../src/Ssl.MLNet.Interactive/Ssl.MLNet.Interactive.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// %% [markdown]
// # Search by meaning: the documentation of .NET
//
// Every SDK of .NET brings the documentation of its classes along: a summary of each member, and what is said of its parameters, result and exceptions. The two belong
// together, and that is all that an encoder needs to learn which texts are about the same thing. Nothing is downloaded and nothing is labeled.
// %%
using System.IO;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;
using Ssl.MLNet.Interactive;

var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();
// %% [markdown]
// ## The rows
//
// Members of seven areas of the class library. A reference such as `<see cref="System.IO.FileStream"/>` is read as its words, "File Stream". The area is only for the
// colors of the map below; the encoder does not see it.
// %%
string[] areas = ["System.IO", "System.Net.Http", "System.Text.Json", "System.Xml", "System.Threading", "System.Security.Cryptography", "System.Collections"];

string Spell(string reference) => Regex.Replace(Regex.Replace(reference.Split('(')[0], @".*[.:]", ""), "([a-z])([A-Z])", "$1 $2");

string Words(IEnumerable<XElement> elements) => Regex.Replace(string.Join(" ", elements.DescendantNodes().Select(node => node switch
{
    XText text => text.Value,
    XElement element => Spell((string?)element.Attribute("cref") ?? (string?)element.Attribute("name") ?? ""),
    _ => "",
})), @"\s+", " ").Trim();

var sdk = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
var members = Directory.GetFiles(Path.Combine(sdk, "packs", "Microsoft.NETCore.App.Ref"), "System.*.xml", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
    .SelectMany(file => XDocument.Load(file).Descendants("member"))
    .Select(member => new
    {
        Name = Regex.Replace(((string)member.Attribute("name")!)[2..], @"[\w.]+\.(?=\w+[,)@{[*])", ""),
        Area = areas.FirstOrDefault(area => ((string)member.Attribute("name")!)[2..].StartsWith(area + ".", StringComparison.Ordinal)) ?? "",
        Summary = Words(member.Elements("summary")),
        Details = Words(member.Elements().Where(part => part.Name.LocalName is "param" or "returns" or "value" or "exception")),
    })
    .Where(row => row.Area != "" && row.Summary.Length >= 20 && row.Details.Length >= 20)
    .DistinctBy(row => row.Summary).ToArray();
var data = mlContext.Data.LoadFromEnumerable(members);
Console.WriteLine($"{members.Length:N0} members of {areas.Length} areas");
// %% [markdown]
// ## Learning
//
// The training is made in one cell and runs in the next, so that stopping the cell ends it with what it has learned by then.
// %%
var training = new LiveTraining();
var trainer = ssl.Text.PairedContrastive(new PairedContrastiveTrainer.Options
{
    InputColumnName = "Summary", PairColumnName = "Details", Encoder = TextEncoders.Bag(embeddingDimension: 128), NumberOfEpochs = 10, ValidationFraction = 0.1,
    Progress = training, CancellationToken = training.CancellationToken,
});
// %%
var encoder = training.Fit(trainer, data);
// %% [markdown]
// ## Search
//
// A question in words of one's own, and the members whose summaries are nearest to it.
// %%
var questions = mlContext.Data.LoadFromEnumerable(new[]
{
    new { Summary = "read all lines of a file" }, new { Summary = "cancel a web request that takes too long" }, new { Summary = "run code at the same time on several threads" },
    new { Summary = "sign a message with a private key" }, new { Summary = "turn an object into text and back" },
});
Console.WriteLine(ssl.NeighborTable(data, encoder, questions, displayColumnName: "Name", numberOfNeighbors: 4));
// %% [markdown]
// ## The map
//
// Each dot is a member; pointing at one shows its name.
// %%
Console.WriteLine(ssl.EmbeddingMap(data, encoder, labelColumnName: "Area", displayColumnName: "Name", numberOfRows: 500));
// %% [markdown]
// ## In figures
//
// How often the nearest neighbors, and a linear model, name the right area, and whether the embedding uses its dimensions.
// %%
var keyed = mlContext.Transforms.Conversion.MapValueToKey("Label", "Area").Fit(data).Transform(data);
Console.WriteLine(ssl.EvaluateRepresentation(encoder.Transform(keyed), "Label"));
