using System.Text.RegularExpressions;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.CSharp;
using Microsoft.DotNet.Interactive.Events;
using Ssl.Estimators;

namespace Ssl.MLNet.Interactive.Tests;

/// <summary>Cells, run by the kernel that notebooks run on.</summary>
[TestClass]
public sealed partial class CellTests : IDisposable
{
    private const string Prepare = """
        using Microsoft.ML;
        using Ssl.Estimators;
        using Ssl.MLNet;
        using Ssl.MLNet.Interactive;
        using Ssl.MLNet.Testing;
        var mlContext = new MLContext(seed: 1);
        var ssl = mlContext.SelfSupervised();
        var data = ContractData.View(mlContext);
        """;

    private readonly CompositeKernel _kernel = new() { new CSharpKernel().UseKernelHelpers().UseValueSharing() };

    public TestContext TestContext { get; set; } = null!;

    public void Dispose() => _kernel.Dispose();

    [TestInitialize]
    public async Task Reference()
    {
        var folder = AppContext.BaseDirectory;
        string[] files = [.. Directory.GetFiles(folder, "Ssl.*.dll").Where(file => !Path.GetFileName(file).Contains(".Tests", StringComparison.Ordinal)),
            .. Directory.GetFiles(folder, "Microsoft.ML*.dll"), Path.Combine(folder, "TorchSharp.dll")];
        await Run(string.Join('\n', files.Select(file => $"#r \"{file}\"")));
        // What the package has the notebook run.
        var extension = await File.ReadAllTextAsync(Path.Combine(folder, "extension.dib"), TestContext.CancellationToken);
        await Run(extension.Replace("#!csharp", "", StringComparison.Ordinal));
        await Run(Prepare);
    }

    [TestMethod]
    public async Task A_training_is_seen_while_it_runs()
    {
        await Run("""
            var training = new LiveTraining();
            var trainer = ssl.Text.SimCse(new SimCseTrainer.Options
            {
                Encoder = TextEncoders.Bag(embeddingDimension: 16), BatchSize = 8, NumberOfEpochs = 300, VocabularySize = 300, MinimumTokenCount = 1, ValidationFraction = 0.2,
                Progress = training, CancellationToken = training.CancellationToken, MaximumTrainingTime = TimeSpan.FromSeconds(4),
            });
            """);
        var shown = Shown(await Run("var encoder = training.Fit(trainer, data);"));
        Assert.IsGreaterThan(2, shown.Length, "drawn more than once");
        StringAssert.Contains(shown[0], "Reading rows.");
        Assert.IsTrue(shown[1..^1].Any(html => html.Contains("training.", StringComparison.Ordinal) && html.Contains("samples/s", StringComparison.Ordinal)));
        StringAssert.Contains(shown[^1], "done.");
        StringAssert.Contains(shown[^1], "<path d=\"M");
        StringAssert.Contains(shown[^1], "loss on rows kept aside");
        // To the right from epoch to epoch: steps are counted anew in each.
        double[] places = [.. Place().Matches(shown[^1][shown[^1].IndexOf("<path d=\"", StringComparison.Ordinal)..].Split('>')[0]).Select(match => double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))];
        Assert.IsGreaterThan(12, places.Length, "more than the ten steps of an epoch");
        CollectionAssert.AreEqual(places.Order().ToArray(), places);

        StringAssert.Contains(Shown(await Run("object.ReferenceEquals(encoder, training.Result)")).Single(), "True");
        // The encoder is the cell's value: what it is, and the curve.
        var card = Shown(await Run("encoder")).Single();
        foreach (var part in new[] { "<th scope=\"row\">reads</th><td>Text</td>", "Features, 16 numbers", "SimCse", "BatchSize 8", "Collapse watch" })
            StringAssert.Contains(card, part);
        StringAssert.Contains(Shown(await Run("ssl.EvaluateRepresentation(encoder.Transform(data))")).Single(), "effective rank");
        StringAssert.Contains(Shown(await Run("ssl.EmbeddingMap(data, encoder, \"Label\")")).Single(), "t-SNE: who is near whom");
        StringAssert.Contains(Shown(await Run("ssl.NeighborTable(data, encoder)")).Single(), "nearest, with their cosine");
        StringAssert.Contains(Shown(await Run("ssl.Report(data, encoder, new ReportOptions { NumberOfMapRows = 0 })")).Single(), "srcdoc=\"&lt;!DOCTYPE html&gt;");
    }

    [TestMethod]
    public async Task A_stopped_cell_keeps_what_was_learned()
    {
        await Run("""
            var training = new LiveTraining();
            var trainer = ssl.Text.SimCse(new SimCseTrainer.Options
            {
                Encoder = TextEncoders.Bag(embeddingDimension: 16), BatchSize = 8, NumberOfEpochs = 1_000_000, VocabularySize = 300, MinimumTokenCount = 1,
                Progress = training, CancellationToken = training.CancellationToken,
            });
            """);
        var begun = new TaskCompletionSource();
        var updates = new List<string>();
        using var watch = _kernel.KernelEvents.Subscribe(new Watch(e =>
        {
            if (e is DisplayedValueUpdated updated)
            {
                lock (updates)
                    updates.Add(updated.FormattedValues.Single().Value);
                if (updates[^1].Contains("samples/s", StringComparison.Ordinal))
                    begun.TrySetResult();
            }
        }));
        var running = _kernel.SendAsync(new SubmitCode("var encoder = training.Fit(trainer, data);"), TestContext.CancellationToken);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.CancellationToken);
        await _kernel.SendAsync(new Cancel(), TestContext.CancellationToken);
        var result = await running;
        Assert.IsTrue(result.Events.OfType<CommandFailed>().Any(), "the cell ends as a canceled one");
        // The kernel does not wait for what it lets go of.
        var steps = "";
        for (var i = 0; i < 100 && !steps.Contains("known", StringComparison.Ordinal); i++)
        {
            await Task.Delay(50, TestContext.CancellationToken);
            steps = Shown(await Run("training.Result is EncoderTransformer learned ? $\"known {learned.TrainingHistory!.Steps.Count > 0}\" : \"not yet\"")).Single();
        }
        StringAssert.Contains(steps, "known True");
    }

    [TestMethod]
    [DoNotParallelize]
    public void In_a_program_it_is_lines_on_the_console()
    {
        using var training = new LiveTraining();
        var mlContext = TestDevice.Context(1);
        var trainer = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(embeddingDimension: 16), BatchSize = 32, NumberOfEpochs = 2, VocabularySize = 300, MinimumTokenCount = 1, Progress = training,
        });
        var (console, printed) = (Console.Out, new StringWriter());
        Console.SetOut(printed);
        try
        {
            using var encoder = training.Fit(trainer, ContractData.View(mlContext));
            Assert.AreSame(encoder, training.Result);
        }
        finally
        {
            Console.SetOut(console);
        }
        StringAssert.Contains(printed.ToString(), "epoch 2/2, 3 steps, loss ");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => training.Fit(trainer, ContractData.View(mlContext))).Message, "make a new one");
    }

    [TestMethod]
    public async Task A_second_use_and_a_failure_are_told()
    {
        await Run("var training = new LiveTraining(); var trainer = ssl.Text.SimCse(new SimCseTrainer.Options { InputColumnName = \"Missing\", Progress = training });");
        var failed = await _kernel.SendAsync(new SubmitCode("training.Fit(trainer, data);"), TestContext.CancellationToken);
        StringAssert.Contains(failed.Events.OfType<CommandFailed>().Single().Message, "'Missing'");
        StringAssert.Contains(Shown(failed)[^1], "Failed: ");
        var again = await _kernel.SendAsync(new SubmitCode("training.Fit(trainer, data);"), TestContext.CancellationToken);
        StringAssert.Contains(again.Events.OfType<CommandFailed>().Single().Message, "make a new one");
    }

    // Without the style, which names everything there could be.
    private static string[] Shown(KernelCommandResult result)
        => [.. result.Events.OfType<DisplayEvent>().SelectMany(shown => shown.FormattedValues).Select(value => Style().Replace(value.Value, ""))];

    [GeneratedRegex(@"[ML]([\d.]+) ")]
    private static partial Regex Place();

    [GeneratedRegex("<style>.*?</style>", RegexOptions.Singleline)]
    private static partial Regex Style();

    private async Task<KernelCommandResult> Run(string code)
    {
        var result = await _kernel.SendAsync(new SubmitCode(code), TestContext.CancellationToken);
        Assert.IsNull(result.Events.OfType<CommandFailed>().FirstOrDefault()?.Message);
        return result;
    }

    private sealed class Watch(Action<KernelEvent> seen) : IObserver<KernelEvent>
    {
        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void OnNext(KernelEvent value) => seen(value);
    }
}
