using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Learns to predict from few labeled rows and many unlabeled ones, on a column of features such as an embedding: what helps is found by
/// cross-validation on the labeled rows, and what does not help is left out.
/// </summary>
/// <remarks>
/// <para>Input and output columns:</para>
/// <list type="table">
/// <item><term>Features</term><description>a known-size vector of <see cref="float"/>, such as the output of a pretraining stage.</description>
/// </item>
/// <item><term>Label</term><description>a key of <see cref="uint"/> (several classes), <see cref="bool"/> (two), or <see cref="float"/> (a
/// number); read in Fit only. A row whose label is missing (a key without value, or NaN) is an unlabeled one.</description></item>
/// <item><term>Output</term><description>as <see cref="FewLabelsTransformer"/> says: the columns of ML.NET's own trainers.</description>
/// </item>
/// </list>
/// <para>What is tried, each judged on labeled rows that it has not seen:</para>
/// <list type="bullet">
/// <item>a linear model with an elastic-net penalty, whose strength cross-validation chooses;</item>
/// <item>where the column holds the cells of a table beside their embedding: the same on the cells alone, and LightGBM on them;</item>
/// <item>where the column carries its encoder and the columns that this reads are there, what stands in them plainly: the words of a text, by latent
/// semantic analysis (Deerwester et al., 1990), or the values of a time series, as means of segments (Keogh et al., 2001) and statistics, with a linear model
/// on them, one on both, and of values LightGBM;</item>
/// <item>self-training: a linear model that also learns from what the first says of the unlabeled rows, which count as much as it is
/// sure of them (Lee, "Pseudo-Label", 2013; Xie et al., "Self-training with Noisy Student", arXiv:1911.04252);</item>
/// <item>where the column carries its encoder and the columns that this reads are there: a copy of it, trained so that labeled rows of a class
/// lie together (Tunstall et al., "SetFit", arXiv:2209.11055), with a linear model and self-training on its embedding;</item>
/// <item>the share of each class, or the mean, for whatever the row.</item>
/// </list>
/// <para>Their probabilities are calibrated (Guo et al., arXiv:1706.04599) and averaged with the weights under which the labels of the
/// held-out rows are most likely (Smyth and Wolpert, 1999). <see cref="FewLabelsTransformer.Candidates"/> and the log tell what was tried and
/// what came of it.</para>
/// <para>Characteristics: needs some labels; several passes over vectors held in memory, on the CPU; an adapted copy is
/// trained on the GPU where there is one; saved by <c>mlContext.Model.Save</c>.</para>
/// </remarks>
public sealed class FewLabelsTrainer : IEstimator<FewLabelsTransformer>
{
    // A linear model is always fitted: where rows are read fast, a canceled reading still comes to its end.
    private const int ReadOnMilliseconds = 500;

    private readonly MLContext _mlContext;
    private readonly IHost _host;
    private readonly long _seed;
    private readonly PredictionKind _kind;
    private readonly Options _options;

    internal FewLabelsTrainer(MLContext mlContext, PredictionKind kind, Options options)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        OptionRuleAttribute.Check(options, faults);
        faults.Defined(options.SelfTraining);
        faults.Defined(options.Trees);
        faults.Defined(options.Adaptation);
        faults.Defined(options.PlainFeatures);
        faults.Require(kind != PredictionKind.Regression || options.SelfTraining != Usage.Always, nameof(Options.SelfTraining),
            "must not be Always in a regression: there is no class to be sure of", options.SelfTraining);
        faults.Require(kind != PredictionKind.Regression || options.Adaptation != Usage.Always, nameof(Options.Adaptation),
            "must not be Always in a regression: there are no classes to contrast", options.Adaptation);
        faults.ThrowIfAny();
        (_mlContext, _kind, _options) = (mlContext, kind, options.Snapshot());
        // Drawn once: every Fit of this estimator makes the same folds.
        var drawn = HostSeed.Register(mlContext, nameof(FewLabelsTrainer), out _host);
        _seed = options.Seed ?? drawn;
    }

    /// <summary>When a part of the recipe is used.</summary>
    public enum Usage
    {
        /// <summary>It counts as much as cross-validation on the labeled rows says, which may be nothing.</summary>
        WhenItPays,

        /// <summary>It is used, whatever cross-validation says.</summary>
        Always,

        /// <summary>It is not tried.</summary>
        Never,
    }

    /// <summary>Settings of <see cref="FewLabelsTrainer"/>.</summary>
    public sealed class Options
    {
        /// <summary>Name of the column to predict.</summary>
        /// <value>The default value is "Label".</value>
        [NotEmpty]
        public string LabelColumnName { get; set; } = Defaults.LabelColumnName;

        /// <summary>Name of the column of vectors.</summary>
        /// <value>The default value is "Features".</value>
        [NotEmpty]
        public string FeatureColumnName { get; set; } = Defaults.FeatureColumnName;

        /// <summary>Whether what a first model says of unlabeled rows is learned from. Not in a regression.</summary>
        /// <value>The default value is <see cref="Usage.WhenItPays"/>.</value>
        public Usage SelfTraining { get; set; } = Usage.WhenItPays;

        /// <summary>
        /// Whether boosted trees are grown on the cells of a table: slots that a tabular pretraining stage puts before the embedding. Other
        /// columns have none, and no trees are grown on them but with <see cref="Usage.Always"/>, which takes all slots.
        /// </summary>
        /// <value>The default value is <see cref="Usage.WhenItPays"/>.</value>
        public Usage Trees { get; set; } = Usage.WhenItPays;

        /// <summary>
        /// Whether a copy of the encoder that made the column is trained to tell the labeled rows' classes apart. Where it does not count in the
        /// end, the model does without it. Not in a regression, and but for <see cref="Usage.Always"/> not for tables, whose cells say more.
        /// </summary>
        /// <value>The default value is <see cref="Usage.WhenItPays"/>.</value>
        public Usage Adaptation { get; set; } = Usage.WhenItPays;

        /// <summary>
        /// Whether what the encoder of the column reads also counts as it stands: the words of a text, by latent semantic analysis of their TF-IDF, or the
        /// values of a time series, as means of segments and statistics. A table's cells stand in its column already, and images have nothing of the kind.
        /// </summary>
        /// <value>The default value is <see cref="Usage.WhenItPays"/>.</value>
        public Usage PlainFeatures { get; set; } = Usage.WhenItPays;

        /// <summary>
        /// Parts into which the labeled rows are cut for cross-validation. At least 2. Three at most where the encoder is adapted, which takes
        /// a training for each.
        /// </summary>
        /// <value>The default value is 5.</value>
        [OptionRange(Minimum = 2)]
        public int NumberOfFolds { get; set; } = Defaults.NumberOfFolds;

        /// <summary>
        /// The most unlabeled rows that are learned from, drawn at random. At least 0.
        /// </summary>
        /// <value>The default value is 10,000.</value>
        [OptionRange(Minimum = 0)]
        public int MaximumUnlabeledRows { get; set; } = 10_000;

        /// <summary>
        /// Time from the start of Fit after which nothing more is tried; where reading the vectors takes more than half of it, half of it is left
        /// for the search all the same. The linear model is always fitted. Null means no limit.
        /// </summary>
        /// <value>The default value is 3 minutes.</value>
        [OptionRange(Above = 0)]
        public TimeSpan? MaximumTrainingTime { get; set; } = TimeSpan.FromMinutes(3);

        /// <summary>Seed of the folds; null takes it from the <c>MLContext</c>.</summary>
        public int? Seed { get; set; }

        /// <summary>Told of every candidate when it has been judged; shares are not known yet. Called on the training thread.</summary>
        public IProgress<FewLabelsCandidate>? Progress { get; set; }

        /// <summary>
        /// Ends the training soon; <c>Fit</c> then returns what the candidates so far give. Rows that are not read within half a second are left
        /// out; where too few labels were read to know what is predicted, it throws <see cref="OperationCanceledException"/>.
        /// </summary>
        public CancellationToken CancellationToken { get; set; }

        internal Options Snapshot() => (Options)MemberwiseClone();
    }

    internal static class Defaults
    {
        public const string LabelColumnName = "Label";
        public const string FeatureColumnName = ColumnNames.Features;
        public const int NumberOfFolds = 5;
    }

    /// <summary>Learns from the rows with a label and, where that pays, from those without.</summary>
    /// <param name="input">All rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">No row has a vector and a label, or all labels are the same.</exception>
    public FewLabelsTransformer Fit(IDataView input) => Fit(input, null);

    /// <summary>The same with unlabeled rows of their own: the way for <see cref="bool"/> labels, which are never missing.</summary>
    /// <param name="labeled">Rows with a label; those without one are unlabeled rows.</param>
    /// <param name="unlabeled">Rows without a label; only the column of vectors is read.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">No row has a vector and a label, or all labels are the same.</exception>
    public FewLabelsTransformer Fit(IDataView labeled, IDataView? unlabeled)
    {
        ArgumentNullException.ThrowIfNull(labeled);
        CheckColumns(ColumnShape.Find(labeled.Schema, _options.LabelColumnName, "label"),
            ColumnShape.Find(labeled.Schema, _options.FeatureColumnName, "feature"));
        var (label, features) = (labeled.Schema[_options.LabelColumnName], labeled.Schema[_options.FeatureColumnName]);
        var size = ((VectorDataViewType)features.Type).Size;
        if (unlabeled is not null)
        {
            VectorRows.CheckColumn("feature", _options.FeatureColumnName, ColumnShape.Find(unlabeled.Schema, _options.FeatureColumnName, "feature"));
            var other = ((VectorDataViewType)unlabeled.Schema[_options.FeatureColumnName].Type).Size;
            if (other != size)
            {
                throw Check.SchemaMismatch("feature", _options.FeatureColumnName, $"Vector<Single, {size}>", $"Vector<Single, {other}>",
                    "The unlabeled rows must have the vectors of the labeled ones.");
            }
        }

        using var channel = _host.Start("Fit");
        var clock = Stopwatch.StartNew();
        LibraryNotice.Tell(_mlContext);
        TorchDevice.UseAllCores();
        var random = new Random((int)_seed ^ (int)(_seed >> 32));
        var (vectors, labels, others) = (new List<float[]>(), new List<double>(), new List<float[]>());
        // Which rows these are, counted through both views.
        var (labeledNumbers, otherNumbers) = (new List<int>(), new List<int>());
        var (unusable, seen, number) = (new LeftOutVectors(), 0, 0);
        long? canceled = null;
        var isCut = false;
        Read(labeled, label);
        if (unlabeled is not null)
            Read(unlabeled, null);
        if (labels.Count == 0)
        {
            if (isCut)
                throw Canceled();
            throw new InvalidOperationException("Training set has 0 instances, aborting training. "
                + (number == 0 ? "There are no rows." : $"None of {number} rows has a label and a vector of finite numbers.{unusable.First}"));
        }
        if (unusable.Count > 0)
        {
            channel.Warning(MessageSensitivity.None, "{0} rows are left out: a slot of their vector is not a finite number.{1}", unusable.Count,
                unusable.First);
        }
        channel.Info(MessageSensitivity.None, "few labels: {0:N0} labeled rows, {1:N0} of {2:N0} unlabeled ones, {3:N0} slots", labels.Count,
            others.Count, seen, size);

        var task = TaskOf(label, labels, isCut);
        if (_kind == PredictionKind.Regression)
            task = PredictionTask.OfValues(labels, label.Name);
        // In the order of a draw: the first of them are as good as any.
        int[] drawn = [.. Enumerable.Range(0, others.Count)];
        random.Shuffle(drawn);
        float[][] unlabeledVectors = [.. drawn.Select(i => others[i])];
        var encoder = EncoderAnnotation.Find(features);
        using var scope = NewDisposeScope();
        var rows = Rows(encoder, labeled, unlabeled, [.. labeledNumbers, .. drawn.Select(i => otherNumbers[i])], channel);
        var plain = rows is null || !UsesPlain(encoder) ? null : PlainRows.Learn(encoder!.Format, rows, labels.Count, _seed);
        if (plain is null && _options.PlainFeatures == Usage.Always && !_options.CancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException($"Nothing can be read plainly of columns of the kind '{encoder!.Format.Kind}', or nothing that rows share: texts have words and time series values, a table has its "
                + "cells in the column, and images have nothing of the kind. Do not set PlainFeatures to Always.");
        }
        EncoderAdaptation? adaptation = null;
        if (rows is not null && Adapts(encoder))
        {
            if (others.Count > EncoderAdaptation.MaximumUnlabeledRows)
                rows.KeepOnly([.. Enumerable.Range(0, labels.Count + EncoderAdaptation.MaximumUnlabeledRows)]);
            adaptation = new EncoderAdaptation(encoder!, rows, [.. labels.Select(value => (float)value)], _seed,
                TorchDevice.Choose(_mlContext.GpuDeviceId, _mlContext.FallbackToCpu), text => channel.Info(MessageSensitivity.None, "{0}", text));
        }
        // Making the vectors counts, but leaves half of the time in any case.
        var left = _options.MaximumTrainingTime is { } limit ? TimeSpan.FromTicks(Math.Max((limit - clock.Elapsed).Ticks, (limit / 2).Ticks)) : (TimeSpan?)null;
        if (left is { } time)
            channel.Info(MessageSensitivity.None, "  read in {0:0.0} s, {1:0.0} s are left to search in", clock.Elapsed.TotalSeconds, time.TotalSeconds);
        FewLabelsEncoders? encoders = null;
        try
        {
            using var search = new FewLabelsSearch(task, _options, random, [.. vectors], [.. labels], unlabeledVectors,
                encoder?.Format.InputSlots ?? 0, plain, adaptation, left, candidate =>
            {
                channel.Info(MessageSensitivity.None, "{0}", Describe(candidate));
                _options.Progress?.Report(candidate);
            }, text => channel.Info(MessageSensitivity.None, "{0}", text));
            (var model, encoders) = search.Run(_options.FeatureColumnName);
            channel.Info(MessageSensitivity.None, "shares in the prediction: {0}", string.Join(", ",
                model.Candidates.Select(candidate => FormattableString.Invariant($"{candidate.Name} {candidate.Share:0.00}"))));
            return new FewLabelsTransformer(model, encoders);
        }
        finally
        {
            if (encoders?.Plain is null)
                plain?.Encoder.Model.Dispose();
        }

        void Read(IDataView data, DataViewSchema.Column? labelColumn)
        {
            var column = data.Schema[_options.FeatureColumnName];
            using var cursor = data.GetRowCursor(labelColumn is { } read ? [read, column] : [column]);
            var firstNumber = number;
            Func<double> getLabel = labelColumn is { } given ? LabelValues.Getter(_kind, cursor, given) : () => double.NaN;
            foreach (var vector in VectorRows.Of(cursor, column))
            {
                if (_options.CancellationToken.IsCancellationRequested && Environment.TickCount64 - (canceled ??= Environment.TickCount64) > ReadOnMilliseconds)
                {
                    isCut = true;
                    break;
                }
                var value = getLabel();
                if (!Array.TrueForAll(vector, float.IsFinite))
                {
                    unusable.Add(column.Name, number - firstNumber, vector);
                }
                else if (double.IsNaN(value))
                {
                    KeepSome(vector);
                }
                else
                {
                    vectors.Add((float[])vector.Clone());
                    labels.Add(value);
                    labeledNumbers.Add(number);
                }
                number++;
            }
        }

        // Reservoir sampling (Vitter, 1985): every unlabeled row has the same chance.
        void KeepSome(float[] vector)
        {
            seen++;
            if (others.Count < _options.MaximumUnlabeledRows)
            {
                others.Add((float[])vector.Clone());
                otherNumbers.Add(number);
            }
            else if (random.NextInt64(seen) is var place && place < others.Count)
            {
                (others[(int)place], otherNumbers[(int)place]) = ((float[])vector.Clone(), number);
            }
        }
    }

    /// <summary>All input columns and those of the prediction.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckColumns(ColumnShape.Find(inputSchema, _options.LabelColumnName, "label"),
            ColumnShape.Find(inputSchema, _options.FeatureColumnName, "feature"));
        return PredictionColumns.Append(inputSchema, _kind, _options.LabelColumnName);
    }

    // Of rows whose reading was canceled there may be too few to tell.
    private PredictionTask TaskOf(DataViewSchema.Column label, List<double> labels, bool isCut)
    {
        try
        {
            return LabelValues.CreateTask(_kind, label, labels);
        }
        catch (InvalidOperationException e) when (isCut)
        {
            throw Canceled(e);
        }
    }

    private OperationCanceledException Canceled(Exception? inner = null) => new("Fit was canceled while rows were read, before there were "
        + "labels enough to know what is predicted: there is no model to return.", inner, _options.CancellationToken);

    private bool Adapts(EncoderModel? encoder) => _kind != PredictionKind.Regression && IsUsed(_options.Adaptation, encoder);

    private bool UsesPlain(EncoderModel? encoder) => IsUsed(_options.PlainFeatures, encoder);

    // Where the column does not hold a table's cells already.
    private static bool IsUsed(Usage usage, EncoderModel? encoder) => usage == Usage.Always || usage == Usage.WhenItPays && encoder is { Format.InputSlots: 0 };

    // The rows as the column's encoder reads them; null where nobody needs them, or the columns that it reads are not there any more.
    private RowStore? Rows(EncoderModel? encoder, IDataView labeled, IDataView? unlabeled, int[] numbers, IChannel channel)
    {
        if (!Adapts(encoder) && !UsesPlain(encoder))
            return null;
        IDataView[] views = unlabeled is null ? [labeled] : [labeled, unlabeled];
        var missing = encoder?.InputColumns.FirstOrDefault(name => Array.Exists(views, view => view.Schema.GetColumnOrNull(name) is null));
        if (encoder is null || missing is not null)
        {
            var reason = encoder is null ? $"the column '{_options.FeatureColumnName}' carries no encoder (normalizing or concatenating an embedding loses it)"
                : $"the column '{missing}', which it reads, is not there";
            if (_options.Adaptation == Usage.Always)
                throw new InvalidOperationException($"The encoder cannot be adapted: {reason}. Give such a column, or do not set Adaptation to Always.");
            if (_options.PlainFeatures == Usage.Always)
                throw new InvalidOperationException($"The rows cannot be read plainly: {reason}. Give such a column, or do not set PlainFeatures to Always.");
            channel.Info(MessageSensitivity.Schema, "neither is the encoder adapted nor anything read plainly: {0}", reason);
            return null;
        }
        encoder.Lifetime.ThrowIfClosed();
        // Not kept in the first pass: which rows are drawn is known only after it.
        var places = new Dictionary<int, int>();
        foreach (var number in numbers)
            places.Add(number, places.Count);
        var (store, order, next) = (encoder.Format.NewStore(), new List<int>(), 0);
        foreach (var view in views)
        {
            encoder.Format.CheckColumns(view.Schema);
            using var cursor = view.GetRowCursor(encoder.Format.ActiveColumns(view.Schema).DistinctBy(column => column.Index));
            var (read, buffer) = (encoder.Format.Open(cursor), new RowBuffer());
            for (; cursor.MoveNext() && !_options.CancellationToken.IsCancellationRequested; next++)
            {
                if (!places.TryGetValue(next, out var place))
                    continue;
                store.Add(read(buffer), keepsEmpty: true);
                order.Add(place);
            }
        }
        if (_options.CancellationToken.IsCancellationRequested)
            return null;
        var sorted = new int[order.Count];
        foreach (var (row, place) in order.Index())
            sorted[place] = row;
        store.KeepOnly(sorted);
        return store;
    }

    private string Describe(FewLabelsCandidate candidate) => FormattableString.Invariant(_kind == PredictionKind.Regression
        ? $"  {candidate.Name} ({candidate.Settings}): held-out error {candidate.Metric:0.####}"
        : (FormattableString)$"  {candidate.Name} ({candidate.Settings}): held-out accuracy {candidate.Metric:0.000}, log-loss {candidate.Loss:0.000}");

    private void CheckColumns(ColumnShape label, ColumnShape features)
    {
        LabelValues.CheckColumn(_kind, _options.LabelColumnName, label);
        VectorRows.CheckColumn("feature", _options.FeatureColumnName, features);
    }
}
