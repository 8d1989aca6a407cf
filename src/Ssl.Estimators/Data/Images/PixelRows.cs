using System.Globalization;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Data;

/// <summary>Images of one size as bytes, many in a block: one byte a number.</summary>
internal sealed class PixelRows(ImageShape shape) : RowStore
{
    private const int BlockBytes = 1 << 22;

    private readonly int _rowsPerBlock = Math.Max(1, BlockBytes / shape.Length);
    private List<byte[]> _blocks = [];
    private int _count;

    public override int Count => _count;

    public override long Bytes => (long)_count * shape.Length;

    public override bool IsFull => _count == int.MaxValue;

    public override string Content => string.Create(CultureInfo.InvariantCulture, $"{Bytes:N0} bytes of pixels");

    /// <summary>Appends an image and gives its memory, to be filled.</summary>
    public Span<byte> Add()
    {
        if (_count == _blocks.Count * _rowsPerBlock)
            _blocks.Add(new byte[_rowsPerBlock * shape.Length]);
        return Row(_count++);
    }

    /// <summary>Takes the last image back.</summary>
    public void RemoveLast() => _count--;

    public override void KeepOnly(ReadOnlySpan<int> rows)
    {
        var kept = new PixelRows(shape);
        foreach (var row in rows)
            Row(row).CopyTo(kept.Add());
        (_blocks, _count) = (kept._blocks, kept._count);
    }

    public override ImageBatch ToBatch(ReadOnlySpan<int> rows)
    {
        var pixels = empty(rows.Length, shape.Channels, shape.Height, shape.Width, dtype: ScalarType.Byte);
        var target = pixels.bytes;
        for (var i = 0; i < rows.Length; i++)
            Row(rows[i]).CopyTo(target[(i * shape.Length)..]);
        return new ImageBatch(pixels);
    }

    private Span<byte> Row(int row) => _blocks[row / _rowsPerBlock].AsSpan(row % _rowsPerBlock * shape.Length, shape.Length);
}
