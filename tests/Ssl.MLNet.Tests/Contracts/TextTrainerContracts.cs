using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;

namespace Ssl.MLNet.Tests.Contracts;

/// <summary>The contract of a text method.</summary>
public abstract class TextPretrainingContract : PretrainingContract<TextRow>
{
    protected override IReadOnlyList<string> TrainingColumns => ["Text"];

    protected override List<TextRow> Rows(int count, int seed = 1) => ContractData.Rows(count, seed);

    protected override (IReadOnlyList<TextRow> Rows, string Word) Unusable
        => ([.. Enumerable.Range(0, 20).Select(i => new TextRow { Id = i, Text = i % 2 == 0 ? "" : "  " })], "empty");

    protected override IReadOnlyList<TextRow> Odd
        => [.. new[] { "", "   ", "\u4e00\u4e8c\u4e09 \u2603", string.Join(' ', Enumerable.Repeat("file reads", 20_000)), "file" }
            .Select(text => new TextRow { Text = text, Pair = text })];

    protected override (string Column, string Expected, string Got) Wrong => ("Numbers", "String", "Vector<Single");
}

[TestClass]
public sealed class PairedContrastiveContract : TextPretrainingContract
{
    protected override IReadOnlyList<string> TrainingColumns => ["Text", "Pair"];

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new PairedContrastiveTrainer.Options
        {
            Encoder = TextEncoders.Bag(embeddingDimension: 16, tokenDimension: 24, hiddenDimension: 32), BatchSize = 16, NumberOfEpochs = 2,
        };
        change?.Invoke(options);
        return mlContext.SelfSupervised().Text.PairedContrastive(options);
    }
}

[TestClass]
public sealed class SimCseContract : TextPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new SimCseTrainer.Options { Encoder = Encoders.Small(), BatchSize = 16, NumberOfEpochs = 2 };
        change?.Invoke(options);
        return mlContext.SelfSupervised().Text.SimCse(options);
    }
}

[TestClass]
public sealed class MaskedLanguageModelContract : TextPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new MaskedLanguageModelTrainer.Options { Encoder = Encoders.Small(), BatchSize = 16, NumberOfEpochs = 2 };
        change?.Invoke(options);
        return mlContext.SelfSupervised().Text.MaskedLanguageModel(options);
    }
}

[TestClass]
public sealed class ContrastiveMaskedContract : TextPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new ContrastiveMaskedTrainer.Options { Encoder = Encoders.Small(), BatchSize = 16, NumberOfEpochs = 2 };
        change?.Invoke(options);
        return mlContext.SelfSupervised().Text.ContrastiveMasked(options);
    }
}

internal static class Encoders
{
    public static TextEncoderFactory Small()
        => TextEncoders.Transformer(dimension: 16, numberOfLayers: 1, numberOfHeads: 2, maximumTokens: 16);
}
