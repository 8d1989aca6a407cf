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

    [TestMethod]
    [TestCategory("Long")]
    public async Task A_stopped_cell_keeps_what_was_learned()
    {
        await using var kernel = await NotebookKernel.Start(s_feed.Value.Folder, TestContext.CancellationToken);
        await Run(NotebookSource.References);
        await Run("""
            using Microsoft.ML;
            using Ssl.Estimators;
            using Ssl.MLNet;
            using Ssl.MLNet.Interactive;
            var mlContext = new MLContext(seed: 1);
            var data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 200).Select(i => new { Text = $"text {i} number {i % 7}" }).ToArray());
            var training = new LiveTraining();
            var trainer = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
            {
                Encoder = TextEncoders.Bag(embeddingDimension: 16), BatchSize = 16, NumberOfEpochs = 1_000_000, Progress = training, CancellationToken = training.CancellationToken,
            });
            """);
        var stopped = await kernel.Run("var encoder = training.Fit(trainer, data);", TestContext.CancellationToken, stopAt: "samples/s");
        Assert.AreEqual("error", stopped[^1].Kind, "the cell ends as a stopped one");
        // The kernel does not wait for what it lets go of.
        var kept = await Run("""
            for (var i = 0; i < 100 && training.Result is null; i++)
                System.Threading.Thread.Sleep(50);
            training.Result is EncoderTransformer learned && learned.TrainingHistory!.Steps.Count > 0
            """);
        StringAssert.Contains(kept.Single().Text, "True");

        async Task<IReadOnlyList<Output>> Run(string code)
        {
            var outputs = await kernel.Run(code, TestContext.CancellationToken);
            Assert.IsNull(outputs.FirstOrDefault(item => item.Kind == "error")?.Text);
            return outputs;
        }
    }

    // Figures may differ with the processor; what they are figures of may not.
    private static string Shape(Output output) => output.MimeType != "text/html" ? $"{output.Kind} {output.MimeType}"
        : $"{output.Kind} {output.MimeType} {output.Text.Split("<figure").Length - 1} figures, {output.Text.Split("<iframe").Length - 1} frames, columns {string.Join('|', Header().Matches(output.Text).Select(header => header.Groups[1].Value))}";

    [GeneratedRegex("<th scope=\"col\">(.*?)</th>")]
    private static partial Regex Header();
}
