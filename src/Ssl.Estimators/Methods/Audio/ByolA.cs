using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on sounds with BYOL-A: of a stretch of a sound, mixed with another and with other pitch and speed, a slowly following copy of the
/// encoder's view is predicted from a second such change.
/// </summary>
/// <remarks>
/// Niizumi et al., "BYOL for Audio: Self-Supervised Learning for General-Purpose Audio Representation", 2021 (arXiv:2103.06695). Deviations: dilated
/// convolutions over time, which cost a tenth on a processor (the paper's network is <see cref="TimeSeriesEncoders.SpectrogramConvolution"/>), narrower heads and
/// weaker changes; the mixed sound is one of the batch; stretches are cut to the length of the longest sound of the batch where
/// that is shorter; AdamW; a faster predictor, as <see cref="ByolTrainer"/> has it. The squared distance of unit vectors, both directions
/// added, from 0 to 8.
/// </remarks>
/// <seealso cref="LogMelSpectrogram"/>
/// <seealso cref="MaskedPatchesTrainer"/>
public sealed class ByolATrainer : TimeSeriesPretrainingTrainer
{
    internal ByolATrainer(MLContext mlContext, Options options) : base(mlContext, options, TimeSeriesEncoders.DilatedConvolution(depth: 5))
    {
    }

    /// <summary>Settings of <see cref="ByolATrainer"/>.</summary>
    public sealed class Options() : AudioPretrainingOptions(batchSize: 32, numberOfEpochs: 20, learningRate: 1e-3, weightDecay: 1e-4)
    {
        /// <summary>Timestamps of the stretch that is cut of a longer sound anew in every step. At least 8.</summary>
        /// <value>The default value is 96: about two seconds of the usual spectrogram.</value>
        [OptionRange(Minimum = 8)]
        public int MaximumCropLength { get; set; } = 96;

        /// <summary>Length of the vectors that the loss compares. At least 1.</summary>
        /// <value>The default value is 256.</value>
        [OptionRange(Minimum = 1)]
        public int ProjectionDimension { get; set; } = 256;

        /// <summary>Width of the hidden layers of the heads. At least 1.</summary>
        /// <value>The default value is 1,024.</value>
        [OptionRange(Minimum = 1)]
        public int HiddenDimension { get; set; } = 1024;

        /// <summary>Share of the following network that stays at the first step; rises to 1. In [0, 1).</summary>
        /// <value>The default value is 0.99.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public float Momentum { get; set; } = 0.99f;

        /// <summary>How much faster the predictor learns than the rest. Greater than 0; 1 as in the paper.</summary>
        /// <value>The default value is 10.</value>
        [OptionRange(Above = 0)]
        public double PredictorLearningRateMultiplier { get; set; } = 10;

        /// <summary>
        /// The change of a stretch; null takes <see cref="SpectrogramMixup"/> up to 0.1, then <see cref="SpectrogramCrop"/> from 0.85 to 1.15: weaker than the
        /// paper's (0.4; 0.6 to 1.5), which on spoken digits keep too little of what is said.
        /// </summary>
        public SeriesView? View { get; set; }

        /// <inheritdoc/>
        protected internal override int MinimumBatchSize => 2;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams)
        => new Method(encoder, encoder.CreateAnother(streams), streams, (Options)Settings);

    // Predicts from one change of a sound how a slowly following copy of the encoder hears the other change: no negatives.
    internal sealed class Method : PretrainingMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly TimeSeriesEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly ProjectionMlp _projection;

        [ComponentName(Name = "prediction")]
        private readonly ProjectionMlp _prediction;

        [ComponentName(Name = "target_encoder")]
        private readonly TimeSeriesEncoder _targetEncoder;

        [ComponentName(Name = "target_projection")]
        private readonly ProjectionMlp _targetProjection;

        private readonly RandomStreams _streams;
        private readonly SeriesView _view;
        private readonly Options _options;

        public Method(TimeSeriesEncoder encoder, TimeSeriesEncoder targetEncoder, RandomStreams streams, Options options) : base("ByolA", encoder)
        {
            (_encoder, _targetEncoder, _streams, _options) = (encoder, targetEncoder, streams, options);
            _view = options.View ?? SeriesViews.Compose(new SpectrogramMixup(0.1), new SpectrogramCrop(0.85, 1.15));
            _projection = new ProjectionMlp(encoder.StepDimension, options.HiddenDimension, options.ProjectionDimension, streams);
            _targetProjection = new ProjectionMlp(encoder.StepDimension, options.HiddenDimension, options.ProjectionDimension, streams);
            _prediction = new ProjectionMlp(options.ProjectionDimension, options.HiddenDimension, options.ProjectionDimension, streams);
            MovingAverage.Begin(_targetEncoder, _encoder);
            MovingAverage.Begin(_targetProjection, _projection);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var sounds = Cut(Column<SeriesBatch>(columns));
            var views = SeriesBatch.Concatenate(_view.Apply(sounds, _streams.Views), _view.Apply(sounds, _streams.Views));
            var embeddings = _encoder.EncodeWhole(views);                                               // [2N, D]
            var predictions = _prediction.call(_projection.call(embeddings)).chunk(2);                  // [N, P] twice
            Tensor[] targets;
            using (no_grad())
                targets = _targetProjection.call(_targetEncoder.EncodeWhole(views)).chunk(2);           // [N, P] twice
            var loss = CosineLoss.Compute(predictions[0], targets[1])
                .add(CosineLoss.Compute(predictions[1], targets[0]), One).mul(Number(2)).add(Number(4), One);
            return new StepLoss(loss, [], embeddings.detach().narrow(0, 0, sounds.Count));
        }

        // A stretch of each sound that is longer, where one can begin anywhere.
        private SeriesBatch Cut(SeriesBatch sounds)
        {
            if (sounds.Length <= _options.MaximumCropLength)
                return sounds;
            var device = sounds.Values.device;
            var choices = sounds.Mask.sum(1, keepdim: true).sub(Number(_options.MaximumCropLength - 1L)).clamp_min(Number(1L));     // [N, 1]
            var starts = (Draws.Uniform([sounds.Count, 1], device, _streams.Views) * choices).floor().to(ScalarType.Int64);
            return sounds.Take(arange(Number(0L), Number((long)_options.MaximumCropLength), One, dtype: ScalarType.Int64, device: device)
                .unsqueeze(0).add(starts, One));
        }

        internal override ParameterRate RateOf(string parameterName)
            => parameterName.StartsWith("prediction.", StringComparison.Ordinal)
                ? new(_options.PredictorLearningRateMultiplier) : base.RateOf(parameterName);

        /// <inheritdoc/>
        public override void OnStepCompleted(double progress)
        {
            double momentum = MovingAverage.Rising(_options.Momentum, progress);
            MovingAverage.Follow(_targetEncoder, _encoder, momentum);
            MovingAverage.Follow(_targetProjection, _projection, momentum);
        }
    }
}
