using Microsoft.ML;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Transformers;
using Ssl.MLNet;

namespace Ssl.Contract.Tests;

[TestClass]
public sealed class ClipContract : ImageTextPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().ImageText.Clip(Small<ClipTrainer.Options>(change));
}

[TestClass]
public sealed class SigLipContract : ImageTextPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().ImageText.SigLip(Small<SigLipTrainer.Options>(change));
}
