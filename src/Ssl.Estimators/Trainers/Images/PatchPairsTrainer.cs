using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder by predicting whether two patches belong to the same image.
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
/// After Isola et al., 2015 (arXiv:1511.06811): whether two patches belong to the same image, with gaps, shifts and colour changes against shortcuts.
/// ]]></format>
/// </remarks>
/// <seealso cref="RelativePositionTrainer"/>
public sealed class PatchPairsTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal PatchPairsTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(PatchPairsTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 256;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
    }

    /// <summary>Settings of <see cref="PatchPairsTrainer"/>.</summary>
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
        => new PatchPairs(encoder, streams, _options.View);
}
