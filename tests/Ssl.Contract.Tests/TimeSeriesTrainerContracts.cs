using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Contract.Tests;

[TestClass]
public sealed class Ts2VecContract : TimeSeriesPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().TimeSeries.Ts2Vec(Small<Ts2VecTrainer.Options>(change, Convolution));
}

[TestClass]
public sealed class MaskedPatchesContract : TimeSeriesPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().TimeSeries.MaskedPatches(Small<MaskedPatchesTrainer.Options>(change, Patches));
}

[TestClass]
public sealed class TemporalContextualContrastContract : TimeSeriesPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().TimeSeries.TemporalContextualContrast(Small<TemporalContextualContrastTrainer.Options>(change,
            TimeSeriesEncoders.PooledConvolution(16, numberOfBlocks: 2, kernelSize: 4)));
}
