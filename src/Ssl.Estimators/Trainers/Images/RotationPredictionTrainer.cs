using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder by predicting by how many quarter turns a square image was rotated.
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
/// Gidaris, Singh, Komodakis, "Unsupervised Representation Learning by Predicting Image Rotations", 2018 (arXiv:1803.07728): all four quarter turns
/// of each image are told apart.
/// ]]></format>
/// </remarks>
/// <seealso cref="RelativePositionTrainer"/>
public sealed class RotationPredictionTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal RotationPredictionTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(RotationPredictionTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 128;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
    }

    /// <summary>Settings of <see cref="RotationPredictionTrainer"/>.</summary>
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
        => new RotationPrediction(encoder, streams, _options.View);
}
