using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
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
    private readonly uint[] _labels;
    private readonly IDataView _test;
    private readonly IDataView? _embedded;               // the rows of the data with their embedding, where it is there already
    private readonly int[] _keptOut;                     // rows that are tested on, where they are some of the data
    private readonly Dictionary<uint, int[]> _pool;      // rows of each class that may be drawn

    private LabelEfficiencyComparison(MLContext mlContext, IDataView data, EncoderTransformer encoder, LabelEfficiencyOptions options, IDataView? embedded)
    {
        (_mlContext, _data, _encoder, _options, _label, _embedded) = (mlContext, data, encoder, options, options.LabelColumnName, embedded);
        _seed = options.Seed ?? HostSeed.Register(mlContext, nameof(LabelEfficiencyComparison), out _);
        Check(data.Schema);
        _labels = Labels(data);
        _pool = _labels.Select((label, row) => (Label: label, Row: row)).Where(p => p.Label != 0).GroupBy(p => p.Label)
            .ToDictionary(group => group.Key, group => group.Select(p => p.Row).ToArray());
        if (_pool.Count < 2)
        {
            throw new InvalidOperationException($"Column '{_label}' has {(_pool.Count == 0 ? "no labels" : "one class only")}: there is "
                + "nothing to tell apart. Give rows of at least two classes.");
        }

        if (options.TestData is { } test)
        {
            Check(test.Schema);
            CheckKeys(data.Schema[_label], test.Schema[_label]);
            (_test, _keptOut) = (test, []);
        }
        else
        {
            _keptOut = KeepOut();
            _test = new ChosenRowsView(_data, _keptOut);
        }
    }

    /// <summary>Runs the comparison.</summary>
    /// <param name="mlContext">Runs stock trainers, and has the seed where none is set.</param>
    /// <param name="data">The rows.</param>
    /// <param name="encoder">What is compared.</param>
    /// <param name="options">The settings.</param>
    /// <param name="embedded">The same rows as the encoder gave them; null embeds them here.</param>
    public static LabelEfficiencyReport Run(MLContext mlContext, IDataView data, EncoderTransformer encoder, LabelEfficiencyOptions options, IDataView? embedded = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(options);
        encoder.Model.Lifetime.ThrowIfClosed();
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        return new LabelEfficiencyComparison(mlContext, data, encoder, options, embedded).Compare();
    }

    private LabelEfficiencyReport Compare()
    {
        var budgets = Budgets().Select(budget => (budget.Name, Draws: Enumerable.Range(0, _options.NumberOfDraws)
            .Select(draw => Draw(draw, budget.PerClass)).ToArray())).ToArray();
        var testLabels = Labels(_test);
        var tested = testLabels.Count(label => label != 0);
        if (tested == 0)
            throw new InvalidOperationException($"TestData has no row with a label in column '{_label}'.");
        var rows = new LabeledRows(_data, _labels, _keptOut, [.. budgets.SelectMany(budget => budget.Draws).SelectMany(draw => draw).Distinct().Order()],
            _test, testLabels);
        using var embedding = new EmbeddingEstimator(_mlContext, _encoder, Probed, null).Fit(_data);
        var contestants = Contestants(rows, embedding);
        var (done, clock) = (0, Stopwatch.StartNew());
        var results = new List<LabelEfficiencyResult>();
        try
        {
            foreach (var (name, draws) in budgets)
            {
                var outcomes = contestants.Select(_ => new List<DrawOutcome[]>()).ToArray();
                for (var draw = 0; draw < draws.Length; draw++)
                {
                    foreach (var (i, (approach, measure)) in contestants.Index())
                    {
                        DrawOutcome[] found = [.. measure(draws[draw], draw)];
                        _options.CancellationToken.ThrowIfCancellationRequested();
                        outcomes[i].Add(found);
                        _options.Progress?.Report(new(++done, budgets.Length * _options.NumberOfDraws * contestants.Count, approach, name,
                            found[0].Accuracy, clock.Elapsed));
                        _options.CancellationToken.ThrowIfCancellationRequested();
                    }
                }

                foreach (var (contestant, all) in contestants.Zip(outcomes))
                    results.AddRange(Enumerable.Range(0, all[0].Length).Select(i => new LabelEfficiencyResult(name, contestant.Approach, draws,
                        [.. all.Select(draw => draw[i])])));
            }
        }
        catch (OperationCanceledException) when (_options.CancellationToken.IsCancellationRequested)
        {
            return new LabelEfficiencyReport(results, _keptOut, tested, isComplete: false);
        }

        return new LabelEfficiencyReport(results, _keptOut, tested, isComplete: true);
    }

    // Each gives, for the numbers of labeled rows and of the draw, what it found; where several, the one that counts comes first.
    private List<(LabelEfficiencyApproach Approach, Func<int[], int, IEnumerable<DrawOutcome>> Measure)> Contestants(LabeledRows rows,
        ITransformer embedding)
    {
        var all = new List<(LabelEfficiencyApproach, Func<int[], int, IEnumerable<DrawOutcome>>)>();
        foreach (var approach in _options.Approaches.Distinct().Order())
        {
            var name = LabelEfficiencyReport.Name(approach);
            switch (approach)
            {
                case LabelEfficiencyApproach.Baseline:
                    if (_options.Baseline is { } own)
                    {
                        Add(Pipeline(name, own));
                    }
                    else
                    {
                        var plain = new Lazy<StockRows>(() => StockRows.OfColumns(rows, _encoder.Model, _options.CancellationToken));
                        Add((drawn, draw) => plain.Value.Best(name, drawn, _seed + draw, _options.CancellationToken));
                    }
                    foreach (var (given, further) in _options.FurtherBaselines)
                        Add(Pipeline(given, further));
                    break;
                case LabelEfficiencyApproach.Probe:
                    // Embedded once: every draw reads the same embeddings, and rows that are kept out are some of the data.
                    var embedded = new Lazy<StockRows>(() =>
                    {
                        var (all, column) = _embedded is { } given ? (given, _encoder.OutputColumnName) : (_mlContext.Data.Cache(embedding.Transform(_data), Probed), Probed);
                        var test = _keptOut.Length > 0 ? new ChosenRowsView(all, _keptOut) : embedding.Transform(_test);
                        return StockRows.OfVectors(rows, all, test, column);
                    });
                    Add((drawn, draw) => embedded.Value.Linear(name, drawn, _seed + draw, _options.CancellationToken));
                    break;
                case LabelEfficiencyApproach.FineTune:
                    Add((drawn, draw) => [new DrawOutcome(name, FineTune(_encoder, drawn, draw))]);
                    break;
                default:
                    Add((drawn, draw) => [new DrawOutcome(name, FromScratch(drawn, draw))]);
                    break;
            }

            void Add(Func<int[], int, IEnumerable<DrawOutcome>> measure) => all.Add((approach, measure));
        }

        return all;

        Func<int[], int, IEnumerable<DrawOutcome>> Pipeline(string name, IEstimator<ITransformer> pipeline)
            => (drawn, _) => [new DrawOutcome(name, Accuracy(pipeline.Fit(new ChosenRowsView(_data, drawn)).Transform(_test)))];
    }

    private double FromScratch(int[] rows, int draw)
    {
        using var untrained = _encoder.Untrained(_mlContext, _seed + draw);
        return FineTune(untrained, rows, draw);
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

    private void Check(DataViewSchema schema)
    {
        LabelValues.CheckColumn(PredictionKind.MulticlassClassification, _label, ColumnShape.Find(schema, _label, "label"));
        foreach (var name in _encoder.InputColumnNames)
            _encoder.Model.Format.CheckColumn(name, ColumnShape.Find(schema, name));
    }

    private void CheckKeys(DataViewSchema.Column data, DataViewSchema.Column test)
    {
        if (!KeyValues.Texts(data).SequenceEqual(KeyValues.Texts(test)))
        {
            throw new ArgumentOutOfRangeException(nameof(LabelEfficiencyOptions.TestData), $"The keys of column '{_label}' stand for other values in "
                + "TestData than in the data. Map the labels of both with one fitted MapValueToKey.");
        }
    }

    // From few labels to many: how many to take of a class that has so many.
    private List<(string Name, Func<int, int> PerClass)> Budgets()
    {
        var budgets = new List<(string Name, Func<int, int> PerClass)>();
        foreach (var count in _options.LabelsPerClass.Distinct())
            budgets.Add(($"{count} a class", rows => Math.Min(count, rows)));
        foreach (var fraction in _options.LabelFractions.Distinct())
        {
            budgets.Add(((fraction * 100).ToString("0.###", CultureInfo.InvariantCulture) + " %",
                rows => Math.Max(1, (int)Math.Round(fraction * rows))));
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

    // Takes them out of the pool.
    private int[] KeepOut()
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

        return [.. kept.Order()];
    }

    private uint[] Labels(IDataView data) => [.. data.GetColumn<uint>(data.Schema[_label])];
}
