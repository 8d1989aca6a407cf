using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder by predicting where a patch stands relative to the middle one.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | input | image of any size, or vector of Byte or Single, [channels, height, width] | the image to learn from and, later, to embed |
/// | output | known-size vector of Single | the embedding |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | No |
/// | Needs normalisation | No: mean and deviation of the pixels are measured |
/// | Benefits from caching | No: pixels are kept in memory as bytes when they fit |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes |
///
/// ### Algorithm
/// Doersch, Gupta, Efros, "Unsupervised Visual Representation Learning by Context Prediction", 2015 (arXiv:1505.05192), with gaps, shifts and colour
/// changes against shortcuts. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="PatchPairsTrainer"/>
public sealed class RelativePositionTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal RelativePositionTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(RelativePositionTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
    }

    /// <summary>Settings of <see cref="RelativePositionTrainer"/>.</summary>
    public sealed class Options : ImagePretrainingOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options()
        {
            BatchSize = Defaults.BatchSize;
            NumberOfEpochs = Defaults.NumberOfEpochs;
            LearningRate = Defaults.LearningRate;
            WeightDecay = Defaults.WeightDecay;
        }
    }

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new RelativePosition(encoder, streams, _options.View);
}
