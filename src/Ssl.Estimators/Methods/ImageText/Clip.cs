using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an encoder of images and one of texts with CLIP: an image and its text attract each other, all other pairs of the batch repel.
/// </summary>
/// <remarks>
/// Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021 (arXiv:2103.00020): symmetric cross entropy over
/// the cosine similarities of the batch, their scale learned and held at most at 100. Deviations: batches of hundreds, not of 32,768;
/// tokens of the texts are deleted at random, which keeps a small set of texts from being learned by heart. N pairs.
/// </remarks>
/// <seealso cref="SigLipTrainer"/>
public sealed class ClipTrainer : TwoTowerTrainer
{
    internal ClipTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="ClipTrainer"/>.</summary>
    public sealed class Options() : TwoTowerOptions(batchSize: 256, numberOfEpochs: 30, learningRate: 2e-3, weightDecay: 0.05)
    {
        /// <summary>Divides cosine similarities in the first step; it is learned from there. Greater than 0.01, at most 1.</summary>
        /// <value>The default value is 0.07.</value>
        [OptionRange(Above = 0.01, Maximum = 1)]
        public float InitialTemperature { get; set; } = 0.07f;
    }

    private protected override PretrainingMethod CreateMethod(TwoTowerEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams)
        => new Method(encoder, vocabulary, streams, (Options)Settings);

    // Each image shall find its text among those of the batch, and each text its image.
    internal new sealed class Method : TwoTowerTrainer.Method
    {
        public Method(TwoTowerEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, Options options)
            : base("Clip", encoder, vocabulary, streams, options)
        {
            Initialization.Fill(encoder.LogitScale, -Math.Log(options.InitialTemperature));
            RegisterComponents();
        }

        protected override Tensor Logits(Tensor similarities) => similarities.mul(Towers.LogitScale.exp());

        protected override Tensor Loss(Tensor logits) => InfoNceLoss.FromLogits(logits);
    }
}
