using System.Text.RegularExpressions;
using Ssl.MLNet.Tests;

namespace Ssl.MLNet.Interactive.Tests.Notebooks;

/// <summary>
/// The notebooks, run from the packed packages in the kernel that notebooks run on. Long: each takes a few minutes, the kernel is a tool that is fetched, and libtorch is unpacked for
/// every platform, as for a user. <c>SSL_UPDATE_DOCS=1</c> writes them anew, with their outputs.
/// </summary>
[TestClass]
[TestCategory("Checkout")]
[DoNotParallelize]
public sealed partial class NotebookRunTests
{
    public const string Command = "SSL_UPDATE_DOCS=1 SSL_DATA=DIR dotnet test -c Release tests/Ssl.MLNet.Interactive.Tests -p:RunSettingsFilePath= --filter NotebookRunTests writes the notebooks anew";

    private static readonly Lazy<PackageFeed> s_feed = new(() => new PackageFeed("Ssl.Estimators", "Ssl.MLNet", "Ssl.MLNet.Interactive"));

    public TestContext TestContext { get; set; } = null!;

    public static IEnumerable<object[]> Notebooks => NotebookSource.Names.Select(name => new object[] { name });

    [ClassCleanup]
    public static void CleanUp()
    {
        if (s_feed.IsValueCreated)
            s_feed.Value.Dispose();
    }

    [TestMethod]
    [TestCategory("Long")]
    [DynamicData(nameof(Notebooks))]
    public async Task It_runs_and_puts_out_what_is_committed(string name)
    {
        var program = NotebookSource.Program(name);
        if (program.Contains("SSL_DATA", StringComparison.Ordinal) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("SSL_DATA")))
            Assert.Inconclusive("SSL_DATA does not name a folder of data sets.");
        var cells = NotebookSource.Cells(name, program);
        await using var kernel = await NotebookKernel.Start(s_feed.Value.Folder, TestContext.CancellationToken);
        var outputs = new List<IReadOnlyList<Output>>();
        foreach (var (i, cell) in cells.Index())
        {
            var output = cell.IsCode ? await kernel.Run(cell.Text, TestContext.CancellationToken) : [];
            Assert.IsNull(output.FirstOrDefault(item => item.Kind == "error")?.Text, $"cell {i + 1} of {name}: {cell.Text}");
            // What the references put out names folders of this machine.
            outputs.Add(cell.Text == NotebookSource.References ? [] : output);
        }
        if (Environment.GetEnvironmentVariable("SSL_UPDATE_DOCS") == "1")
            NotebookFile.Write(name, cells, outputs);
        var committed = NotebookFile.Read(name);
        CollectionAssert.AreEqual(committed.Cells, cells, $"the cells of {name}.ipynb; {Command}");
        for (var i = 0; i < cells.Length; i++)
        {
            CollectionAssert.AreEqual(committed.Outputs[i].Select(Shape).ToArray(), outputs[i].Select(Shape).ToArray(), $"what cell {i + 1} of {name}.ipynb puts out; {Command}");
        }
    }

    // Figures may differ with the processor; what they are figures of may not.
    private static string Shape(Output output) => output.MimeType != "text/html" ? $"{output.Kind} {output.MimeType}"
        : $"{output.Kind} {output.MimeType} {output.Text.Split("<figure").Length - 1} figures, {output.Text.Split("<iframe").Length - 1} frames, columns {string.Join('|', Header().Matches(output.Text).Select(header => header.Groups[1].Value))}";

    [GeneratedRegex("<th scope=\"col\">(.*?)</th>")]
    private static partial Regex Header();
}
