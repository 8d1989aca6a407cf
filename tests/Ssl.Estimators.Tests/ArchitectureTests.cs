using System.Text.RegularExpressions;

namespace Ssl.Estimators.Tests;

/// <summary>The source files keep to docs/architecture.md: which folder may use which, and who may speak of ML.NET.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed partial class ArchitectureTests
{
    private const int MostLines = 500;

    // A folder may use its own level and those below; the arrows of docs/architecture.md from bottom to top.
    private static readonly string[][] Levels =
    [
        ["Diagnostics", "Distributed", "Native", "Randomness", "Serialization"],
        ["Objectives", "Encoders"],
        ["Views", "Masking"],
        ["Training"],
        ["Data", "Rows", "Persistence", "Interop"],
        ["Methods", "Tasks", "Transformers", "Pretrained", "Downstream", "Evaluation"],
        ["Reporting"],
    ];

    private static readonly string[] MayMentionMLNet = ["Data", "Rows", "Persistence", "Interop", "Methods", "Tasks", "Transformers", "Pretrained",
        "Downstream", "Evaluation", "Reporting"];

    internal static readonly string Root = FindRoot();

    private static readonly Lazy<FolderReferences> s_references = new(() => new FolderReferences(EstimatorFiles()));

    [TestMethod]
    public void EveryFolderHasALevel()
    {
        var known = Levels.SelectMany(level => level).ToHashSet();
        var unknown = EstimatorFiles().Select(file => file.Folder).Where(folder => !known.Contains(folder)).Distinct().ToArray();
        Assert.IsEmpty(unknown,
            $"Give these folders of src/Ssl.Estimators a level here and in docs/architecture.md: {string.Join(", ", unknown)}.");
    }

    [TestMethod]
    public void ArrowsPointDown()
    {
        var references = s_references.Value;
        Assert.IsEmpty(references.Unknown, $"no source file was found for {string.Join(", ", references.Unknown)}");
        Assert.IsTrue(references.All.Any(arrow => arrow is { FromFolder: "Methods", ToFolder: "Encoders" }), "the search finds what is known to be there");
        var faults = references.All.Where(arrow => LevelOf(arrow.ToFolder) > LevelOf(arrow.FromFolder))
            .Select(arrow => $"{arrow.From} ({arrow.FromFolder}) uses {arrow.To} ({arrow.ToFolder})").ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void ObjectivesKnowNoModels()
    {
        var faults = s_references.Value.All
            .Where(arrow => arrow.FromFolder == "Objectives" && arrow.ToFolder is not ("Objectives" or "Diagnostics" or "Distributed" or "Native"))
            .Select(arrow => $"{arrow.From} uses {arrow.To} ({arrow.ToFolder})").ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void EstimatorsDoNotKnowTheFrontDoor()
    {
        var faults = EstimatorFiles()
            .Where(file => FrontDoor().IsMatch(WithoutComments(File.ReadAllText(file.Path))))
            .Select(file => Relative(file.Path)).Where(path => !path.EndsWith("AssemblyInfo.cs", StringComparison.Ordinal)).ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void MLNetIsMentionedOnlyWhereItBelongs()
    {
        var faults = EstimatorFiles().Where(file => !MayMentionMLNet.Contains(file.Folder))
            .Where(file => File.ReadAllText(file.Path).Contains("Microsoft.ML", StringComparison.Ordinal))
                .Select(file => Relative(file.Path)).ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void ReflectionOnClosedMembersIsInInteropOnly()
    {
        // StableText tells the fields of options such as views, ours and the user's; it reaches nothing of ML.NET.
        var faults = Files("src").Where(path => Path.GetFileName(path) != "StableText.cs")
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}Interop{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(path => ClosedMemberAccess().IsMatch(WithoutComments(File.ReadAllText(path)))).Select(Relative).ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void RandomTensorsComeFromTheStreams()
    {
        var faults = Files("src").Where(path => Path.GetFileName(path) is not ("Draws.cs" or "Initialization.cs"))
            .Where(path => OwnDraw().IsMatch(WithoutComments(File.ReadAllText(path)))).Select(Relative).ToArray();
        Assert.IsEmpty(faults, "Draw with Randomness/Draws.cs, which works on every device: " + string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void NothingIsCompiledConditionally()
    {
        var faults = Files("src", "tests", "examples", "bench").Where(path => ConditionalCompilation().IsMatch(File.ReadAllText(path)))
            .Select(Relative).ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    // Found by looking which entry points of the library catch no exception of torch, and called by none of its own accord.
    [TestMethod]
    public void NoCallEndsTheProcessOverItsArguments()
    {
        var faults = Files("src")
            .Where(path => Path.GetFileName(path) != "RandomStreams.cs") // which checks the state before
            .Where(path => CallThatEndsTheProcess().IsMatch(WithoutComments(File.ReadAllText(path)))).Select(Relative).ToArray();
        Assert.IsEmpty(faults, "Use mm or bmm, which throw over shapes that do not fit, in place of matmul, and RandomStreams.SetState in"
            + $" place of set_state: {string.Join(", ", faults)}");
    }

    [TestMethod]
    public void NoTableIsKeptByANativeModule()
    {
        var faults = Files("src").Where(path => Path.GetFileName(path) != "EmbeddingTable.cs")
            .Where(path => NativeTable().IsMatch(WithoutComments(File.ReadAllText(path)))).Select(Relative).ToArray();
        Assert.IsEmpty(faults, $"Use EmbeddingTable, whose table goes with it: {string.Join(", ", faults)}");
    }

    // On a machine without a GPU this is how a tensor of the CPU in a step of a GPU is found: torch's meta device knows half of the operators.
    [TestMethod]
    public void NoStepMakesATensorWithoutSayingWhere()
    {
        // Parts that compute on the CPU alone, and what is made once before a network is brought to its device.
        Dictionary<string, string> known = new()
        {
            ["PackedAttention.cs"] = "scoring on the CPU",
            ["TokenPooling.cs"] = "scoring on the CPU",
            ["SeededDropout.cs"] = "the CPU's own draws",
            ["Constants.cs"] = "copies to the device",
            ["Initialization.cs"] = "weights",
            ["EmbeddingTable.cs"] = "an empty table, never read",
            ["VisionBlock.cs"] = "positions",
            ["VisionTransformerEncoder.cs"] = "weights",
            ["Dino.cs"] = "a buffer",
            ["BertTextEncoder.cs"] = "scoring on the CPU",
            ["CellEmbeddings.cs"] = "the CPU's way of a product, and weights",
        };
        var faults = EstimatorFiles()
            .Where(file => file.Folder is "Encoders" or "Methods" or "Objectives" or "Views" or "Masking" && !known.ContainsKey(Path.GetFileName(file.Path)))
            .SelectMany(file => Factory().Matches(WithoutComments(File.ReadAllText(file.Path)))
                .Where(call => !call.Value.Contains("device", StringComparison.OrdinalIgnoreCase) && !call.Groups["around"].Success)
                .Select(call => $"{Relative(file.Path)}: {call.Value.Trim()}")).ToArray();
        Assert.IsEmpty(faults, "Say device: of a tensor that meets others, or DeviceCopy.Of. " + string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void NoFileIsLong()
    {
        var faults = Files("src", "tests", "examples", "bench")
            .Select(path => (Path: path, Lines: File.ReadLines(path).Count()))
            .Where(file => file.Lines > MostLines).Select(file => $"{Relative(file.Path)}: {file.Lines} lines, at most {MostLines}")
                .ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    private static int LevelOf(string folder) => Array.FindIndex(Levels, level => level.Contains(folder));

    private static IEnumerable<(string Path, string Folder)> EstimatorFiles()
    {
        var source = Path.Combine(Root, "src", "Ssl.Estimators");
        return Files(Path.Combine("src", "Ssl.Estimators"))
            .Select(path => (Path: path, Parts: Path.GetRelativePath(source, path).Split(Path.DirectorySeparatorChar)))
            .Where(file => file.Parts.Length > 1).Select(file => (file.Path, file.Parts[0]));
    }

    private static IEnumerable<string> Files(params string[] folders)
        => folders.Select(folder => Path.Combine(Root, folder)).Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        .Where(path => !Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"));

    private static string Relative(string path) => Path.GetRelativePath(Root, path);

    private static string WithoutComments(string code) => LineComment().Replace(code, "");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "SslMLNet.sln")))
                return folder.FullName;
        throw new DirectoryNotFoundException($"The repository was not found above {AppContext.BaseDirectory}.");
    }

    // A sentence may say which package helps.
    [GeneratedRegex(@"(?<!the package )\bSsl\.(MLNet|Extensions)\b")]
    private static partial Regex FrontDoor();

    [GeneratedRegex(@"//.*")]
    private static partial Regex LineComment();

    [GeneratedRegex(@"\bNonPublic\b|\bUnsafeAccessor|\bGetUninitializedObject\b")]
    private static partial Regex ClosedMemberAccess();

    [GeneratedRegex(@"\.\s*(matmul|set_state|cummax|cummin)\(|\bautograd\.grad\(|\btorch\.matmul\(")]
    private static partial Regex CallThatEndsTheProcess();

    [GeneratedRegex(@"\bnn\.Embedding(Bag)?\(")]
    private static partial Regex NativeTable();

    [GeneratedRegex(@"(?<![\w.])(torch\.)?(rand|randn|randint|randperm|rand_like|randn_like|bernoulli)\(|\.(uniform_|normal_|bernoulli_)\(")]
    private static partial Regex OwnDraw();

    // A call with its arguments, brackets within them in pairs.
    [GeneratedRegex(@"(?<around>DeviceCopy\.Of\(|Parameter\(|register_buffer\([^,]*,\s*)?(?<![\w.])(tensor|zeros|ones|empty|full|arange|eye|linspace)"
        + @"\((?>[^()]+|(?<open>\()|(?<-open>\)))*(?(open)(?!))\)")]
    private static partial Regex Factory();

    [GeneratedRegex(@"^\s*#\s*(if|elif)\b", RegexOptions.Multiline)]
    private static partial Regex ConditionalCompilation();
}
