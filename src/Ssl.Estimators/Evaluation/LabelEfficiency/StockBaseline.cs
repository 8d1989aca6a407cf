using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Evaluation;

/// <summary>What a user without pretraining would do with ML.NET alone.</summary>
internal static class StockBaseline
{
    private const string Features = "SslBaseline.Features", Texts = "SslBaseline.Texts", Numbers = "SslBaseline.Numbers";

    // The strength of the L2 penalty that suits features depends on their scale, so each side gets its own choice, made on the labeled
    // rows.
    private static readonly float[] s_penalties = [1, 0.1f, 0.01f];

    /// <summary>Accuracy of a maximum entropy classifier on a column of vectors.</summary>
    /// <param name="mlContext">Makes the stages.</param>
    /// <param name="training">Labeled rows.</param>
    /// <param name="test">Rows to test on.</param>
    /// <param name="label">Column of keys.</param>
    /// <param name="features">Column of vectors.</param>
    public static double Classify(MLContext mlContext, IDataView training, IDataView test, string label, string features)
    {
        double Accuracy(IDataView rows, IDataView tested, float penalty)
        {
            var model = mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(label, features, l1Regularization: 0,
                l2Regularization: penalty).Fit(rows);
            return mlContext.MulticlassClassification.Evaluate(model.Transform(tested), label).MicroAccuracy;
        }

        var cached = mlContext.Data.Cache(training, label, features);
        var count = cached.GetColumn<uint>(cached.Schema[label]).Count();
        var best = s_penalties[1];
        if (count >= 10)
        {
            // Every third row judges.
            var judges = Enumerable.Range(0, count).Where(row => row % 3 == 2).ToHashSet();
            var learned = new ChosenRowsView(cached, Enumerable.Range(0, count).Where(row => !judges.Contains(row)));
            best = s_penalties.MaxBy(penalty => Accuracy(learned, new ChosenRowsView(cached, judges), penalty));
        }

        return Accuracy(cached, test, best);
    }

    /// <summary>Accuracy of the same classifier on plain features of an encoder's input columns.</summary>
    /// <exception cref="InvalidOperationException">A column is of a kind that has no plain features.</exception>
    public static double Classify(MLContext mlContext, IDataView training, IDataView test, string label, EncoderModel encoder)
    {
        var columns = encoder.InputColumns.Distinct().Select(name => (Name: name, Kind: TableColumnKinds.Of(ColumnShape.Find(training.Schema, name))))
            .ToArray();
        var parts = new List<string>();
        string[] texts = [.. columns.Where(c => c.Kind == TableColumnKind.Text).Select(c => c.Name)];
        if (texts.Length > 0)
        {
            var words = new WordWeights(training, texts);
            (training, test) = (words.AddTo(training, Texts), words.AddTo(test, Texts));
            parts.Add(Texts);
        }

        var chain = new EstimatorChain<ITransformer>();
        string[] numbers = [.. columns.Where(c => c.Kind is { } kind && !TableColumnKinds.IsText(kind)).Select(c => c.Name)];
        if (numbers.Length > 0)
        {
            InputOutputColumnPair[] pairs = [.. numbers.Select((name, i) => new InputOutputColumnPair($"{Numbers}{i}", name))];
            InputOutputColumnPair[] converted = [.. pairs.Select(pair => new InputOutputColumnPair(pair.OutputColumnName))];
            // In Double until they are scaled: dates and identifiers are all the same in Single.
            chain = chain.Append<ITransformer>(mlContext.Transforms.Conversion.ConvertType(pairs, DataKind.Double))
                .Append<ITransformer>(mlContext.Transforms.ReplaceMissingValues(converted,
                    Microsoft.ML.Transforms.MissingValueReplacingEstimator.ReplacementMode.Mean))
                .Append<ITransformer>(mlContext.Transforms.Concatenate(Numbers, [.. converted.Select(pair => pair.OutputColumnName)]))
                .Append<ITransformer>(mlContext.Transforms.NormalizeMeanVariance(Numbers, fixZero: false))
                .Append<ITransformer>(mlContext.Transforms.Conversion.ConvertType(Numbers, outputKind: DataKind.Single));
            parts.Add(Numbers);
        }

        foreach (var (name, _) in columns.Where(c => c.Kind == TableColumnKind.Key))
        {
            chain = chain.Append<ITransformer>(mlContext.Transforms.Conversion.MapKeyToVector($"{Features}.{name}", name));
            parts.Add($"{Features}.{name}");
        }

        if (parts.Count == 0)
        {
            throw new InvalidOperationException($"An encoder of modality '{encoder.Modality}' has no plain features to compare with. Set Baseline to "
                + "a pipeline of your own, or leave it out of Approaches.");
        }

        var model = chain.Append<ITransformer>(mlContext.Transforms.Concatenate(Features, [.. parts])).Fit(training);
        return Classify(mlContext, model.Transform(training), model.Transform(test), label, Features);
    }
}
