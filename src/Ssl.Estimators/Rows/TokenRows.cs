using System.Globalization;
using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>The token ids of many texts, one after the other in one array: four bytes a token and four a text.</summary>
/// <param name="paddingId">Fills short texts of a batch up.</param>
internal sealed class TokenRows(int paddingId)
{
    // A list holds at most Array.MaxLength items; a text has far fewer than the margin.
    private const int Margin = 1 << 20;

    private readonly RaggedRows<int> _rows = new();

    /// <summary>Texts held.</summary>
    public int Count => _rows.Count;

    /// <summary>Tokens held, over all texts.</summary>
    public long TokenCount => _rows.ItemCount;

    /// <summary>Bytes that the content takes.</summary>
    public long Bytes => _rows.Bytes;

    /// <summary>How much there is, for the log.</summary>
    public string Content => string.Create(CultureInfo.InvariantCulture, $"{TokenCount:N0} tokens");

    /// <summary>Whether no further text is sure to fit.</summary>
    public bool IsFull => _rows.ItemCount > Array.MaxLength - Margin;

    /// <summary>Tokens of a text.</summary>
    public int Length(int row) => _rows.Length(row);

    /// <summary>Tokens of the longest of some texts.</summary>
    public int Longest(ReadOnlySpan<int> rows)
    {
        var longest = 0;
        foreach (var row in rows)
            longest = Math.Max(longest, Length(row));
        return longest;
    }

    /// <summary>The tokens of a text.</summary>
    public ReadOnlySpan<int> this[int row] => _rows[row];

    /// <summary>Adds a text.</summary>
    public void Add(ReadOnlySpan<int> tokens) => tokens.CopyTo(_rows.Add(tokens.Length));

    /// <summary>Drops all texts but these.</summary>
    public void KeepOnly(ReadOnlySpan<int> rows) => _rows.KeepOnly(rows);

    /// <summary>Drops all texts.</summary>
    public void Clear() => _rows.Clear();

    /// <summary>A batch on the CPU, padded to its longest text: ids and mask [rows, longest].</summary>
    public TokenBatch ToBatch(ReadOnlySpan<int> rows)
    {
        int longest = 1, shortest = int.MaxValue;
        foreach (var row in rows)
            (longest, shortest) = (Math.Max(longest, Length(row)), Math.Min(shortest, Length(row)));
        RowStore.RequireFits(rows.Length, longest, sizeof(long), $"text of {longest} tokens");
        var ids = empty(rows.Length, longest, dtype: ScalarType.Int64);
        var mask = zeros(rows.Length, longest, dtype: ScalarType.Bool);
        var idCells = MemoryMarshal.Cast<byte, long>(ids.bytes);
        var maskCells = mask.bytes;
        for (var i = 0; i < rows.Length; i++)
        {
            var tokens = this[rows[i]];
            var target = idCells.Slice(i * longest, longest);
            for (var j = 0; j < tokens.Length; j++)
                target[j] = tokens[j];
            target[tokens.Length..].Fill(paddingId);
            maskCells.Slice(i * longest, tokens.Length).Fill(1);
        }
        return new TokenBatch(ids, mask) { HasPadding = shortest < longest };
    }

    /// <summary>All texts without padding: what a bag of tokens needs.</summary>
    /// <param name="specialCount">Ids below it are special tokens, which are left out, except where a text has nothing else.</param>
    /// <returns>The tokens of all texts behind each other, int64, and where each text begins, int64 [rows].</returns>
    public (Tensor Tokens, Tensor Offsets) ToBags(int specialCount)
    {
        var (tokenTensor, offsetTensor) = (empty(TokenCount, dtype: ScalarType.Int64), empty(Count, dtype: ScalarType.Int64));
        var tokens = MemoryMarshal.Cast<byte, long>(tokenTensor.bytes);
        var offsets = MemoryMarshal.Cast<byte, long>(offsetTensor.bytes);
        var end = 0;
        for (var row = 0; row < offsets.Length; row++)
        {
            offsets[row] = end;
            foreach (var token in this[row])
                if (token >= specialCount)
                    tokens[end++] = token;
            if (end > offsets[row])
                continue;
            foreach (var token in this[row])
                tokens[end++] = token;
        }
        return (tokenTensor.narrow(0, 0, end), offsetTensor);
    }

    /// <summary>Texts without padding, behind each other.</summary>
    /// <param name="rows">The texts.</param>
    /// <returns>Their tokens, int64 [T], and where each begins, with T behind the last.</returns>
    public (Tensor Ids, int[] Starts) ToPacked(ReadOnlySpan<int> rows)
    {
        var starts = new int[rows.Length + 1];
        for (var i = 0; i < rows.Length; i++)
            starts[i + 1] = starts[i] + Length(rows[i]);
        var ids = empty(starts[^1], dtype: ScalarType.Int64);
        var cells = MemoryMarshal.Cast<byte, long>(ids.bytes);
        for (var i = 0; i < rows.Length; i++)
        {
            var tokens = this[rows[i]];
            for (var j = 0; j < tokens.Length; j++)
                cells[starts[i] + j] = tokens[j];
        }
        return (ids, starts);
    }
}
