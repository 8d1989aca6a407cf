using System.Diagnostics;
using System.Text.Json;

namespace Ssl.MLNet.Tests;

/// <summary>The quickstart in its small form, as a user starts it: in processes of its own.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class QuickstartTests
{
    private static string _output = "";

    [ClassInitialize]
    public static void Prepare(TestContext context) => _output = Directory.CreateTempSubdirectory("ssl-quickstart-").FullName;

    [ClassCleanup]
    public static void CleanUp() => Directory.Delete(_output, recursive: true);

    [TestMethod]
    public void It_learns_searches_classifies_saves_loads_and_reports()
    {
        var output = Path.Combine(_output, "docs");
        var (code, text) = Run("--small", "--output", output);
        Assert.AreEqual(0, code, text);
        Assert.Contains("loaded in a second process", text);

        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "results.json")));
        var values = json.RootElement.GetProperty("rows").EnumerateArray()
            .ToDictionary(row => row.GetProperty("name").GetString()!, row => row.GetProperty("value").GetDouble());
        foreach (var figure in new[] { "recall@1", "recall@5", "recall@10", "namespace-accuracy" })
            foreach (var side in new[] { "tfidf", "untrained", "pretrained" })
                Assert.IsTrue(values[$"{figure}/{side}"] is >= 0 and <= 1, $"{figure}/{side} is {values[$"{figure}/{side}"]}");
        Assert.IsTrue(values["recall@10/tfidf"] > 0.5, "TF-IDF finds most of 60 documents; if not, the corpus or the ranking is wrong.");
        Assert.IsTrue(values["recall@10/pretrained"] >= values["recall@1/pretrained"]);
        Assert.IsTrue(values["seconds/pretraining"] > 0 && values["seconds/total"] >= values["seconds/pretraining"]);

        // The encoder that this run has saved answers without another training.
        var (queryCode, answer) = Run("--small", "--output", output, "--query", "read all lines of a file");
        Assert.AreEqual(0, queryCode, answer);
        Assert.Contains("earlier run", answer);
        Assert.DoesNotContain("pretraining", answer);
    }

    [TestMethod]
    public void It_learns_from_a_table_of_the_user()
    {
        var table = Path.Combine(_output, "mine.tsv");
        var subjects = new[] { "harbour", "kitchen", "garden", "violin", "railway" };
        File.WriteAllLines(table,
            Enumerable.Range(0, 100)
            .Select(i => $"title of text {i} on the {subjects[i % 5]}\tand its body, number {i}, tells of a {subjects[i % 5]}\t{subjects[i % 5]}")
            .Prepend("Title\tBody\tSubject"));
        var output = Path.Combine(_output, "mine");
        var (code, text) = Run("--small", "--output", output, "--data", table, "--columns", "Title,Body,Subject");
        Assert.AreEqual(0, code, text);
        Assert.IsTrue(File.Exists(Path.Combine(output, "results.json")));
    }

    [TestMethod]
    public void It_names_the_columns_of_a_table_when_one_is_missing()
    {
        var table = Path.Combine(_output, "other.csv");
        File.WriteAllText(table, "Title,Body\na,b\n");
        var (code, text) = Run("--data", table, "--columns", "Heading", "--output", Path.Combine(_output, "none"));
        Assert.AreEqual(1, code);
        Assert.Contains("no column 'Heading'; it has: Title, Body", text);
    }

    private static (int Code, string Text) Run(params string[] arguments)
    {
        var app = Path.Combine(Repository.Root, "examples", "quickstart", "bin", Repository.Configuration, "net10.0", "quickstart.dll");
        Assert.IsTrue(File.Exists(app), $"{app} was not built.");
        var start = new ProcessStartInfo("dotnet", [app, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
