using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.LightGbm;

namespace Ssl.Bench;

/// <summary>What ML.NET's own trainers make of few labels, their settings chosen by log-loss in five folds of the labeled rows.</summary>
internal static class StockTrainers
{
    private const int Folds = 5;

    private static readonly (float L1, float L2)[] s_penalties = [(0, 10), (0, 1), (0, 0.1f), (0, 0.01f), (1, 1), (0.1f, 0.1f), (0.1f, 0.01f)];

    private static readonly (int Leaves, int Rows, int Rounds, double Rate)[] s_trees =
        [(31, 2, 40, 0.1), (31, 5, 40, 0.1), (31, 20, 100, 0.1), (8, 5, 100, 0.1), (31, 10, 200, 0.05)];

    /// <summary>Makes keys of the texts in "Label", in the order of the classes; what is none of them has no key.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="classes">The classes.</param>
    public static IEstimator<ITransformer> Keys(MLContext mlContext, IEnumerable<string> classes) => mlContext.Transforms.Conversion.MapValueToKey("Label",
        keyData: mlContext.Data.LoadFromEnumerable(classes.Select(label => new KeyRow { Label = label })));

    /// <summary>Accuracy in % of LbfgsMaximumEntropy.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="training">The labeled rows, with keys in "Label".</param>
    /// <param name="test">The rows that judge.</param>
    /// <param name="truth">Their classes, from 0.</param>
    /// <param name="features">The column of vectors.</param>
    public static double Lbfgs(MLContext mlContext, IDataView training, IDataView test, int[] truth, string features)
        => Tuned(mlContext, training, test, truth, s_penalties, penalty => mlContext.MulticlassClassification.Trainers
            .LbfgsMaximumEntropy("Label", features, l1Regularization: penalty.L1, l2Regularization: penalty.L2));

    /// <summary>Accuracy in % of LightGbm; the parameters are those of <see cref="Lbfgs"/>.</summary>
    public static double LightGbm(MLContext mlContext, IDataView training, IDataView test, int[] truth, string features)
        => Tuned(mlContext, training, test, truth, s_trees, tree => mlContext.MulticlassClassification.Trainers.LightGbm(new LightGbmMulticlassTrainer.Options
        {
            FeatureColumnName = features, UseSoftmax = true, NumberOfLeaves = tree.Leaves, MinimumExampleCountPerLeaf = tree.Rows,
            NumberOfIterations = tree.Rounds, LearningRate = tree.Rate,
        }));

    /// <summary>The share of rows in % whose predicted key is their class.</summary>
    /// <param name="predicted">With keys in "PredictedLabel".</param>
    /// <param name="truth">The classes, from 0.</param>
    public static double Accuracy(IDataView predicted, int[] truth)
        => 100.0 * predicted.GetColumn<uint>("PredictedLabel").Zip(truth).Count(pair => pair.First == pair.Second + 1) / truth.Length;

    /// <summary>The mean log-loss of folds; one that is not finite counts 100.</summary>
    public static double LogLoss(IReadOnlyList<TrainCatalogBase.CrossValidationResult<MulticlassClassificationMetrics>> folds)
        => folds.Average(fold => double.IsFinite(fold.Metrics.LogLoss) ? fold.Metrics.LogLoss : 100);

    private static double Tuned<T>(MLContext mlContext, IDataView training, IDataView test, int[] truth, T[] choices,
        Func<T, IEstimator<ITransformer>> trainer)
    {
        var cached = mlContext.Data.Cache(training);
        var best = choices.MinBy(choice =>
        {
            try
            {
                return LogLoss(mlContext.MulticlassClassification.CrossValidate(cached, trainer(choice), Folds, "Label", seed: 0));
            }
            catch (InvalidOperationException)
            {
                return double.MaxValue;       // a fold of one class alone
            }
        })!;
        return Accuracy(trainer(best).Fit(cached).Transform(test), truth);
    }

    private sealed class KeyRow
    {
        public string Label { get; set; } = "";
    }
}
