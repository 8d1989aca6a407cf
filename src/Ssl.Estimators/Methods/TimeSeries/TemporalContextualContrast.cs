using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

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
        private const int MaximumSections = 16, ContextLayers = 2, ContextHeads = 4, ContextDimension = 64;

        [ComponentName(Name = "encoder")]
        private readonly TimeSeriesEncoder _encoder;

        [ComponentName(Name = "context_input")]
        private readonly LinearLayer _contextInput;

        [ComponentName(Name = "context_token")]
        private readonly Parameter _contextToken;

        [ComponentName(Name = "context")]
        private readonly TransformerStack _context;

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
            _contextInput = Initialization.Linear(encoder.StepDimension, ContextDimension, streams.Weights);
            _contextToken = nn.Parameter(zeros(ContextDimension, dtype: ScalarType.Float32));
            Initialization.Normal(_contextToken, 0.02, streams.Weights);
            _context = new TransformerStack(ContextLayers, ContextDimension, ContextHeads, 4 * ContextDimension, dropout: 0.1, streams);
            _prediction = Initialization.Linear(ContextDimension, (long)options.FutureSections * encoder.StepDimension, streams.Weights);
            _projection = new ProjectionMlp(ContextDimension, ContextDimension / 2, ContextDimension / 4, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var series = Column<SeriesBatch>(columns);
            var both = SeriesBatch.Concatenate(_weak.Apply(series, _streams.Views), _strong.Apply(series, _streams.Views));
            var steps = _encoder.EncodeSteps(both);                                                     // [2N, S, D]
            var mask = _encoder.StepMask(both);
            // Of length 1, as in the authors' code: else the prediction is won by making sections long.
            var sections = Sections(steps, mask, MaximumSections);                                      // [2N, G, D]
            sections = sections / sections.norm(-1, keepdim: true).clamp_min(Number(1e-12));
            int future = (int)Math.Clamp(sections.shape[1] / 2, 1, _options.FutureSections);
            long past = DrawPast(sections.shape[1], future);
            var contexts = Context(sections.narrow(1, 0, past));                                        // [2N, 64]

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
                var halves = _projection.call(contexts).chunk(2);                                       // [N, 16] twice
                var contextual = NtXentLoss.Compute(halves[0], halves[1], _options.Temperature);
                terms.Add(("contextual", contextual.detach()));
                total = total is null ? contextual * Number(_options.ContextualWeight) : total
                    .add(contextual * Number(_options.ContextualWeight), One);
            }
            return new StepLoss(total!, terms, TimeSeriesEncoder.Pool(steps, mask).detach().narrow(0, 0, series.Count));
        }

        /// <summary>The steps of each series, averaged to so many sections of neighbors, each of its own length: [N, G, D].</summary>
        /// <param name="steps">[N, S, D].</param>
        /// <param name="mask">Bool [N, S], true up to the end of the series; at least one.</param>
        /// <param name="maximum">The most sections; fewer where the batch has fewer steps. A short series repeats steps.</param>
        internal static Tensor Sections(Tensor steps, Tensor mask, int maximum)
        {
            using var scope = NewDisposeScope();
            long count = Math.Min(steps.shape[1], maximum);
            var lengths = mask.sum(1, keepdim: true).to(steps.dtype);                                   // [N, 1]
            // A section is the mean of the steps from one place to another: a difference of running sums, which costs no loop.
            var sums = cat([zeros_like(steps.narrow(1, 0, 1)), (steps * mask.unsqueeze(-1).to(steps.dtype)).cumsum(1)], 1); // [N, S + 1, D]
            var section = arange(Number(0), Number(count), One, dtype: ScalarType.Float32, device: steps.device).unsqueeze(0);  // [1, G]
            var from = (section * lengths / Number(count)).floor().to(ScalarType.Int64);                        // [N, G]
            var to = torch.maximum((section.add(Number(1), One) * lengths / Number(count)).floor().to(ScalarType.Int64), from
                .add(Number(1), One));
            var means = (At(sums, to) - At(sums, from)) / (to - from).unsqueeze(-1).to(steps.dtype);
            return means.MoveToOuterDisposeScope();

            static Tensor At(Tensor sums, Tensor places) => sums.gather(1, places.unsqueeze(-1).expand(-1, -1, sums.shape[2]));
        }

        // Sections of the past, from 1 to those that leave the future its own.
        private long DrawPast(long sections, int future)
        {
            using var draw = Draws.Uniform([1], CPU, _streams.Views);
            long choices = Math.Max(1, sections - future);
            return Math.Min(1 + (long)(draw.Value<float>() * choices), choices);
        }

        private Tensor Context(Tensor past)
        {
            var tokens = _contextInput.call(past);                                                      // [2N, t, 64]
            tokens = cat([_contextToken.expand(tokens.shape[0], 1, -1), tokens], 1);
            var all = ones(tokens.shape[0], tokens.shape[1], dtype: ScalarType.Bool, device: tokens.device);
            return _context.call(tokens, all).select(1, 0);
        }

        // The past of one copy finds its own future among those of the other copies in the batch, section by section; both ways, added up.
        private Tensor Predict(Tensor contexts, Tensor future)
        {
            long count = future.shape[1], series = contexts.shape[0] / 2;
            var predicted = _prediction.Exact(contexts).view(2 * series, _options.FutureSections, future.shape[2]).narrow(1, 0, count);
            var (fromWeak, fromStrong) = (predicted.narrow(0, 0, series), predicted.narrow(0, series, series));
            return Match(fromWeak, future.narrow(0, series, series)).add(Match(fromStrong, future.narrow(0, 0, series)), One);
        }

        // [N, K, D] twice: for every section the cross entropy of the N x N inner products with the diagonal as target.
        private static Tensor Match(Tensor predicted, Tensor actual)
        {
            var scores = actual.transpose(0, 1).bmm(predicted.permute(1, 2, 0));                        // [K, N, N]
            return nn.functional.log_softmax(scores, 1).diagonal(0, 1, 2).mean().neg();
        }
    }
}
