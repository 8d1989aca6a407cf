using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on sounds with wav2vec 2.0: convolutions hear the samples themselves, spans of what they make are hidden, and a transformer finds for each
/// hidden step its own code among those of other hidden steps. The codes are learned along.
/// </summary>
/// <remarks>
/// Baevski et al., "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations", 2020 (arXiv:2006.11477). Deviations: a narrower
/// network with sines for positions; fewer codes; the diversity of the codes is measured as in the authors' program, by their perplexity; the loss
/// is a mean over the hidden steps; no penalty on the convolutions' output, which a layer norm brings to a scale. It needs far more sound than
/// methods on spectrograms.
/// </remarks>
/// <seealso cref="MaskedAcousticModelTrainer"/>
/// <seealso cref="ByolATrainer"/>
public sealed class Wav2Vec2Trainer : TimeSeriesPretrainingTrainer
{
    internal Wav2Vec2Trainer(MLContext mlContext, Options options) : base(mlContext, options, TimeSeriesEncoders.SoundTransformer())
    {
        if (options.Encoder is { } encoder && encoder is not SoundTransformerEncoderFactory)
        {
            throw new ArgumentOutOfRangeException(nameof(options.Encoder),
                $"Encoder must be TimeSeriesEncoders.SoundTransformer for {nameof(Wav2Vec2Trainer)}, got '{encoder.Kind}'.");
        }
    }

    /// <summary>Settings of <see cref="Wav2Vec2Trainer"/>.</summary>
    public sealed class Options() : AudioPretrainingOptions(batchSize: 16, numberOfEpochs: 40, learningRate: 5e-4)
    {
        /// <summary>Share of a sound's steps with which a hidden span begins. In (0, 1).</summary>
        /// <value>The default value is 0.065.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float SpanStartShare { get; set; } = 0.065f;

        /// <summary>Steps of a hidden span; at most half of a sound. Spans may overlap. At least 1.</summary>
        /// <value>The default value is 10.</value>
        [OptionRange(Minimum = 1)]
        public int SpanLength { get; set; } = 10;

        /// <summary>Other hidden steps of the sound to tell a step from, drawn with repetition. At least 1.</summary>
        /// <value>The default value is 100.</value>
        [OptionRange(Minimum = 1)]
        public int NumberOfNegatives { get; set; } = 100;

        /// <summary>Divides cosine similarities. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.1f;

        /// <summary>Codebooks; a step's code is one entry of each. At least 1.</summary>
        /// <value>The default value is 2.</value>
        [OptionRange(Minimum = 1)]
        public int NumberOfCodebooks { get; set; } = 2;

        /// <summary>Entries of a codebook. At least 2.</summary>
        /// <value>The default value is 64; the paper has 320, for hundreds of hours of speech.</value>
        [OptionRange(Minimum = 2)]
        public int CodebookSize { get; set; } = 64;

        /// <summary>Length of an entry; a code is the entries of all codebooks, one after the other. At least 1.</summary>
        /// <value>The default value is 32.</value>
        [OptionRange(Minimum = 1)]
        public int CodeDimension { get; set; } = 32;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 128.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 128;

        /// <summary>Temperature of the choice of codes at the first step; it falls to <see cref="FinalGumbelTemperature"/>. Greater than 0.</summary>
        /// <value>The default value is 2.</value>
        [OptionRange(Above = 0)]
        public float GumbelTemperature { get; set; } = 2;

        /// <summary>The same at the last step. Greater than 0.</summary>
        /// <value>The default value is 0.5.</value>
        [OptionRange(Above = 0)]
        public float FinalGumbelTemperature { get; set; } = 0.5f;

        /// <summary>Weight of the loss that asks for all codes to be used. At least 0.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Minimum = 0)]
        public float DiversityWeight { get; set; } = 0.1f;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams) => new Method(encoder, streams, (Options)Settings);

    // For each hidden step, what the transformer says of it finds the code of what the convolutions heard there.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly SoundTransformerEncoder _encoder;

        [ComponentName(Name = "quantizer")]
        private readonly GumbelQuantizer _quantizer;

        [ComponentName(Name = "context_projection")]
        private readonly LinearLayer _contextProjection;

        [ComponentName(Name = "code_projection")]
        private readonly LinearLayer _codeProjection;

        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TimeSeriesEncoder encoder, RandomStreams streams, Options options) : base("Wav2Vec2", encoder)
        {
            _encoder = encoder as SoundTransformerEncoder ?? throw new ArgumentOutOfRangeException(nameof(encoder),
                $"Wav2Vec2 needs TimeSeriesEncoders.SoundTransformer, got {encoder.GetName()}.");
            (_streams, _options, ChoiceTemperature) = (streams, options, options.GumbelTemperature);
            _quantizer = new GumbelQuantizer(_encoder.LatentDimension, options.NumberOfCodebooks, options.CodebookSize, options.CodeDimension, streams);
            _contextProjection = Initialization.Linear(encoder.StepDimension, options.ProjectionDimension, streams.Weights);
            _codeProjection = Initialization.Linear((long)options.NumberOfCodebooks * options.CodeDimension, options.ProjectionDimension, streams.Weights);
            RegisterComponents();
        }

        /// <summary>Temperature of the choice of codes in this step.</summary>
        internal double ChoiceTemperature { get; private set; }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var sounds = Column<SeriesBatch>(columns);
            var mask = _encoder.StepMask(sounds);
            var hidden = SpanMasker.Draw(mask, _options.SpanStartShare, _options.SpanLength, _streams.Masks);       // [N, S]
            var latents = _encoder.Latents(sounds);                                                 // [N, S, W]
            var contexts = _encoder.EncodeLatents(latents, mask, hidden);                           // [N, S, D]
            var codes = _quantizer.Quantize(latents, ChoiceTemperature, _streams.Views);
            var (contrast, accuracy) = SampledContrastLoss.Compute(_contextProjection.Exact(contexts), _codeProjection.Exact(codes.Vectors), hidden,
                codes.Numbers, Draws.Uniform([hidden.shape[0], hidden.shape[1], _options.NumberOfNegatives], hidden.device, _streams.Views), _options.Temperature);
            var perplexity = GumbelQuantizer.Perplexity(codes.Probabilities, hidden);               // from 1 to the entries, one for each codebook
            // The share of the entries that is not used.
            var diversity = perplexity.mean().div(Number((double)-_options.CodebookSize)).add(Number(1.0), One);
            var total = contrast.add(diversity.mul(Number(_options.DiversityWeight)), One);
            return new StepLoss(total, [("contrast", contrast.detach()), ("accuracy", accuracy), ("perplexity", perplexity.detach().mean())],
                TimeSeriesEncoder.Pool(contexts.detach(), mask));
        }

        /// <inheritdoc/>
        internal override void OnStepStarting(double progress)
            => ChoiceTemperature = _options.GumbelTemperature * Math.Pow(_options.FinalGumbelTemperature / (double)_options.GumbelTemperature, progress);
    }
}
