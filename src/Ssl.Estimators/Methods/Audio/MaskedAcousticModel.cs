using Microsoft.ML;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Views;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>What a <see cref="MaskedAcousticModelTrainer"/> says of a hidden stretch.</summary>
public enum AcousticTarget
{
    /// <summary>Its values, by their mean absolute error, as Mockingjay and TERA do.</summary>
    Reconstruction,

    /// <summary>Which of the hidden stretches of the sound it is, as wav2vec 2.0 does, without codes.</summary>
    Contrast,
}

/// <summary>
/// Pretrains on sounds as a masked language model does on texts: spans of a spectrogram, and some of its bands, are hidden, and a transformer says what
/// was there.
/// </summary>
/// <remarks>
/// Liu et al., "Mockingjay", 2020 (arXiv:1910.12638), and "TERA: Self-Supervised Learning of Transformer Encoder Representation for Speech", 2021
/// (arXiv:2007.06028): alteration of time and of frequency. Deviations: hidden steps are a learned vector, always; the loss counts what is
/// hidden only; spans are of patches of frames. Judge it by a linear model or fine-tuning rather than by neighbors.
/// </remarks>
/// <seealso cref="ByolATrainer"/>
/// <seealso cref="Wav2Vec2Trainer"/>
public sealed class MaskedAcousticModelTrainer : TimeSeriesPretrainingTrainer
{
    internal MaskedAcousticModelTrainer(MLContext mlContext, Options options) : base(mlContext, options, TimeSeriesEncoders.PatchTransformer(patchLength: 2),
        needsPatches: true)
    {
    }

    /// <summary>Settings of <see cref="MaskedAcousticModelTrainer"/>.</summary>
    public sealed class Options() : AudioPretrainingOptions(batchSize: 32, numberOfEpochs: 40, learningRate: 1e-3)
    {
        /// <summary>Share of a sound's steps that would be hidden if no spans overlapped. In (0, 1).</summary>
        /// <value>The default value is 0.4.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.4f;

        /// <summary>Steps of a hidden span, each of the frames of a patch; at most half of a sound. At least 1.</summary>
        /// <value>The default value is 2.</value>
        [OptionRange(Minimum = 1)]
        public int SpanLength { get; set; } = 2;

        /// <summary>The most neighboring bands that are hidden over the whole of a sound, as a share of all; drawn evenly from 0 to it. In [0, 1).</summary>
        /// <value>The default value is 0.2.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public float BandMaskRatio { get; set; } = 0.2f;

        /// <summary>What is said of a hidden stretch.</summary>
        /// <value>The default value is <see cref="AcousticTarget.Reconstruction"/>.</value>
        public AcousticTarget Target { get; set; }

        /// <summary>Other hidden stretches of the sound to tell a stretch from; for <see cref="AcousticTarget.Contrast"/>. At least 1.</summary>
        /// <value>The default value is 20.</value>
        [OptionRange(Minimum = 1)]
        public int NumberOfNegatives { get; set; } = 20;

        /// <summary>Divides cosine similarities; for <see cref="AcousticTarget.Contrast"/>. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.1f;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams) => new Method(encoder, streams, (Options)Settings);

    // Hides spans and bands; of what the encoder makes of the rest, one linear layer says what was there.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly PatchTransformerEncoder _encoder;

        [ComponentName(Name = "output")]
        private readonly LinearLayer _output;

        [ComponentName(Name = "target")]
        private readonly LinearLayer? _target;

        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TimeSeriesEncoder encoder, RandomStreams streams, Options options) : base("MaskedAcousticModel", encoder)
        {
            _encoder = encoder as PatchTransformerEncoder is { IsChannelIndependent: false } patches ? patches
                : throw new ArgumentOutOfRangeException(nameof(encoder), "MaskedAcousticModel needs an encoder of patches of all bands, such as "
                    + $"TimeSeriesEncoders.PatchTransformer with channelIndependence false, got {encoder.GetName()}.");
            (_streams, _options) = (streams, options);
            bool isContrast = options.Target == AcousticTarget.Contrast;
            _output = Initialization.NormalLinear(_encoder.Dimension, isContrast ? _encoder.Dimension : _encoder.PatchSize, streams.Weights);
            _target = isContrast ? Initialization.NormalLinear(_encoder.PatchSize, _encoder.Dimension, streams.Weights) : null;
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var sounds = Column<SeriesBatch>(columns);
            var whole = _encoder.Prepare(sounds);
            var mask = _encoder.StepMask(whole);
            var hidden = SpanMasker.Draw(mask, (double)_options.MaskRatio / _options.SpanLength, _options.SpanLength, _streams.Masks);  // [N, S]
            var (seen, bands) = HideBands(sounds);
            var steps = _encoder.EncodePrepared(_encoder.Prepare(seen), hidden);                    // [N, S, D]
            var said = _output.Exact(steps);
            var embeddings = TimeSeriesEncoder.Pool(steps, mask).detach();
            if (_target is not null)
            {
                var (contrast, accuracy) = SampledContrastLoss.Compute(said, _target.Exact(_encoder.Patches(whole)), hidden, codes: null,
                    Draws.Uniform([hidden.shape[0], hidden.shape[1], _options.NumberOfNegatives], hidden.device, _streams.Views), _options.Temperature);
                return new StepLoss(contrast, [("accuracy", accuracy)], embeddings);
            }
            // [N, S, P]: what is hidden by its time or by its band.
            var isHidden = bands is null ? hidden.unsqueeze(-1)
                : _encoder.Patches(sounds.WithValues(bands.unsqueeze(2).to(said.dtype).expand(sounds.Values.shape))).ge(Number(0.5))
                    .logical_or(hidden.unsqueeze(-1));
            var counted = _encoder.ObservedInPatches(whole).logical_and(isHidden).to(said.dtype);
            var loss = ((said - _encoder.Patches(whole)).abs() * counted).sum() / Ranks.Average(counted.sum()).clamp_min(Number(1));
            return new StepLoss(loss, [], embeddings);
        }

        // The sounds with some bands at 0, their mean; and which, bool [N, C].
        private (SeriesBatch Seen, Tensor? Bands) HideBands(SeriesBatch sounds)
        {
            if (_options.BandMaskRatio == 0)
                return (sounds, null);
            var bands = Stretches.DrawBands(sounds, _options.BandMaskRatio, 1, _streams.Masks);
            return (sounds.WithValues(sounds.Values.masked_fill(bands.unsqueeze(2), Number(0))), bands);
        }
    }
}
