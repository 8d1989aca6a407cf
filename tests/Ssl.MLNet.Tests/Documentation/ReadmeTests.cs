using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.ML;

namespace Ssl.MLNet.Tests;

/// <summary>The sample of the readmes is the code of this file, it runs, and it prints what they say.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class ReadmeTests
{
    /// <summary>The readmes with the sample: the repository's and those of the packages.</summary>
    public static IEnumerable<object[]> Readmes => [["README.md"], ["src/Ssl.MLNet/PACKAGE.md"], ["src/Ssl.Estimators/PACKAGE.md"]];

    [TestMethod]
    public void The_sample_prints_what_the_readme_says()
    {
        var folder = Directory.CreateTempSubdirectory("ssl-readme-").FullName;
        var path = Path.Combine(folder, "model.zip");
        using var Console = new StringWriter { NewLine = "\n" };

#region readme
        var mlContext = new MLContext(seed: 1);
        var ssl = mlContext.SelfSupervised();

        // 1. Learn from unlabeled rows: two texts of a row belong together, that is all it needs to know.
        var tickets = Ticket.MakeUp(1_000);
        IDataView unlabeled = mlContext.Data.LoadFromEnumerable(tickets);
        using var encoder = ssl.Text.PairedContrastive("Features", "Question", "Answer", numberOfEpochs: 5).Fit(unlabeled);

        // 2. A stock trainer on the frozen embedding, with few labels: an ordinary chain, saved and loaded like any other.
        IDataView fewLabeled = mlContext.Data.LoadFromEnumerable(tickets.Take(12));
        var model = mlContext.Transforms.Conversion.MapValueToKey("Label", "Team")
            .Append(ssl.Embed(encoder))
            .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(fewLabeled);
        mlContext.Model.Save(model, fewLabeled.Schema, path);
        var loaded = mlContext.Model.Load(path, out _);
        var metrics = mlContext.MulticlassClassification.Evaluate(loaded.Transform(unlabeled));
        Console.WriteLine($"accuracy with 12 labels: {metrics.MicroAccuracy:0.00}");

        // 3. Search: the nearest rows of a catalog, here the answers.
        var answers = tickets.DistinctBy(ticket => ticket.Answer)
            .Select(ticket => new Ticket { Question = ticket.Answer, Answer = ticket.Answer });
        using var search = ssl.NearestNeighbors(inputColumnName: "Features", idColumnName: "Answer", numberOfNeighbors: 1)
            .Fit(encoder.Transform(mlContext.Data.LoadFromEnumerable(answers)));
        Ticket[] questions = [new() { Question = "a letter was damaged" }, new() { Question = "a login is locked" }];
        var nearest = search.Transform(encoder.Transform(mlContext.Data.LoadFromEnumerable(questions)));
        foreach (var found in mlContext.Data.CreateEnumerable<Found>(nearest, reuseRowObject: false))
            Console.WriteLine($"{found.Question}: {found.Neighbors[0]}");
#endregion

        Directory.Delete(folder, recursive: true);
        Assert.AreEqual(Block("README.md", "text"), Console.ToString());
    }

    [TestMethod]
    [DynamicData(nameof(Readmes))]
    public void Readmes_show_that_code(string readme)
        => Assert.AreEqual(Trimmed("using Microsoft.ML;\nusing Ssl.MLNet;\n\n" + Region("readme").Replace("path", "\"model.zip\"")
            + "\n" + Region("readme-rows")), Trimmed(Block(readme, "csharp")));

    [TestMethod]
    [DynamicData(nameof(Readmes))]
    public void Readmes_say_the_same_of_what_it_prints(string readme)
        => Assert.AreEqual(Block("README.md", "text"), Block(readme, "text"));

    /// <summary>The first code block of a language in a file of the repository.</summary>
    internal static string Block(string file, string language)
    {
        var block = Regex.Match(File.ReadAllText(Path.Combine(Repository.Root, file)), $"^```{language}\n(.*?)^```$",
            RegexOptions.Singleline | RegexOptions.Multiline);
        Assert.IsTrue(block.Success, $"{file} has no block of '{language}'.");
        return block.Groups[1].Value;
    }

    private static string Region(string name, [CallerFilePath] string file = "")
        => Regex.Match(File.ReadAllText(file), $"^#region {name}\n(.*?)^#endregion$", RegexOptions.Singleline | RegexOptions.Multiline)
            .Groups[1].Value;

    private static string Trimmed(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim())).Trim();
}

#region readme-rows
internal sealed class Ticket
{
    public string Question { get; set; } = "";
    public string Answer { get; set; } = "";
    public string Team { get; set; } = "";

    public static Ticket[] MakeUp(int count)
    {
        (string Team, string[] Things, string Problem, string Answer)[] kinds =
        [
            ("post", ["parcel", "letter", "package"], "is late", "the depot sends it on today"),
            ("post", ["parcel", "letter", "package"], "was damaged", "a new one is on its way"),
            ("finance", ["invoice", "bill", "receipt"], "names a wrong sum", "accounting corrects it"),
            ("finance", ["card", "payment", "transfer"], "was declined", "the bank has to release it"),
            ("support", ["password", "login", "user"], "is locked", "follow the reset link"),
            ("support", ["screen", "monitor", "display"], "stays dark", "switch it off and on again"),
        ];
        var random = new Random(1);
        return Enumerable.Range(0, count).Select(i => kinds[i % kinds.Length]).Select(kind => new Ticket
        {
            Team = kind.Team,
            Question = $"{(random.Next(2) == 0 ? "my" : "the")} {kind.Things[random.Next(kind.Things.Length)]} {kind.Problem}",
            Answer = kind.Answer,
        }).ToArray();
    }
}

internal sealed class Found
{
    public string Question { get; set; } = "";
    public string[] Neighbors { get; set; } = [];
}
#endregion
