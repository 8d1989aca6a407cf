using System.Reflection;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;
using Ssl.MLNet.Tests;

namespace Ssl.Contract.Tests;

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

[TestClass]
public sealed class TsdaeContract : TextPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new TsdaeTrainer.Options { Encoder = Encoders.Small(), BatchSize = 16, NumberOfEpochs = 2 };
        change?.Invoke(options);
        return mlContext.SelfSupervised().Text.Tsdae(options);
    }
}

[TestClass]
public sealed class SentencePermutationContract : TextPretrainingContract
{
    // A text of one sentence has nothing to shuffle.
    protected override List<TextRow> Rows(int count, int seed = 1)
    {
        var rows = base.Rows(count, seed);
        foreach (var row in rows)
            row.Text = $"{row.Text}. {row.Pair}.";
        return rows;
    }

    // With the marks that end sentences.
    protected override object? Other(PropertyInfo option, object? now) => option.Name == "Tokenizer"
        ? WordPieceTokenizer.Train(["file reads lines.", "other words here."], new WordPieceTokenizer.Options { MinimumCount = 1 })
        : base.Other(option, now);

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new SentencePermutationTrainer.Options { Encoder = Encoders.Small(), BatchSize = 16, NumberOfEpochs = 2 };
        change?.Invoke(options);
        return mlContext.SelfSupervised().Text.SentencePermutation(options);
    }
}
