using System.Text.Json.Nodes;

namespace Ssl.Estimators;

/// <summary>How much of texts was cut off because an encoder takes no more tokens.</summary>
/// <param name="Rows">Rows that were read.</param>
/// <param name="RowsCut">Rows of which a text was cut.</param>
/// <param name="Tokens">Tokens that the texts have, special ones not counted.</param>
/// <param name="TokensCut">
/// Tokens that were cut off. Of many long texts that keep their beginning it is an estimate by their lengths: cutting all that is not kept into
/// tokens would take longer than the rest.
/// </param>
public sealed record TruncationCounts(long Rows, long RowsCut, long Tokens, long TokensCut)
{
    private const string RowsKey = "rows", RowsCutKey = "rowsCut", TokensKey = "tokens", TokensCutKey = "tokensCut";

    /// <summary>Nothing was read.</summary>
    internal static TruncationCounts None { get; } = new(0, 0, 0, 0);

    /// <summary>Share of the rows of which a text was cut; 0 where there is none.</summary>
    public double ShareOfRows => Rows == 0 ? 0 : (double)RowsCut / Rows;

    /// <summary>Share of the tokens that were cut off; 0 where there is none.</summary>
    public double ShareOfTokens => Tokens == 0 ? 0 : (double)TokensCut / Tokens;

    /// <summary>The sums of both.</summary>
    internal TruncationCounts Plus(TruncationCounts other)
        => new(Rows + other.Rows, RowsCut + other.RowsCut, Tokens + other.Tokens, TokensCut + other.TokensCut);

    internal JsonObject ToJson()
        => new() { [RowsKey] = Rows, [RowsCutKey] = RowsCut, [TokensKey] = Tokens, [TokensCutKey] = TokensCut };

    internal static TruncationCounts? FromJson(JsonNode? json) => json is JsonObject
        ? new((long)json[RowsKey]!, (long)json[RowsCutKey]!, (long)json[TokensKey]!, (long)json[TokensCutKey]!) : null;
}
