using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Contract.Tests;

[TestClass]
public sealed class SimClrContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.SimClr(Small<SimClrTrainer.Options>(change));
}

[TestClass]
public sealed class SimClrWithLearnedViewContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.SimClr(Small<SimClrTrainer.Options>(options =>
        {
            ((SimClrTrainer.Options)options).View = ImageViews.Compose(new LearnableCrop(8, 8, minimumArea: 0.5), new LearnableColorJitter());
            change?.Invoke(options);
        }));
}

[TestClass]
public sealed class DclContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.Dcl(Small<DclTrainer.Options>(change));
}

[TestClass]
public sealed class MoCoContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.MoCo(Small<MoCoTrainer.Options>(change));

    // The queue fills with better negatives, which makes the first epochs harder.
    protected override bool LossFalls => false;
}

[TestClass]
public sealed class MoCoV3Contract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.MoCoV3(Small<MoCoV3Trainer.Options>(change));
}

[TestClass]
public sealed class ByolContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.Byol(Small<ByolTrainer.Options>(change));
}

[TestClass]
public sealed class SimSiamContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.SimSiam(Small<SimSiamTrainer.Options>(change));
}

[TestClass]
public sealed class BarlowTwinsContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.BarlowTwins(Small<BarlowTwinsTrainer.Options>(options =>
        {
            ((BarlowTwinsTrainer.Options)options).ProjectionDimension = 64;     // the usual 1,024 take most of a step of so small a network
            change?.Invoke(options);
        }));

    // Correlations over the 16 rows of a batch here are mostly chance: the loss of a short run goes either way (131 to 137 was seen).
    protected override bool LossFalls => false;
}

[TestClass]
public sealed class VicRegContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.VicReg(Small<VicRegTrainer.Options>(options =>
        {
            ((VicRegTrainer.Options)options).ProjectionDimension = 64;     // the usual 1,024 take most of a step of so small a network
            change?.Invoke(options);
        }));
}

[TestClass]
public sealed class LeJepaContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.LeJepa(Small<LeJepaTrainer.Options>(change));
}

[TestClass]
public sealed class MaskedAutoencoderContract : ImagePretrainingContract
{
    protected override IReadOnlyDictionary<string, string> OptionsWithoutEffect => WithoutBatchNorms;

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.MaskedAutoencoder(Small<MaskedAutoencoderTrainer.Options>(change, Transformer));
}

[TestClass]
public sealed class SimMimContract : ImagePretrainingContract
{
    protected override IReadOnlyDictionary<string, string> OptionsWithoutEffect => WithoutBatchNorms;

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.SimMim(Small<SimMimTrainer.Options>(change, Transformer));
}

[TestClass]
public sealed class NnclrContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.Nnclr(Small<NnclrTrainer.Options>(change));
}

[TestClass]
public sealed class SwavContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.Swav(Small<SwavTrainer.Options>(change));
}

[TestClass]
public sealed class DinoContract : ImagePretrainingContract
{
    // The center is 0 at first, so that all images have the same target; it takes longer than this to learn the centered ones.
    protected override bool LossFalls => false;

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.Dino(Small<DinoTrainer.Options>(change));
}

[TestClass]
public sealed class RotationPredictionContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.RotationPrediction(Small<RotationPredictionTrainer.Options>(change));
}

[TestClass]
public sealed class RelativePositionContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.RelativePosition(Small<RelativePositionTrainer.Options>(change));
}

[TestClass]
public sealed class JigsawContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.Jigsaw(Small<JigsawTrainer.Options>(change));
}

[TestClass]
public sealed class PatchPairsContract : ImagePretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.PatchPairs(Small<PatchPairsTrainer.Options>(change));
}

[TestClass]
public sealed class ContrastiveMaskedPatchesContract : ImagePretrainingContract
{
    protected override IReadOnlyDictionary<string, string> OptionsWithoutEffect => WithoutBatchNorms;

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.ContrastiveMaskedPatches(Small<ContrastiveMaskedPatchesTrainer.Options>(change, Transformer));
}
