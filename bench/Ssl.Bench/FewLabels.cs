using Microsoft.ML;
using Microsoft.ML.Data;
using Quickstart;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>A text and its class.</summary>
public sealed class LabeledText
{
    /// <summary>The class.</summary>
    public string Label { get; set; } = "";

    /// <summary>The text.</summary>
    public string Text { get; set; } = "";
}

/// <summary>Accuracy from few labels: a fine-tuned encoder, the same network from scratch, and TF-IDF with a stock trainer.</summary>
/// <param name="mlContext">The context.</param>
/// <param name="training">Labels are drawn from these texts.</param>
/// <param name="test">Held out.</param>
/// <param name="tfidf">Word counts of all training texts, whether they have a label or not.</param>
public sealed class FewLabels(MLContext mlContext, LabeledText[] training, LabeledText[] test, TfIdf tfidf)
{
    // The references are given the best of these on the test texts; ours is the same everywhere.
    private static readonly float[] L2Choices = [0.3f, 0.1f, 0.03f];
    private static readonly double[] ScratchRates = [1e-3, 4e-3];
    private const double LearningRate = 5e-4;
    private const int Epochs = 10;

    /// <summary>What our side does, in words.</summary>
    public static string Recipe
        => $"fine-tuning: head from class means, all weights, {Epochs} epochs, learning rate {LearningRate:0.0000}, batch 32";

    /// <summary>What the references do, in words.</summary>
    public static string References => "scratch: the same network untrained, random head, 2 x the epochs, the better of learning rates "
        + $"{ScratchRates[0]} and {ScratchRates[1]} on the test texts; TF-IDF: every word, LbfgsMaximumEntropy, the best of L2 "
        + $"{string.Join(", ", L2Choices)} on the test texts";

    /// <summary>Adds mean and deviation over draws of so many labels a class, for all three.</summary>
    public void Measure(BenchResults results, string prefix, EncoderTransformer pretrained, EncoderTransformer untrained, int labels,
        int draws)
    {
        var drawn = Enumerable.Range(0, draws).Select(seed => Draw(labels, seed)).ToArray();
        var tuned = drawn.Select((rows, seed) => Tune(pretrained, rows, LearningRate, Epochs, HeadInitialization.ClassMeans, seed))
            .ToArray();
        var scratch = ScratchRates.Select(rate => drawn
            .Select((rows, seed) => Tune(untrained, rows, rate, 2 * Epochs, HeadInitialization.Random, seed)).ToArray())
                .MaxBy(a => a.Average())!;
        var words = L2Choices.Select(l2 => drawn.Select(rows => Words(rows, l2)).ToArray()).MaxBy(a => a.Average())!;
        Console.WriteLine($"  {prefix}{labels} labels, {draws} draws: fine-tuned {tuned.Average():0.000}, scratch {scratch.Average():0.000}, TF-IDF {words.Average():0.000}");
        results.Add($"{prefix}{labels} labels: fine-tuned, over scratch", tuned.Average(), "share", scratch.Average());
        results.Add($"{prefix}{labels} labels: fine-tuned, over TF-IDF", tuned.Average(), "share", words.Average());
        if (draws > 1)
            results.Add($"{prefix}{labels} labels: deviation of the draws", Deviation(tuned), "share", Deviation(words));
    }

    private LabeledText[] Draw(int labels, int seed)
    {
        var random = new Random(seed);
        return [.. training.GroupBy(row => row.Label).OrderBy(group => group.Key, StringComparer.Ordinal).SelectMany(group =>
        {
            var members = group.ToArray();
            random.Shuffle(members);
            return members.Take(labels);
        })];
    }

    private double Tune(EncoderTransformer encoder, LabeledText[] rows, double rate, int epochs, HeadInitialization head, int seed)
    {
        using var model = mlContext.Transforms.Conversion.MapValueToKey("LabelKey", "Label")
            .Append(mlContext.SelfSupervised().FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options
            {
                Encoder = encoder,
                LabelColumnName = "LabelKey",
                LearningRate = rate,
                NumberOfEpochs = epochs,
                HeadInitialization = head,
                Seed = seed,
            })).Fit(View(rows));
        return mlContext.MulticlassClassification.Evaluate(model.Transform(View(test)), "LabelKey").MicroAccuracy;
    }

    private double Words(LabeledText[] rows, float l2)
    {
        var model = mlContext.Transforms.Conversion.MapValueToKey("LabelKey", "Label").Append(mlContext.MulticlassClassification.Trainers
            .LbfgsMaximumEntropy("LabelKey", "Features", l1Regularization: 0, l2Regularization: l2)).Fit(Weigh(rows));
        return mlContext.MulticlassClassification.Evaluate(model.Transform(Weigh(test)), "LabelKey").MicroAccuracy;
    }

    private IDataView View(LabeledText[] rows) => mlContext.Data.LoadFromEnumerable(rows);

    private IDataView Weigh(LabeledText[] rows)
    {
        var schema = SchemaDefinition.Create(typeof(WeighedText));
        schema[nameof(WeighedText.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, tfidf.Size);
        return mlContext.Data.LoadFromEnumerable(rows.Select(row =>
        {
            var words = tfidf.Vector(row.Text).OrderBy(word => word.Key).ToArray();
            return new WeighedText
            {
                Label = row.Label,
                Features = new VBuffer<float>(tfidf.Size, words.Length, [.. words.Select(word => word.Value)],
                    [.. words.Select(word => word.Key)]),
            };
        }).ToArray(), schema);
    }

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return values.Length < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
    }

    private sealed class WeighedText
    {
        public string Label { get; set; } = "";

        public VBuffer<float> Features { get; set; }
    }
}
