using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Evaluation;

/// <summary>Compares what few labels give with and without pretraining.</summary>
internal sealed class LabelEfficiencyComparison
{
    private const string Probed = "SslProbe.Features";

    private readonly MLContext _mlContext;
    private readonly EncoderTransformer _encoder;
    private readonly LabelEfficiencyOptions _options;
    private readonly string _label;
    private readonly long _seed;
    private readonly IDataView _data;
    private readonly IDataView _test;
    private readonly Dictionary<uint, int[]> _pool;      // rows of each class that may be drawn
    private readonly string[] _classes;

    private LabelEfficiencyComparison(MLContext mlContext, IDataView data, EncoderTransformer encoder, LabelEfficiencyOptions options)
    {
        (_mlContext, _data, _encoder, _options, _label) = (mlContext, data, encoder, options, options.LabelColumnName);
        _seed = options.Seed ?? HostSeed.Register(mlContext, nameof(LabelEfficiencyComparison), out _);
        Check(data.Schema);
        _classes = KeyValues.Texts(data.Schema[_label]);
        var labels = Labels(data);
        _pool = labels.Select((label, row) => (Label: label, Row: row)).Where(p => p.Label != 0).GroupBy(p => p.Label)
            .ToDictionary(group => group.Key, group => group.Select(p => p.Row).ToArray());
        if (_pool.Count < 2)
        {
            throw new InvalidOperationException($"Column '{_label}' has {(_pool.Count == 0 ? "no labels" : "one class only")}: there is "
                + "nothing to tell apart. Give rows of at least two classes.");
        }

        if (options.TestData is { } test)
        {
            Check(test.Schema);
            (_test, NumberOfTestRows) = (test, Labels(test).Count(label => label != 0));
            if (NumberOfTestRows == 0)
                throw new InvalidOperationException($"TestData has no row with a label in column '{_label}'.");
        }
        else
        {
            (_test, NumberOfTestRows) = KeepOut();
        }
    }

    private int NumberOfTestRows { get; }

    /// <summary>Runs the comparison.</summary>
    public static LabelEfficiencyReport Run(MLContext mlContext, IDataView data, EncoderTransformer encoder, LabelEfficiencyOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(options);
        encoder.Model.Lifetime.ThrowIfClosed();
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        return new LabelEfficiencyComparison(mlContext, data, encoder, options).Compare();
    }

    private LabelEfficiencyReport Compare()
    {
        var budgets = Budgets();
        LabelEfficiencyApproach[] approaches = [.. _options.Approaches.Distinct().Order()];
        var (done, total, clock) = (0, budgets.Count * _options.NumberOfDraws * approaches.Length, Stopwatch.StartNew());
        var results = new List<LabelEfficiencyResult>();
        // Embedded once: every draw reads the same embeddings.
        var embed = new EmbeddingEstimator(_mlContext, _encoder, Probed, null);
        using var embedding = embed.Fit(_data);
        var (embedded, embeddedTest) = (Cached(embedding, _data), Cached(embedding, _test));
        foreach (var (name, perClass) in budgets)
        {
            var accuracies = approaches.ToDictionary(approach => approach, _ => new List<double>());
            var count = 0;
            for (var draw = 0; draw < _options.NumberOfDraws; draw++)
            {
                var rows = Draw(draw, perClass);
                count = rows.Length;
                foreach (var approach in approaches)
                {
                    if (_options.CancellationToken.IsCancellationRequested)
                        return new LabelEfficiencyReport(results, NumberOfTestRows, isComplete: false);
                    double accuracy;
                    try
                    {
                        accuracy = Measure(approach, rows, draw, embedded, embeddedTest);
                    }
                    catch (OperationCanceledException) when (_options.CancellationToken.IsCancellationRequested)
                    {
                        return new LabelEfficiencyReport(results, NumberOfTestRows, isComplete: false);
                    }
                    if (_options.CancellationToken.IsCancellationRequested)
                        return new LabelEfficiencyReport(results, NumberOfTestRows, isComplete: false);
                    accuracies[approach].Add(accuracy);
                    _options.Progress?.Report(new(++done, total, approach, name, accuracy, clock.Elapsed));
                }
            }

            results.AddRange(approaches.Select(approach => new LabelEfficiencyResult(name, count, approach, accuracies[approach])));
        }

        return new LabelEfficiencyReport(results, NumberOfTestRows, isComplete: true);
    }

    private double Measure(LabelEfficiencyApproach approach, int[] rows, int draw, IDataView embedded, IDataView embeddedTest)
    {
        switch (approach)
        {
            case LabelEfficiencyApproach.Baseline when _options.Baseline is { } pipeline:
                var model = pipeline.Fit(new ChosenRowsView(_data, rows));
                return Accuracy(model.Transform(_test));
            case LabelEfficiencyApproach.Baseline:
                return StockBaseline.Classify(_mlContext, new ChosenRowsView(_data, rows), _test, _label, _encoder.Model);
            case LabelEfficiencyApproach.Probe:
                // Needs no labels: all rows that may be drawn say how the embedding is scaled.
                var normalizer = _mlContext.Transforms.NormalizeMeanVariance(Probed, fixZero: false)
                    .Fit(new ChosenRowsView(embedded, _pool.Values.SelectMany(pool => pool)));
                return StockBaseline.Classify(_mlContext, normalizer.Transform(new ChosenRowsView(embedded, rows)),
                    normalizer.Transform(embeddedTest), _label, Probed);
            case LabelEfficiencyApproach.FineTune:
                return FineTune(_encoder, rows, draw);
            default:
                using (var streams = new RandomStreams(_seed + draw))
                using (var network = _encoder.Model.CreateUntrained(streams))
                using (var untrained = new EncoderTransformer(_mlContext,
                    _encoder.Model.WithWeightsOf(network, TorchDevice.Choose(_mlContext.GpuDeviceId, _mlContext.FallbackToCpu),
                        new JsonObject())))
                {
                    return FineTune(untrained, rows, draw);
                }
        }
    }

    private double FineTune(EncoderTransformer encoder, int[] rows, int draw)
    {
        var options = (MulticlassFineTuningTrainer.Options)_options.FineTuning.Snapshot();
        options.Encoder = encoder;
        options.LabelColumnName = _label;
        options.Seed = (int)((_seed + draw) & int.MaxValue);
        options.CancellationToken = _options.CancellationToken;
        using var model = new MulticlassFineTuningTrainer(_mlContext, options).Fit(new ChosenRowsView(_data, rows));
        return Accuracy(model.Transform(_test));
    }

    private double Accuracy(IDataView scored) => _mlContext.MulticlassClassification.Evaluate(scored, _label).MicroAccuracy;

    private IDataView Cached(ITransformer embedding, IDataView data) => _mlContext.Data.Cache(embedding.Transform(data), _label, Probed);

    private void Check(DataViewSchema schema)
    {
        LabelValues.CheckColumn(PredictionKind.MulticlassClassification, _label, ColumnShape.Find(schema, _label, "label"));
        foreach (var name in _encoder.InputColumnNames)
            _encoder.Model.Format.CheckColumn(name, ColumnShape.Find(schema, name));
    }

    private static string Percent(double fraction) => (fraction * 100).ToString("0.###", CultureInfo.InvariantCulture) + " %";

    // From few labels to many: how many to take of a class that has so many.
    private List<(string Name, Func<int, int> PerClass)> Budgets()
    {
        var budgets = new List<(string Name, Func<int, int> PerClass)>();
        foreach (var count in _options.LabelsPerClass.Distinct())
            budgets.Add(($"{count} a class", rows => Math.Min(count, rows)));
        foreach (var fraction in _options.LabelFractions.Distinct())
        {
            foreach (var (label, rows) in _pool)
            {
                if (Math.Round(fraction * rows.Length) < 1)
                {
                    throw new ArgumentOutOfRangeException(nameof(LabelEfficiencyOptions.LabelFractions),
                        $"LabelFractions has {Percent(fraction)}, which leaves no label of class '{_classes[label - 1]}' with its {rows.Length} rows. "
                        + "Raise it, or use LabelsPerClass.");
                }
            }

            budgets.Add((Percent(fraction), rows => (int)Math.Round(fraction * rows)));
        }

        return [.. budgets.OrderBy(budget => _pool.Values.Sum(rows => budget.PerClass(rows.Length)))];
    }

    // The same order for every budget of a draw: fewer labels are among the more.
    private int[] Draw(int draw, Func<int, int> perClass)
    {
        var random = new ShuffleRandom((ulong)(_seed + draw));
        var chosen = new List<int>();
        foreach (var (_, rows) in _pool.OrderBy(group => group.Key))
        {
            var members = (int[])rows.Clone();
            random.Shuffle(members);
            chosen.AddRange(members.Take(perClass(members.Length)));
        }

        return [.. chosen];
    }

    private (IDataView Test, int Count) KeepOut()
    {
        var random = new ShuffleRandom((ulong)_seed);
        var kept = new List<int>();
        foreach (var label in _pool.Keys.Order().ToArray())
        {
            var members = (int[])_pool[label].Clone();
            random.Shuffle(members);
            var count = Math.Min((int)Math.Round(_options.TestFraction * members.Length), members.Length - 1);
            kept.AddRange(members.Take(count));
            _pool[label] = [.. members.Skip(count).Order()];
        }

        if (kept.Count == 0)
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"TestFraction {_options.TestFraction} leaves no row of any class to test on. Raise it, give more rows, or give TestData."));
        }

        return (new ChosenRowsView(_data, kept), kept.Count);
    }

    private uint[] Labels(IDataView data) => [.. data.GetColumn<uint>(data.Schema[_label])];
}
