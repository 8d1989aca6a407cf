using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Quickstart;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>
/// What texts said again teach an encoder in the same processor time as SimCSE's contrast: the similarity of sentences without a label (STS-B),
/// and classes from few labels on the frozen embedding (CLINC150, AG News).
/// </summary>
public sealed class TextDenoising : BenchCase
{
    private const double Budget = 120;

    private static readonly (string Set, int[] LabelsPerClass)[] Classes = [("clinc150", [5, 20]), ("ag-news", [10, 100])];

    private static readonly (string Name, Func<SelfSupervisedCatalog.TextMethods, int, IEstimator<EncoderTransformer>> Create)[] Methods =
    [
        ("SimCse", (text, epochs) => text.SimCse(new SimCseTrainer.Options { NumberOfEpochs = epochs, Seed = BenchResults.Seed })),
        ("Tsdae", (text, epochs) => text.Tsdae(new TsdaeTrainer.Options { NumberOfEpochs = epochs, Seed = BenchResults.Seed })),
        ("SentencePermutation", (text, epochs) => text.SentencePermutation(new SentencePermutationTrainer.Options { NumberOfEpochs = epochs, Seed = BenchResults.Seed })),
        ("MaskedLanguageModel", (text, epochs) => text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options { NumberOfEpochs = epochs, Seed = BenchResults.Seed })),
    ];

    /// <inheritdoc/>
    public override string Name => "text-denoising";

    /// <inheritdoc/>
    public override int Minutes => 30;

    /// <inheritdoc/>
    public override string Description => "TSDAE and sentence permutation against SimCSE in the same processor time: STS-B without labels, CLINC150 and AG News with few";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var budget = settings.Quick ? 5 : Budget;
        if (settings.Sets?.Contains("stsb") ?? true)
            Similarities(mlContext, results, budget);
        foreach (var (set, counts) in Classes.Where(item => settings.Sets?.Contains(item.Set) ?? !settings.Quick))
            FewLabels(mlContext, results, set, counts, budget);
        results.Note(FormattableString.Invariant($"{budget} s of the processor a method, in whole epochs at least one; every method's defaults, seed {BenchResults.Seed}; SentencePermutation on AG News only, the others have texts of one sentence."));
        results.Note("STS-B: Spearman's correlation on the test pairs, learned from the sentences of the training pairs without their scores. Few labels: logistic regression on the frozen embedding, its penalty in five folds of the labeled rows, mean of three draws; all training texts are learned from.");
    }

    private static void Similarities(MLContext mlContext, BenchResults results, double budget)
    {
        var test = BenchText.Pairs("stsb", "test");
        string[] sentences = [.. BenchText.Pairs("stsb", "train").SelectMany(pair => new[] { pair.First, pair.Second }).Distinct()];
        new Random(BenchResults.Seed).Shuffle(sentences);
        var words = new TfIdf(sentences);
        var labels = mlContext.Data.LoadFromEnumerable(test.Select(pair => new ScoredPair
        {
            Label = pair.Score, First = [(float)Cosine(words.Vector(pair.First), words.Vector(pair.Second)), 1], Second = [1, 0],
        }));
        // The cosine of TF-IDF as the first number; that of the two vectors grows with it.
        var baseline = mlContext.SelfSupervised().EvaluateSimilarity(labels, nameof(ScoredPair.First), nameof(ScoredPair.Second)).SpearmanCorrelation;
        results.Add("STS-B, TF-IDF", baseline, "Spearman");
        foreach (var (name, encoder, seconds) in Train(mlContext, sentences, budget, withPermutation: false))
        {
            using (encoder)
            {
                float[][] Embed(IEnumerable<string> texts) => [.. Embeddings(mlContext, encoder, [.. texts])];
                float[][] first = Embed(test.Select(pair => pair.First)), second = Embed(test.Select(pair => pair.Second));
                var rows = mlContext.Data.LoadFromEnumerable(test.Select((pair, i) => new ScoredPair { Label = pair.Score, First = first[i], Second = second[i] }),
                    Sized(encoder.EmbeddingDimension));
                Report(results, $"STS-B, {name}", mlContext.SelfSupervised().EvaluateSimilarity(rows, nameof(ScoredPair.First), nameof(ScoredPair.Second)).SpearmanCorrelation,
                    "Spearman", seconds);
            }
        }
    }

    private static void FewLabels(MLContext mlContext, BenchResults results, string set, int[] counts, double budget)
    {
        LabeledText[] training = BenchText.Labeled(set, "train"), test = BenchText.Labeled(set, "test");
        string[] classes = [.. training.Select(row => row.Label).Distinct().Order(StringComparer.Ordinal)];
        int[] Of(LabeledText[] rows) => [.. rows.Select(row => Array.IndexOf(classes, row.Label))];
        int[] labels = Of(training), truth = Of(test);
        foreach (var (name, encoder, seconds) in Train(mlContext, [.. training.Select(row => row.Text)], budget, withPermutation: set == "ag-news"))
        {
            using (encoder)
            {
                float[][] embedded = [.. Embeddings(mlContext, encoder, [.. training.Select(row => row.Text)])];
                float[][] held = [.. Embeddings(mlContext, encoder, [.. test.Select(row => row.Text)])];
                foreach (var count in counts)
                {
                    var accuracy = Enumerable.Range(0, 3).Average(draw =>
                    {
                        int[] order = [.. Enumerable.Range(0, training.Length)];
                        new Random(draw).Shuffle(order);
                        int[] rows = [.. order.GroupBy(row => labels[row]).OrderBy(group => group.Key).SelectMany(group => group.Take(count))];
                        return LinearProbe.Accuracy([.. rows.Select(row => embedded[row])], [.. rows.Select(row => labels[row])], held, truth, classes.Length, draw);
                    });
                    Report(results, $"{set}, {count} labels a class, {name}", accuracy, "%", seconds);
                }
            }
        }
    }

    private static void Report(BenchResults results, string name, double value, string unit, double seconds)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: {value:0.000} {unit} after {seconds:0} s of the processor"));
        results.Add(name, value, unit);
    }

    // The untrained network, then each method for as many whole epochs as the time of its first one says.
    private static IEnumerable<(string Name, EncoderTransformer Encoder, double Seconds)> Train(MLContext mlContext, string[] texts, double budget, bool withPermutation)
    {
        var data = mlContext.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }).ToArray());
        var text = mlContext.SelfSupervised().Text;
        yield return ("untrained", Methods[0].Create(text, 0).Fit(data), 0);
        foreach (var (name, create) in Methods.Where(method => withPermutation || method.Name != "SentencePermutation"))
        {
            double Seconds(int epochs, out EncoderTransformer encoder)
            {
                var before = Process.GetCurrentProcess().TotalProcessorTime;
                encoder = create(text, epochs).Fit(data);
                return (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
            }
            double none = Seconds(0, out var untrained), one = Seconds(1, out var trial) - none;
            untrained.Dispose();
            trial.Dispose();
            var seconds = Seconds(Math.Max(1, (int)(budget / one)), out var encoder) - none;
            yield return (name, encoder, seconds);
        }
    }

    private static IEnumerable<float[]> Embeddings(MLContext mlContext, EncoderTransformer encoder, string[] texts)
        => encoder.Transform(mlContext.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }))).GetColumn<float[]>(encoder.OutputColumnName);

    private static double Cosine(Dictionary<int, float> first, Dictionary<int, float> second)
        => first.Sum(word => word.Value * (double)second.GetValueOrDefault(word.Key));

    private static SchemaDefinition Sized(int dimension)
    {
        var schema = SchemaDefinition.Create(typeof(ScoredPair));
        foreach (var column in (string[])[nameof(ScoredPair.First), nameof(ScoredPair.Second)])
            schema[column].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimension);
        return schema;
    }

    private sealed class ScoredPair
    {
        public float Label { get; set; }

        [VectorType(2)]
        public float[] First { get; set; } = [];

        [VectorType(2)]
        public float[] Second { get; set; } = [];
    }
}
