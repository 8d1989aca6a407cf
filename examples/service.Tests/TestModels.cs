using SearchService.Training;

namespace SearchService.Tests;

/// <summary>Model files that all tests share: two trainings of the same questions, and one of a user's table without classes.</summary>
[TestClass]
public sealed class TestModels
{
    private static string s_folder = "";

    /// <summary>The first model.</summary>
    public static string First => Path.Combine(s_folder, "first.zip");

    /// <summary>Another one, with other numbers.</summary>
    public static string Second => Path.Combine(s_folder, "second.zip");

    /// <summary>One that classifies nothing, with three rows.</summary>
    public static string Unlabeled => Path.Combine(s_folder, "unlabeled.zip");

    [AssemblyInitialize]
    public static void Train(TestContext context)
    {
        s_folder = Directory.CreateTempSubdirectory("search-service-tests-").FullName;
        Train("--output", First, "--epochs", "2");
        Train("--output", Second, "--epochs", "2", "--seed", "2");
        var table = Path.Combine(s_folder, "table.csv");
        File.WriteAllText(table, "Question,Number\n\"where, please, is the station\",7\nhow late is it,8\nwho has the key,9\n");
        Train("--output", Unlabeled, "--epochs", "1", "--data", table, "--text", "Question", "--id", "Number");
    }

    [AssemblyCleanup]
    public static void CleanUp() => Directory.Delete(s_folder, recursive: true);

    private static void Train(params string[] arguments) => TrainCommand.Train(TrainArguments.Parse(arguments), _ => { });
}
