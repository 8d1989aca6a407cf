using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>A column of images. A row in which a pixel is not a number, or in which there is no image, is not learned from.</summary>
/// <param name="column">The column.</param>
/// <param name="factory">The encoder, which says to what images are brought.</param>
/// <param name="maximum">The value of a white pixel in a column of other numbers than bytes.</param>
/// <param name="loaded">Whether the column holds decoded images, not vectors.</param>
/// <param name="moments">Measures the first images that are learned from; null where none are.</param>
/// <param name="skip">Told which image cannot be decoded, and the row has none; null lets the reading fail.</param>
internal sealed class ImageRowFormat(string column, ImageEncoderFactory factory, float maximum, bool loaded, PixelMoments? moments = null,
    Action<string>? skip = null) : RowFormat([column])
{
    public const string KindName = "image";

    private const string MaximumKey = "pixelMaximum", LoadedKey = "loadedImages";

    public override string Kind => KindName;

    public override string Needed => "image";

    public override int EmbeddingDimension => factory.EmbeddingDimension;

    internal override DataViewType ColumnType => loaded ? new ImageDataViewType() : base.ColumnType;

    internal override bool RoundsToBFloat16 => factory.RoundsToBFloat16;

    public override void CheckColumn(string name, ColumnShape shape) => PixelColumn.Check(name, shape, factory.Shape);

    public override RowStore NewStore() => new PixelRows(factory.Shape, moments);

    public override Encoder CreateEncoder(RandomStreams streams) => factory.Create(streams);

    /// <summary>The encoder's description.</summary>
    public ImageEncoderFactory Factory => factory;

    /// <summary>The value of a white pixel in a column of other numbers than bytes.</summary>
    public float Maximum => maximum;

    /// <summary>Whether the column holds decoded images, not vectors.</summary>
    public bool IsLoaded => loaded;

    public override JsonObject ToJson()
        => new() { [EncoderKey] = factory.ToJson(), [MaximumKey] = maximum, [LoadedKey] = loaded };

    public static ImageRowFormat Read(JsonObject json, IReadOnlyList<string> columns) => new(columns[0],
        ReadEncoder<ImageEncoderFactory>(json, "images"), (float)json[MaximumKey]!, (bool?)json[LoadedKey] ?? false);

    internal override IEnumerable<DataViewSchema.Column> ActiveColumns(DataViewSchema schema)
        => schema[Columns[0]].Type is ImageDataViewType
            ? base.ActiveColumns(schema).Concat(LoadedImageColumn.Names(schema).Select(name => schema[name])) : base.ActiveColumns(schema);

    // Black where there is no image, and where an image has gaps: it still has an embedding.
    internal override Func<RowBuffer, RawRow> Open(DataViewRow input)
    {
        var read = PixelColumn.Open(input, input.Schema[Columns[0]], factory.Shape, maximum);
        return buffer =>
        {
            if (buffer.Pixels.Length != factory.Shape.Length)
                buffer.Pixels = new byte[factory.Shape.Length];
            buffer.Pixels.AsSpan().Clear();
            try
            {
                var isWhole = read(buffer.Pixels, out var notice);
                return new RawRow { HasGaps = !isWhole, Pixels = buffer.Pixels, Notice = notice };
            }
            catch (UnreadableImageException e) when (skip is not null)
            {
                skip(e.Message);
                return new RawRow { HasGaps = true, Pixels = buffer.Pixels };
            }
        };
    }

    /// <summary>The format of a model, which has its own weights and none to start from.</summary>
    public ImageRowFormat OfArchitecture() => new(Columns[0], factory.Architecture, maximum, loaded);

    internal override RowFormat Learned() => new ImageRowFormat(Columns[0],
        factory.Normalization is null ? factory.WithNormalization(moments!.Normalization()) : factory, maximum, loaded);
}

/// <summary>Mean and deviation of the first images that training reads, channel by channel.</summary>
internal sealed class PixelMoments(ImageShape shape)
{
    // They are known well enough after so many images.
    private const int MeasuredImages = 4096;

    private readonly long[] _sums = new long[shape.Channels];
    private readonly long[] _squares = new long[shape.Channels];
    private int _measured;

    // Of several processes each measures those of its rows that are among the first ones, as one would.
    private readonly int _most = ProcessGroup.Current is { } group ? (MeasuredImages - group.Rank + group.Count - 1) / group.Count : MeasuredImages;

    /// <summary>Counts an image.</summary>
    public void Add(ReadOnlySpan<byte> pixels)
    {
        if (_measured >= _most)
            return;
        var plane = shape.Height * shape.Width;
        for (var i = 0; i < pixels.Length; i++)
        {
            _sums[i / plane] += pixels[i];
            _squares[i / plane] += pixels[i] * pixels[i];
        }
        _measured++;
    }

    /// <summary>What was measured; neutral before anything was.</summary>
    public ImageNormalization Normalization()
    {
        var (measured, sums, squares) = ((long)_measured, _sums, _squares);
        if (ProcessGroup.Current is { } group)
            (measured, sums, squares) = (group.Sum(measured), Array.ConvertAll(sums, group.Sum), Array.ConvertAll(squares, group.Sum));
        if (measured == 0)
            return ImageNormalization.Neutral(shape.Channels);
        double count = (double)measured * shape.Height * shape.Width * 255;
        var means = sums.Select(sum => sum / count).ToArray();
        // An even channel has no deviation of its own.
        var deviations = squares.Select((sum, c) => Math.Sqrt(Math.Max(0, sum / count / 255 - means[c] * means[c])))
            .Select(d => d < 1e-3 ? 1 : d);
        return new ImageNormalization([.. means.Select(m => (float)m)], [.. deviations.Select(d => (float)d)]);
    }
}

/// <summary>Images of one size as bytes, many in a block: one byte a number.</summary>
internal sealed class PixelRows(ImageShape shape, PixelMoments? moments = null) : RowStore
{
    private const int BlockBytes = 1 << 22;

    private readonly int _rowsPerBlock = Math.Max(1, BlockBytes / shape.Length);
    private List<byte[]> _blocks = [];
    private int _count;

    private ImageShape Shape => shape;

    public override int Count => _count;

    public override long Bytes => (long)_count * shape.Length;

    public override bool IsFull => _count == int.MaxValue;

    public override string Content => string.Create(CultureInfo.InvariantCulture, $"{Bytes:N0} bytes of pixels");

    public override bool Add(RawRow row, bool keepsEmpty)
    {
        Notices?.CountRow();
        if (row.Notice is { } notice)
            Notices?.Count(notice);
        if (row.HasGaps && !keepsEmpty)
            return false;
        Add(row.Pixels.Span);
        moments?.Add(row.Pixels.Span);
        return true;
    }

    public override void KeepOnly(ReadOnlySpan<int> rows)
    {
        var kept = new PixelRows(shape);
        foreach (var row in rows)
            kept.Add(Row(row));
        (_blocks, _count) = (kept._blocks, kept._count);
    }

    public override void Clear() => _count = 0;

    public override ImageBatch ToBatch(ReadOnlySpan<int> rows)
    {
        RequireFits(rows.Length, shape.Length, sizeof(byte), $"image of {shape.Width} x {shape.Height} pixels");
        var pixels = empty(rows.Length, shape.Channels, shape.Height, shape.Width, dtype: ScalarType.Byte);
        var target = pixels.bytes;
        for (var i = 0; i < rows.Length; i++)
            Row(rows[i]).CopyTo(target[(i * shape.Length)..]);
        return new ImageBatch(pixels);
    }

    internal override DeviceRows OnDevice(Device device) => new DevicePixels(this, device);

    private void Add(ReadOnlySpan<byte> pixels)
    {
        if (_count == _blocks.Count * _rowsPerBlock)
            _blocks.Add(new byte[_rowsPerBlock * shape.Length]);
        pixels.CopyTo(Row(_count++));
    }

    private Span<byte> Row(int row) => _blocks[row / _rowsPerBlock].AsSpan(row % _rowsPerBlock * shape.Length, shape.Length);

    /// <summary>The images in a device's memory, as bytes.</summary>
    private sealed class DevicePixels : DeviceRows
    {
        private readonly Tensor _pixels; // [rows, channels, height, width]

        public DevicePixels(PixelRows rows, Device device) : base(device)
        {
            // Row by row the bytes would be copied twice: a block of the store is one piece.
            _pixels = empty(rows._count, rows.Shape.Channels, rows.Shape.Height, rows.Shape.Width, dtype: ScalarType.Byte, device: device)
                .DetachFromDisposeScope();
            for (var first = 0; first < rows._count; first += rows._rowsPerBlock)
            {
                var count = Math.Min(rows._rowsPerBlock, rows._count - first);
                using var scope = NewDisposeScope();
                var block = Upload<byte>(rows._blocks[first / rows._rowsPerBlock].AsSpan(0, count * rows.Shape.Length), ScalarType.Byte, CPU,
                    count, rows.Shape.Channels, rows.Shape.Height, rows.Shape.Width);
                _pixels.narrow(0, first, count).copy_(block);
                block.Dispose();
            }
        }

        public override IReadOnlyList<Batch> ToBatches(Tensor rows, ReadOnlySpan<int> numbers)
            => [new ImageBatch(_pixels.index_select(0, rows).DetachFromDisposeScope())];

        public override void Dispose() => _pixels.Dispose();
    }
}
