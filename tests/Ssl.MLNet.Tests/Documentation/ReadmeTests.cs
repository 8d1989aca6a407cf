using System.Runtime.CompilerServices;
using Microsoft.ML;

namespace Ssl.MLNet.Tests;

/// <summary>The code that README shows is this code, and it runs.</summary>
[TestClass]
public sealed class ReadmeTests
{
    [TestMethod]
    public void The_snippet_of_README_runs()
    {
        var folder = Directory.CreateTempSubdirectory("ssl-readme-").FullName;
        var tickets = Enumerable.Range(0, 40).Select(i => new Ticket
        {
            Question = $"question {i} about {(i % 2 == 0 ? "delivery of a parcel" : "payment by card")}",
            Answer = $"{(i % 2 == 0 ? "the courier is on the way" : "the bank sends it back")}, case {i}",
            Team = i % 2 == 0 ? "post" : "finance",
        }).ToArray();
        var fewLabelled = new MLContext(seed: 1).Data.LoadFromEnumerable(tickets.Take(10));
        var path = Path.Combine(folder, "model.zip");

        #region readme
        var mlContext = new MLContext(seed: 1);
        var ssl = mlContext.SelfSupervised();

        // 1. Learn from unlabelled rows: two texts of a row belong together, that is all it needs to know.
        IDataView unlabelled = mlContext.Data.LoadFromEnumerable(tickets);
        using var encoder = ssl.Text.PairedContrastive("Features", "Question", "Answer", numberOfEpochs: 10).Fit(unlabelled);

        // 2. A stock trainer on the frozen embedding, with few labels: an ordinary chain, saved and loaded like any other.
        var model = mlContext.Transforms.Conversion.MapValueToKey("Label", "Team")
            .Append(ssl.Embed(encoder))
            .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy())
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(fewLabelled);
        mlContext.Model.Save(model, fewLabelled.Schema, path);

        // 3. Search: the nearest rows of a catalogue.
        var search = ssl.NearestNeighbors(inputColumnName: "Features", numberOfNeighbors: 3).Fit(encoder.Transform(unlabelled));
        #endregion

        Assert.IsTrue(File.Exists(path));
        var loaded = mlContext.Model.Load(path, out _);
        var predicted = mlContext.Data.CreateEnumerable<Prediction>(loaded.Transform(unlabelled), reuseRowObject: false).ToArray();
        Assert.HasCount(tickets.Length, predicted);
        Assert.IsTrue(predicted.All(p => p.PredictedLabel is "post" or "finance"));
        Assert.IsNotNull(search.Transform(encoder.Transform(unlabelled)).Schema.GetColumnOrNull("Neighbors"));
        Directory.Delete(folder, recursive: true);
    }

    [TestMethod]
    public void README_shows_that_code()
    {
        var shown = CodeBlock(File.ReadAllText(Path.Combine(Repository.Root, "README.md")));
        Assert.AreEqual(Region(), shown);
    }

    private static string CodeBlock(string markdown)
    {
        var start = markdown.IndexOf("```csharp\n", StringComparison.Ordinal) + "```csharp\n".Length;
        return Normalise(markdown[start..markdown.IndexOf("```", start, StringComparison.Ordinal)]);
    }

    // README names the file; the test writes into a folder of its own.
    private static string Region([CallerFilePath] string file = "")
    {
        var source = File.ReadAllText(file);
        var start = source.IndexOf("#region readme\n", StringComparison.Ordinal) + "#region readme\n".Length;
        return Normalise(source[start..source.IndexOf("#endregion", start, StringComparison.Ordinal)])
            .Replace("Schema, path)", "Schema, \"model.zip\")", StringComparison.Ordinal);
    }

    private static string Normalise(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim())).Trim();

    private sealed class Ticket
    {
        public string Question { get; set; } = "";

        public string Answer { get; set; } = "";

        public string Team { get; set; } = "";
    }

    private sealed class Prediction
    {
        public string PredictedLabel { get; set; } = "";
    }
}
