using SearchService.Models;
using SearchService.Training;

namespace SearchService.Tests;

/// <summary>The command that makes a model.</summary>
[TestClass]
public sealed class TrainCommandTests
{
    private string _folder = "";

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("search-service-train-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow("'--data' needs a value behind it.", "--data")]
    [DataRow("'--colour' is not known.", "--colour", "red")]
    [DataRow("--encoder is bag or transformer, not 'lstm'.", "--encoder", "lstm")]
    [DataRow("--epochs needs a whole number of at least 0, got 'many'.", "--epochs", "many")]
    [DataRow("--data and --text go together", "--data", "table.csv")]
    [DataRow("--data and --text go together", "--text", "Question")]
    [DataRow("--pair, --label and --id name columns of the table that --data names.", "--label", "Team")]
    public void A_command_line_that_is_not_understood_is_refused(string sentence, params string[] arguments)
        => Assert.Contains(sentence, Assert.ThrowsExactly<FormatException>(() => TrainArguments.Parse(arguments)).Message);

    [TestMethod]
    [DataRow("Question,Team\na,b\n", "Answer", "has no column 'Answer'; it has: Question, Team.")]
    [DataRow("", "Question", "is empty.")]
    [DataRow("Question,Team\n", "Question", "has no row with a text in 'Question'.")]
    public void A_table_that_does_not_fit_is_named(string content, string column, string sentence)
    {
        var table = Path.Combine(_folder, "table.csv");
        File.WriteAllText(table, content);
        Assert.Contains(sentence, Assert.ThrowsExactly<FormatException>(() => Train("--data", table, "--text", column)).Message);
    }

    [TestMethod]
    public void An_id_of_two_texts_is_refused_and_a_fault_leaves_exit_code_2()
    {
        var table = Path.Combine(_folder, "table.csv");
        File.WriteAllText(table, "Text,Id\none,1\ntwo,1\n");
        Assert.Contains("The id '1' names several different texts", Assert.ThrowsExactly<FormatException>(() => Train("--data", table, "--text", "Text", "--id", "Id")).Message);
        Assert.AreEqual(2, TrainCommand.Run(["--data", table, "--text", "Text", "--id", "Id", "--output", Path.Combine(_folder, "model.zip")]));
        Assert.IsFalse(File.Exists(Path.Combine(_folder, "model.zip")));
    }

    [TestMethod]
    public void A_table_with_pairs_classes_and_ids_makes_a_model_that_answers_it()
    {
        var table = Path.Combine(_folder, "table.tsv");
        var rows = HelpDesk.MakeUp(400, seed: 5);
        File.WriteAllLines(table, rows.Select(row => $"{row.Label}\t{row.Text}\t{row.Id}\t{row.Pair}").Prepend("Team\tQuestion\tArticle\tAnswer"));
        var lines = Train("--data", table, "--text", "Question", "--pair", "Answer", "--label", "Team", "--id", "Article", "--epochs", "8");
        Assert.Contains("table.tsv: 360 rows to learn from, 40 held out, 125 rows in the catalog", lines);
        var model = ModelFile.Load(Path.Combine(_folder, "model.zip"), _ => { });
        var embedding = model.Embed(["my parcel is overdue"])[0];
        Assert.Contains("delivery-11", model.Search(embedding, 3).Select(match => match.Id));
        Assert.AreEqual("Delivery", model.Classify(embedding)!.Label);
        Assert.AreEqual("Delivery", model.Row("delivery-11")!.Label);
        model.Release();
        // Nothing but the model is left behind.
        CollectionAssert.AreEquivalent(new[] { "model.zip", "table.tsv" }, Directory.GetFiles(_folder).Select(Path.GetFileName).ToArray());
    }

    [TestMethod]
    public void Made_up_questions_follow_the_seed()
    {
        string[] Texts(int seed) => [.. HelpDesk.MakeUp(300, seed).Select(row => $"{row.Id} {row.Text} {row.Pair} {row.Label}")];
        CollectionAssert.AreEqual(Texts(1), Texts(1));
        CollectionAssert.AreNotEqual(Texts(1), Texts(2));
        var articles = HelpDesk.MakeUp(3_000, 1).Select(row => (row.Id, row.Pair)).Distinct().ToArray();
        Assert.HasCount(125, articles);
        Assert.HasCount(125, articles.Select(article => article.Id).Distinct());
    }

    private string Train(params string[] arguments)
    {
        var lines = new List<string>();
        TrainCommand.Train(TrainArguments.Parse([.. arguments, "--output", Path.Combine(_folder, "model.zip")]), lines.Add);
        return string.Join('\n', lines);
    }
}
