using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on time series with TS-TCC: the past of a lightly changed copy predicts the future of a strongly changed one, and the other
/// way round, and their contexts attract each other.
/// </summary>
/// <remarks>
/// Eldele et al., "Time-Series Representation Learning via Temporal and Contextual Contrasting", 2021 (arXiv:2106.14112). Deviation:
/// the encoder's steps are averaged to at most 16 sections before the two contrasts, so that the cost does not grow with the length of
/// the series. N series, G sections, t of them past, K of them future, D the dimension.
/// </remarks>
/// <seealso cref="Ts2VecTrainer"/>
public sealed class TemporalContextualContrastTrainer : TimeSeriesPretrainingTrainer
{
    internal TemporalContextualContrastTrainer(MLContext mlContext, Options options) : base(mlContext, options,
        TimeSeriesEncoders.PooledConvolution(), needsPatches: null)
    {
    }

    /// <summary>Settings of <see cref="TemporalContextualContrastTrainer"/>.</summary>
    public sealed class Options() : TimeSeriesPretrainingOptions(batchSize: 32, numberOfEpochs: 40, learningRate: 1e-3)
    {
        /// <summary>Divides cosine similarities of the contexts. Greater than 0.</summary>
        /// <value>The default value is 0.2.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.2f;

        /// <summary>Weight of the prediction of the future. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float TemporalWeight { get; set; } = 1;

        /// <summary>Weight of the contrast between contexts. At least 0; not both weights 0.</summary>
        /// <value>The default value is 0.7.</value>
        [OptionRange(Minimum = 0)]
        public float ContextualWeight { get; set; } = 0.7f;

        /// <summary>Sections that are predicted, of the at most 16 into which a series is cut. From 1 to 15.</summary>
        /// <value>The default value is 4.</value>
        [OptionRange(Minimum = 1, Maximum = 15)]
        public int FutureSections { get; set; } = 4;

        /// <inheritdoc cref="Ts2VecTrainer.Options.EncoderBatchSize"/>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <summary>The light change of a series; null takes <see cref="SeriesViews.Weak"/>.</summary>
        public SeriesView? WeakView { get; set; }

        /// <summary>The strong change of a series; null takes <see cref="SeriesViews.Strong"/>.</summary>
        public SeriesView? StrongView { get; set; }

        /// <inheritdoc/>
        protected internal override int MinimumBatchSize => 2;

        /// <inheritdoc/>
        protected override void Validate(OptionFaults faults)
        {
            if (TemporalWeight == 0 && ContextualWeight == 0)
                faults.Add(nameof(ContextualWeight), "TemporalWeight and ContextualWeight must not both be 0: nothing would be learned.");
        }
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // A weakly and a strongly changed copy of a series: the past of each predicts the future of the other, and the two pasts attract
    // each other.
    internal sealed class Method : PretrainingMethod
    {
        private const int MaximumSections = 16, ContextDimension = 64;

        [ComponentName(Name = "encoder")]
        private readonly TimeSeriesEncoder _encoder;

        [ComponentName(Name = "context")]
        private readonly ContextHead _context;

        [ComponentName(Name = "prediction")]
        private readonly LinearLayer _prediction;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        private readonly RandomStreams _streams;
        private readonly SeriesView _weak;
        private readonly SeriesView _strong;
        private readonly Options _options;

        public Method(TimeSeriesEncoder encoder, RandomStreams streams, Options options) : base("TemporalContextualContrast", encoder)
        {
            _options = options;
            (_encoder, _streams) = (encoder, streams);
            _weak = options.WeakView ?? SeriesViews.Weak();
            _strong = options.StrongView ?? SeriesViews.Strong();
            _context = new ContextHead(encoder.StepDimension, ContextDimension, streams);
            _prediction = Initialization.Linear(ContextDimension, (long)options.FutureSections * encoder.StepDimension, streams.Weights);
            _projection = new ProjectionMlp(ContextDimension, ContextDimension / 2, ContextDimension / 4, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var series = Column<SeriesBatch>(columns);
            var (weak, strong) = (_weak.Apply(series, _streams.Views), _strong.Apply(series, _streams.Views));
            return GradientCache.Compute(series.Count, _options.EncoderBatchSize ?? series.Count, _streams, Embed, Compare);

            // The sections of both copies, [N, G, D] twice, and the embedding, [N, D], which needs no gradient.
            Tensor[] Embed(long first, long count, bool again)
            {
                var both = SeriesBatch.Concatenate(weak.Part(first, count), strong.Part(first, count));
                var steps = _encoder.EncodeSteps(both);                                                 // [2N, S, D]
                var mask = _encoder.StepMask(both);
                // Of length 1, as in the authors' code: else the prediction is won by making sections long.
                var sections = StepSections.Means(steps, mask, MaximumSections);                        // [2N, G, D]
                var halves = (sections / sections.norm(-1, keepdim: true).clamp_min(Number(1e-12))).chunk(2);
                return again ? halves : [.. halves, TimeSeriesEncoder.Pool(steps.detach(), mask).narrow(0, 0, count)];
            }

            StepLoss Compare(Tensor[] tensors)
            {
                var sections = cat(tensors[..2]);                                                       // [2N, G, D]
                int future = (int)Math.Clamp(sections.shape[1] / 2, 1, _options.FutureSections);
                long past = DrawPast(sections.shape[1], future);
                var contexts = _context.call(sections.narrow(1, 0, past));                              // [2N, 64]
                var terms = new List<(string Name, Tensor Value)>();
                Tensor? total = null;
                if (_options.TemporalWeight > 0)
                {
                    var temporal = Predict(contexts, sections.narrow(1, past, Math.Min(future, sections.shape[1] - past)));
                    terms.Add(("temporal", temporal.detach()));
                    total = temporal * Number(_options.TemporalWeight);
                }
                if (_options.ContextualWeight > 0)
                {
                    var halves = _projection.call(contexts).chunk(2);                                   // [N, 16] twice
                    var contextual = NtXentLoss.Compute(halves[0], halves[1], _options.Temperature);
                    terms.Add(("contextual", contextual.detach()));
                    var weighted = contextual * Number(_options.ContextualWeight);
                    total = total?.add(weighted, One) ?? weighted;
                }
                return new StepLoss(total!, terms, tensors[2]);
            }
        }

        // Sections of the past, from 1 to those that leave the future its own.
        private long DrawPast(long sections, int future)
        {
            using var draw = Draws.CommonUniform(1, _streams.Views);
            long choices = Math.Max(1, sections - future);
            return Math.Min(1 + (long)(draw.Value<float>() * choices), choices);
        }

        // The past of one copy finds its own future among those of the other copies in the batch, section by section; both ways, added up.
        private Tensor Predict(Tensor contexts, Tensor future)
        {
            long count = future.shape[1], series = contexts.shape[0] / 2;
            var predicted = _prediction.Exact(contexts).view(2 * series, _options.FutureSections, future.shape[2]).narrow(1, 0, count);
            var (fromWeak, fromStrong) = (predicted.narrow(0, 0, series), predicted.narrow(0, series, series));
            return FutureContrastLoss.Compute(fromWeak, future.narrow(0, series, series))
                .add(FutureContrastLoss.Compute(fromStrong, future.narrow(0, 0, series)), One);
        }
    }
}
