using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Contract.Tests;

[TestClass]
public sealed class ScarfContract : TabularPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Tabular.Scarf(Small<ScarfTrainer.Options>(change));
}

[TestClass]
public sealed class VimeContract : TabularPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Tabular.Vime(Small<VimeTrainer.Options>(change,
            TabularEncoders.ResidualMlp(1, 16, cellDimension: 4)));
}

[TestClass]
public sealed class SubTabContract : TabularPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Tabular.SubTab(Small<SubTabTrainer.Options>(change));
}

[TestClass]
public sealed class DenoisingAutoencoderContract : TabularPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Tabular.DenoisingAutoencoder(
            Small<DenoisingAutoencoderTrainer.Options>(change, TabularEncoders.ResidualMlp(1, 16, NumericEmbedding.Periodic, 4)));
}

[TestClass]
public sealed class MaskedCellsContract : TabularPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Tabular.MaskedCells(Small<MaskedCellsTrainer.Options>(change,
            TabularEncoders.ColumnTransformer(1, 16, 2)));
}

[TestClass]
public sealed class ContrastiveMaskedCellsContract : TabularPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Tabular.ContrastiveMaskedCells(Small<ContrastiveMaskedCellsTrainer.Options>(change));
}
