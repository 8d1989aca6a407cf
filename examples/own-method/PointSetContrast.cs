using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using Ssl.MLNet;
using TorchSharp.Utils;
using static Ssl.Estimators.Native.Scalars;
using static TorchSharp.torch;

namespace OwnMethod;

/// <summary>
/// Pretrains an encoder of point sets by contrast: two samples of the points of a set, turned and shaken, are closer to each other than to
/// samples of all other sets of the batch (the loss of SimCLR, Chen et al., 2020, arXiv:2002.05709).
/// </summary>
public sealed class PointSetContrastTrainer : PretrainingTrainer
{
    private readonly Options _options;
    private readonly PointSetEncoderFactory _encoder;

    /// <summary>The estimator with its settings.</summary>
    public PointSetContrastTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
        _options = (Options)Settings;
        _encoder = _options.Encoder ?? new PointSetEncoderFactory(embeddingDimension: 32);
    }

    /// <summary>Settings of <see cref="PointSetContrastTrainer"/>.</summary>
    public sealed class Options() : PretrainingOptions(batchSize: 128, numberOfEpochs: 20, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Name of the column of point sets.</summary>
        [NotEmpty]
        public string InputColumnName { get; set; } = "Points";

        /// <summary>The encoder to pretrain; null takes one of 32 numbers.</summary>
        public PointSetEncoderFactory? Encoder { get; set; }

        /// <summary>Share of the points that a sample keeps. Greater than 0, at most 1.</summary>
        [OptionRange(Above = 0, Maximum = 1)]
        public double KeptFraction { get; set; } = 0.6;

        /// <summary>Standard deviation by which points are moved, in the scale of all points. At least 0.</summary>
        [OptionRange(Minimum = 0)]
        public double Jitter { get; set; } = 0.05;

        /// <summary>Divides cosine similarities. Greater than 0.</summary>
        [OptionRange(Above = 0)]
        public double Temperature { get; set; } = 0.2;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 32;

        // The other sets of the batch are the negatives.
        /// <inheritdoc/>
        protected override int MinimumBatchSize => 2;
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<string> TrainingColumns => [_options.InputColumnName];

    /// <inheritdoc/>
    protected override int EmbeddingDimension => _encoder.EmbeddingDimension;

    /// <inheritdoc/>
    protected override string EmptyHint => $"Every set in column '{_options.InputColumnName}' lacks a point, or there are no rows.";

    /// <inheritdoc/>
    protected override void CheckColumn(string name, ColumnShape shape) => PointSetFormat.Check(name, shape);

    /// <inheritdoc/>
    protected override RowFormat LearnFormat(IDataView input, IChannel channel)
    {
        var (count, x, y, squares) = (0L, 0.0, 0.0, 0.0);
        foreach (var row in ReadRows(input))
        {
            var values = row.Numbers.Span;
            for (var i = 0; i + 1 < values.Length; i += 2)
            {
                if (!double.IsFinite(values[i]) || !double.IsFinite(values[i + 1]))
                    continue;
                (count, x, y) = (count + 1, x + values[i], y + values[i + 1]);
                squares += values[i] * values[i] + values[i + 1] * values[i + 1];
            }
        }
        (x, y) = (x / Math.Max(1, count), y / Math.Max(1, count));
        var scale = Math.Sqrt(Math.Max(0, squares / Math.Max(1, count) - x * x - y * y) / 2);
        return new PointSetFormat(_options.InputColumnName, _encoder, (x, y), scale > 0 ? scale : 1);
    }

    /// <inheritdoc/>
    protected override PretrainingMethod MethodFor(RowFormat format, Encoder encoder, RandomStreams streams)
        => new Method((PointSetEncoder)encoder, streams, _options);

    private sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly PointSetEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(PointSetEncoder encoder, RandomStreams streams, Options options) : base("PointSetContrast", encoder)
        {
            (_encoder, _streams, _options) = (encoder, streams, options);
            _projection = new ProjectionMlp(encoder.EmbeddingDimension, encoder.EmbeddingDimension, options.ProjectionDimension, streams);
            RegisterComponents();
        }

        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var sets = Column<PointSetBatch>(columns);
            var embeddings = cat([_encoder.call(Sample(sets)), _encoder.call(Sample(sets))]);               // [2N, D]
            var halves = _projection.call(embeddings).chunk(2);                                             // [N, P] twice
            var loss = NtXentLoss.Compute(halves[0], halves[1], _options.Temperature);
            return new StepLoss(loss, [], embeddings.detach().narrow(0, 0, sets.Count));
        }

        // Points of each set, every one with the same chance (all of them where none was drawn), turned by any angle.
        private PointSetBatch Sample(PointSetBatch sets)
        {
            var device = sets.Points.device;
            var drawn = Draws.Uniform(sets.Mask.shape, device, _streams.Views).lt(Number(_options.KeptFraction)).logical_and(sets.Mask);
            var kept = drawn.logical_or(drawn.any(1, keepdim: true).logical_not().logical_and(sets.Mask));  // [N, P]
            var angle = Draws.Uniform([sets.Count, 1], device, _streams.Views).mul(Number(2 * Math.PI));   // [N, 1]
            var (cosine, sine) = (angle.cos(), angle.sin());
            var turn = cat([cosine, sine, sine.neg(), cosine], 1).view(-1, 2, 2);                           // [N, 2, 2]
            var moved = Draws.Normal(sets.Points.shape, device, _streams.Views).mul(Number(_options.Jitter));
            return new PointSetBatch(sets.Points.bmm(turn).add(moved, One), kept);
        }
    }
}

/// <summary>The entry in the catalog.</summary>
public static class PointSetCatalog
{
    /// <summary>Pretrains an encoder of point sets by contrast.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="options">Settings; none takes the defaults.</param>
    public static PointSetContrastTrainer PointSetContrast(this SelfSupervisedCatalog catalog, PointSetContrastTrainer.Options? options = null)
        => new(catalog.Context, options ?? new PointSetContrastTrainer.Options());
}
