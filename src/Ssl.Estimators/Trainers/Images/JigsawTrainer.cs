using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains an image encoder by predicting in which of some known orders nine tiles of an image were shuffled.
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
/// Noroozi and Favaro, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles", 2016 (arXiv:1603.09246), with gaps, shifts and colour
/// changes against shortcuts. A step encodes nine tiles an image, so it costs about nine times one of the encoder. Deviations: `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="RelativePositionTrainer"/>
public sealed class JigsawTrainer : ImagePretrainingTrainer
{
    private readonly Options _options;

    internal JigsawTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(JigsawTrainer), options)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 64;
        public const int NumberOfEpochs = 10;
        public const double LearningRate = 2e-3;
        public const double WeightDecay = 1e-4;
        public const int NumberOfPermutations = 64;
    }

    /// <summary>Settings of <see cref="JigsawTrainer"/>.</summary>
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

        /// <summary>Orders of the tiles that are told apart; more make the task harder. From 2 to 1,000.</summary>
        /// <value>The default value is 64.</value>
        public int NumberOfPermutations { get; set; } = Defaults.NumberOfPermutations;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.InRange(NumberOfPermutations, 2, Jigsaw.MaximumPermutations);
        }
    }

    private protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Jigsaw(encoder, streams, _options.View, _options.NumberOfPermutations);
}
