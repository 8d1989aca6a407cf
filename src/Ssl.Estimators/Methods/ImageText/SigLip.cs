using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an encoder of images and one of texts with SigLIP: of every image and every text of the batch it is told whether they belong
/// together.
/// </summary>
/// <remarks>
/// Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023 (arXiv:2303.15343): a sigmoid for each pair in place of CLIP's softmax, with
/// a scale and a shift that are learned. Deviations as of <see cref="ClipTrainer"/>. N pairs.
/// </remarks>
/// <seealso cref="SigLipLoss"/>
public sealed class SigLipTrainer : TwoTowerTrainer
{
    internal SigLipTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="SigLipTrainer"/>.</summary>
    public sealed class Options() : TwoTowerOptions(batchSize: 256, numberOfEpochs: 30, learningRate: 2e-3, weightDecay: 0.05)
    {
        /// <summary>Divides cosine similarities in the first step; it is learned from there. Greater than 0.01, at most 1.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0.01, Maximum = 1)]
        public float InitialTemperature { get; set; } = 0.1f;

        /// <summary>
        /// Added to the scaled similarities in the first step; it is learned from there. Most pairs of a batch do not belong together: it says so
        /// from the start. From -30 to 0.
        /// </summary>
        /// <value>The default value is -10.</value>
        [OptionRange(Minimum = -30, Maximum = 0)]
        public float InitialBias { get; set; } = -10;
    }

    private protected override PretrainingMethod CreateMethod(TwoTowerEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams)
        => new Method(encoder, vocabulary, streams, (Options)Settings);

    // Of every pair of the batch it is asked whether it is one.
    internal new sealed class Method : TwoTowerTrainer.Method
    {
        public Method(TwoTowerEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, Options options)
            : base("SigLip", encoder, vocabulary, streams, options)
        {
            Initialization.Fill(encoder.LogitScale, -Math.Log(options.InitialTemperature));
            Initialization.Fill(encoder.LogitBias, options.InitialBias);
            RegisterComponents();
        }

        protected override Tensor Logits(Tensor similarities) => similarities.mul(Towers.LogitScale.exp()).add(Towers.LogitBias, One);

        protected override Tensor Loss(Tensor logits) => SigLipLoss.FromLogits(logits);
    }
}
