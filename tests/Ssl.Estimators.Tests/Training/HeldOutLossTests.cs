using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Tests.Methods;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

/// <summary>The loss on rows kept aside: the same views each time, and a training that goes on as if nothing had been measured.</summary>
[TestClass]
public sealed class HeldOutLossTests
{
    private const int Rows = 12;

    private static readonly TokenVocabulary s_vocabulary = new(40, 0, 1, 2, 3, 4, 5);

    [TestMethod]
    public void Measuring_changes_nothing_that_training_reads_in_any_method()
    {
        Type[] types = [.. AllMethods.Methods.Where(type => !type.IsSubclassOf(typeof(FineTuningMethod)) && type != typeof(ClassContrast))];
        Assert.IsGreaterThanOrEqualTo(31, types.Length);
        var faults = new List<string>();
        foreach (var type in types)
        {
            using var streams = new RandomStreams(3);
            using var sameStreams = new RandomStreams(3);
            // Deeper networks of the layers that the small one has would only take longer.
            var pairs = AllMethods.Make(type, streams).Zip(AllMethods.Make(type, sameStreams)).Where(pair => !pair.First.Name.Contains("resnet", StringComparison.Ordinal));
            foreach (var ((name, measured), (_, plain)) in pairs)
            {
                using (measured)
                using (plain)
                    faults.AddRange(Faults(measured, streams, plain, sameStreams).Select(fault => $"{name}: {fault}"));
            }
        }
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void Dropout_stays_on_where_it_makes_the_views_and_only_there()
    {
        using var streams = new RandomStreams(3);
        using var simCse = new SimCseTrainer.Method((TextEncoder)AllMethods.Encoders["text.transformer"](streams), streams, new());
        using var masked = new MaskedLanguageModelTrainer.Method((TextEncoder)AllMethods.Encoders["text.transformer"](streams), s_vocabulary,
            streams, new());
        using var hybrid = new ContrastiveMaskedTrainer.Method((TextEncoder)AllMethods.Encoders["text.transformer"](streams), s_vocabulary,
            streams, new());
        foreach (var (method, expected) in new (PretrainingMethod, bool)[] { (simCse, true), (hybrid, true), (masked, false) })
        {
            method.BeginEvaluation();
            Assert.IsFalse(method.training);
            var dropouts = method.modules().OfType<SeededDropout>().ToArray();
            Assert.IsNotEmpty(dropouts);
            Assert.IsTrue(dropouts.All(dropout => dropout.training == expected), method.GetName());
        }
    }

    [TestMethod]
    public void The_loss_is_the_mean_over_rows_of_batches_of_any_size()
    {
        using var streams = new RandomStreams(3);
        using var method = new Toy.ToyMethod(streams);
        method.BeginEvaluation();
        var sizes = new[] { 5, 3 };
        var seen = new List<(double Loss, int Rows)>();
        var values = sizes.Select(size => rand(size, 6)).ToArray();
        var loss = new HeldOutLoss(method, _ => values.Select((value, i) => (IReadOnlyList<Batch>)[new Toy.VectorBatch(value.clone())]),
            streams, CPU, mixedPrecision: false).Measure(default);
        using var copies = new RandomStreams((long)streams.ValidationSeed);
        streams.SetState(copies.GetState());
        foreach (var value in values)
            seen.Add((method.Loss([new Toy.VectorBatch(value)]).Total.item<float>(), (int)value.shape[0]));
        Assert.AreEqual(seen.Sum(item => item.Loss * item.Rows) / 8, loss!.Value, 1e-6);
    }

    [TestMethod]
    public void Canceling_gives_no_loss()
    {
        using var cancellation = new CancellationTokenSource();
        using var streams = new RandomStreams(3);
        using var method = new Toy.ToyMethod(streams);
        var state = streams.GetState();
        var loss = new HeldOutLoss(method, Batches, streams, CPU, mixedPrecision: false);
        Assert.IsNull(loss.Measure(cancellation.Token));
        CollectionAssert.AreEqual(state["views"], streams.GetState()["views"]);

        IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken _)
        {
            yield return [new Toy.VectorBatch(rand(4, 6))];
            cancellation.Cancel();
        }
    }

    private static IEnumerable<string> Faults(PretrainingMethod measured, RandomStreams streams, PretrainingMethod plain,
        RandomStreams plainStreams)
    {
        var loss = new HeldOutLoss(measured, _ => [Columns(measured, 7), Columns(measured, 8)], streams, CPU, mixedPrecision: false);
        using var optimizer = Optimizer(measured);
        using var plainOptimizer = Optimizer(plain);
        var losses = new List<double>();
        for (int step = 0; step < 3; step++)
        {
            Step(measured, optimizer, step);
            Step(plain, plainOptimizer, step);
            measured.BeginEvaluation();
            losses.Add(loss.Measure(default)!.Value);
            if (loss.Measure(default) != losses[^1])
                yield return "two measurements of the same weights differ";
            measured.train();
        }
        if (losses.Any(value => !double.IsFinite(value)))
            yield return $"losses {string.Join(", ", losses)}";
        if (losses.Distinct().Count() < 3)
            yield return $"the loss does not see the weights: {string.Join(", ", losses)}";
        using var scope = NewDisposeScope();
        var expected = plain.state_dict();
        foreach (var (name, value) in measured.state_dict())
        {
            if (!value.equal(expected[name]).all().item<bool>())
                yield return $"{name} differs";
        }
        foreach (var (name, value) in plainStreams.GetState())
        {
            if (!streams.GetState()[name].SequenceEqual(value))
                yield return $"random stream {name} differs";
        }
    }

    private static AdamWOptimizer Optimizer(PretrainingMethod method)
        => new(method.named_parameters(), 0.01, 0.9, 0.999, 1e-8, method.RateOf);

    private static void Step(PretrainingMethod method, AdamWOptimizer optimizer, int step)
    {
        using var scope = NewDisposeScope();
        method.train();
        method.Loss(Columns(method, step)).Total.backward();
        optimizer.Step(1e-2, 1);
        method.zero_grad();
        using (no_grad())
            method.OnStepCompleted(step / 3.0);
    }

    private static IReadOnlyList<Batch> Columns(PretrainingMethod method, int seed)
    {
        using var generator = new Generator((ulong)seed + 1, CPU);
        return method.Encoder switch
        {
            TextEncoder => [.. Enumerable.Range(0, method is PairedContrastiveTrainer.Method ? 2 : 1)
                .Select(column => TokenTexts.Random(Rows, 8, s_vocabulary, 10 * seed + column, specialTokens: true))],
            TwoTowerEncoder or FusionEncoder => [new ImageTextBatch(new ImageBatch(rand(Rows, 3, 12, 12, generator: generator)),
                TokenTexts.Random(Rows, 8, s_vocabulary, 10 * seed, specialTokens: true))],
            TabularEncoder => [TableBatches.Random(TableBatches.Layout, Rows, seed)],
            ImageEncoder => [new ImageBatch(rand(Rows, 3, 12, 12, generator: generator))],
            SpectrogramConvolutionEncoder => [Repeated(Series(), 4)],
            _ => [Series()],
        };

        static SeriesBatch Series() => TestSeries.Of([.. Enumerable.Repeat(24, Rows)]);
        static SeriesBatch Repeated(SeriesBatch series, int times) => series.WithValues(series.Values.repeat(1, times, 1));
    }
}
