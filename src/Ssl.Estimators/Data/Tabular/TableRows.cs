using System.Globalization;
using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Data;

/// <summary>The cells of many table rows, one row after the other: four bytes a cell.</summary>
internal sealed class TableRows(TableLayout layout) : RowStore
{
    private readonly int _numeric = layout.NumericCount;
    private readonly int _categorical = layout.CategoricalCount;
    private float[] _numbers = [];
    private int[] _codes = [];
    private int _count;

    /// <inheritdoc/>
    public override int Count => _count;

    /// <inheritdoc/>
    public override long Bytes => 4L * _count * (_numeric + _categorical);

    /// <inheritdoc/>
    public override bool IsFull => (long)(_count + 1) * Math.Max(_numeric, _categorical) > Array.MaxLength;

    /// <inheritdoc/>
    public override string Content => string.Create(CultureInfo.InvariantCulture, $"{(long)_count * (_numeric + _categorical):N0} cells");

    /// <summary>Adds a row whose cells the caller fills at once.</summary>
    public void Add(out Span<float> numbers, out Span<int> codes)
    {
        _numbers = Grown(_numbers, _numeric);
        _codes = Grown(_codes, _categorical);
        numbers = _numbers.AsSpan(_count * _numeric, _numeric);
        codes = _codes.AsSpan(_count * _categorical, _categorical);
        _count++;
    }

    /// <inheritdoc/>
    public override void KeepOnly(ReadOnlySpan<int> rows)
    {
        var (numbers, codes) = (new float[rows.Length * _numeric], new int[rows.Length * _categorical]);
        for (var i = 0; i < rows.Length; i++)
        {
            _numbers.AsSpan(rows[i] * _numeric, _numeric).CopyTo(numbers.AsSpan(i * _numeric));
            _codes.AsSpan(rows[i] * _categorical, _categorical).CopyTo(codes.AsSpan(i * _categorical));
        }
        (_numbers, _codes, _count) = (numbers, codes, rows.Length);
    }

    /// <inheritdoc/>
    public override TableBatch ToBatch(ReadOnlySpan<int> rows)
    {
        var numbers = empty(rows.Length, _numeric, dtype: ScalarType.Float32);
        var missing = empty(rows.Length, _numeric, dtype: ScalarType.Bool);
        var codes = empty(rows.Length, _categorical, dtype: ScalarType.Int64);
        var numberCells = MemoryMarshal.Cast<byte, float>(numbers.bytes);
        var missingCells = missing.bytes;
        var codeCells = MemoryMarshal.Cast<byte, long>(codes.bytes);
        for (var i = 0; i < rows.Length; i++)
        {
            var from = _numbers.AsSpan(rows[i] * _numeric, _numeric);
            for (var j = 0; j < from.Length; j++)
            {
                var isMissing = float.IsNaN(from[j]);
                numberCells[i * _numeric + j] = isMissing ? 0 : from[j];
                missingCells[i * _numeric + j] = isMissing ? (byte)1 : (byte)0;
            }
            var entries = _codes.AsSpan(rows[i] * _categorical, _categorical);
            for (var j = 0; j < entries.Length; j++)
                codeCells[i * _categorical + j] = entries[j];
        }
        return new TableBatch(numbers, missing, codes);
    }

    private T[] Grown<T>(T[] cells, int width)
    {
        var needed = (long)(_count + 1) * width;
        if (needed <= cells.Length)
            return cells;
        Array.Resize(ref cells, (int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * cells.Length)));
        return cells;
    }
}
