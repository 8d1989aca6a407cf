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
    private readonly int _paddingId = paddingId;

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
        var (longest, shortest) = Lengths(rows);
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
            target[tokens.Length..].Fill(_paddingId);
            maskCells.Slice(i * longest, tokens.Length).Fill(1);
        }
        return new TokenBatch(ids, mask) { HasPadding = shortest < longest };
    }

    /// <summary>These texts in a device's memory.</summary>
    public DeviceTokens OnDevice(Device device) => new(this, device);

    // Of the longest text, one at least, and of the shortest.
    private (int Longest, int Shortest) Lengths(ReadOnlySpan<int> rows)
    {
        int longest = 1, shortest = int.MaxValue;
        foreach (var row in rows)
            (longest, shortest) = (Math.Max(longest, Length(row)), Math.Min(shortest, Length(row)));
        return (longest, shortest);
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

    /// <summary>The texts in a device's memory: four bytes a token.</summary>
    public sealed class DeviceTokens : IDisposable
    {
        private readonly TokenRows _host;
        private readonly Tensor _tokens, _padding;
        private readonly DevicePlaces _places;

        internal DeviceTokens(TokenRows rows, Device device)
        {
            _host = rows;
            var lengths = new long[rows.Count];
            for (var i = 0; i < lengths.Length; i++)
                lengths[i] = rows.Length(i);
            _places = new DevicePlaces(lengths, Math.Max(1, lengths.DefaultIfEmpty().Max()), device);
            ReadOnlySpan<int> tokens = rows._rows.ItemCount > 0 ? rows._rows.Items : [rows._paddingId];
            _tokens = DeviceRows.Upload(tokens, ScalarType.Int32, device, tokens.Length);
            _padding = DeviceRows.Upload<long>([rows._paddingId], ScalarType.Int64, device, 1);
        }

        /// <summary>The batch that <see cref="TokenRows.ToBatch"/> makes, on the device.</summary>
        /// <param name="rows">Numbers of the texts, int64 [N], on the device.</param>
        /// <param name="numbers">The same on the host.</param>
        public TokenBatch ToBatch(Tensor rows, ReadOnlySpan<int> numbers)
        {
            using var scope = NewDisposeScope();
            var (longest, shortest) = _host.Lengths(numbers);
            var (places, inside) = _places.Of(rows, longest);
            // Of int32 and int64 comes int64.
            var ids = where(inside, _tokens.take(places), _padding);
            return new TokenBatch(ids.DetachFromDisposeScope(), inside.DetachFromDisposeScope()) { HasPadding = shortest < longest };
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _tokens.Dispose();
            _padding.Dispose();
            _places.Dispose();
        }
    }
}
