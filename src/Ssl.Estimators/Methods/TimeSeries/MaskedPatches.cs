using Microsoft.ML;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on time series with masked patches: some stretches of a series are hidden, a transformer rebuilds them from the others.
/// </summary>
/// <remarks>
/// Nie et al., "A Time Series is Worth 64 Words" (PatchTST), 2023 (arXiv:2211.14730), its self-supervised form: patches that do not
/// overlap, mean squared error of the hidden values. Judge it by fine-tuning rather than by its frozen embedding. 2023
/// (arXiv:2211.14730), its self-supervised form: patches do not overlap, other ones are hidden in every channel, and the loss is the
/// mean squared error of hidden, observed values as the encoder sees them, normalized where it normalizes. M series of one channel (or
/// N of all, where the encoder takes them together), S patches of P values.
/// </remarks>
/// <seealso cref="Ts2VecTrainer"/>
public sealed class MaskedPatchesTrainer : TimeSeriesPretrainingTrainer
{
    internal MaskedPatchesTrainer(MLContext mlContext, Options options) : base(mlContext, options, TimeSeriesEncoders.PatchTransformer(),
        needsPatches: true)
    {
    }

    /// <summary>Settings of <see cref="MaskedPatchesTrainer"/>.</summary>
    public sealed class Options() : TimeSeriesPretrainingOptions(batchSize: 32, numberOfEpochs: 50, learningRate: 1e-3)
    {
        /// <summary>Share of a series' patches that are hidden. In (0, 1).</summary>
        /// <value>The default value is 0.4.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.4f;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Some patches of a series are hidden; the encoder sees the rest, and one linear layer rebuilds the hidden values.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly PatchTransformerEncoder _encoder;

        [ComponentName(Name = "output")]
        private readonly LinearLayer _output;

        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TimeSeriesEncoder encoder, RandomStreams streams, Options options) : base("MaskedPatches", encoder)
        {
            _options = options;
            _encoder = encoder as PatchTransformerEncoder ?? throw new ArgumentOutOfRangeException(nameof(encoder),
                $"MaskedPatches needs an encoder of patches, got {encoder.GetName()}. Use TimeSeriesEncoders.PatchTransformer.");
            _streams = streams;
            _output = Initialization.NormalLinear(_encoder.Dimension, _encoder.PatchSize, streams.Weights);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var series = _encoder.Prepare(Column<SeriesBatch>(columns));
            var hidden = SeriesPatchMasker.Draw(_encoder.StepMask(series), _options.MaskRatio, _streams.Masks); // [M, S]
            var rebuilt = _output.Exact(_encoder.EncodePrepared(series, hidden));                        // [M, S, P]
            var counted = _encoder.ObservedInPatches(series).logical_and(hidden.unsqueeze(-1)).to(rebuilt.dtype);
            var loss = ((rebuilt - _encoder.Patches(series)).pow(Number(2)) * counted).sum() / Ranks.Average(counted.sum()).clamp_min(Number(1));
            return new StepLoss(loss, []);
        }
    }
}
