using Microsoft.ML;
using Ssl.Estimators;
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

[TestClass]
public sealed class MaskedImageTextContract : ImageTextPretrainingContract
{
    protected override IReadOnlyDictionary<string, string> OptionsWithoutEffect { get; } = new Dictionary<string, string>
    {
        ["ImageColumnName"] = "another column is other data",
        ["TextColumnName"] = "another column is other data",
        ["RecomputesBatchStatistics"] = "a transformer has no batch norms",
    };

    protected override TextEncoderFactory Texts => TextEncoders.Transformer(1, 16, 2, maximumTokens: 16);

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new MaskedImageTextTrainer.Options
        {
            ImageEncoder = ImageEncoders.VisionTransformer(8, 2, 2, numberOfLayers: 1, dimension: 16, numberOfHeads: 2),
            TextEncoder = Texts,
            Dimension = 16,
            NumberOfLayers = 1,
            NumberOfHeads = 2,
            BatchSize = 16,
            NumberOfEpochs = 2,
            LearningRate = 1e-3,
        };
        change?.Invoke(options);
        return mlContext.SelfSupervised().ImageText.MaskedImageText(options);
    }
}
