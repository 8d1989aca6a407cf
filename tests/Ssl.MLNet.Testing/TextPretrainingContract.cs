using Ssl.Estimators;

namespace Ssl.MLNet.Testing;

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

    protected override IReadOnlyCollection<string> Prepared => [.. base.Prepared, "Truncation"];

    // Longer texts than the encoder takes.
    protected override void Prepare(string option, PretrainingOptions options)
    {
        base.Prepare(option, options);
        if (option == "Truncation")
            ((TextPretrainingOptions)options).Encoder = TextEncoders.Transformer(1, 16, 2, maximumTokens: 5);
    }

    protected override (string Column, string Expected, string Got) Wrong => ("Numbers", "String", "Vector<Single");
}
