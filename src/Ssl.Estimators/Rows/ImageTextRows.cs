using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>A column of images and one of texts. A row in which one of them is missing is not learned from.</summary>
/// <param name="images">How images are read, and their encoder.</param>
/// <param name="texts">How texts are read, and their encoder.</param>
/// <param name="network">How both encoders become one network.</param>
internal sealed class ImageTextRowFormat(ImageRowFormat images, TextRowFormat texts, ImageTextNetwork network) : RowFormat([images.Columns[0], texts.Columns[0]])
{
    public const string KindName = "image-text";

    private const string ImagesKey = "images", TextsKey = "texts", NetworkKey = "network";

    public override string Kind => KindName;

    public override string Needed => "image and text";

    public override int EmbeddingDimension => network.EmbeddingDimension(images.Factory, texts.Factory);

    internal override bool RoundsToBFloat16 => images.RoundsToBFloat16 && texts.RoundsToBFloat16;

    internal override bool Truncates => true;

    internal override DataViewType ColumnType => images.ColumnType;

    /// <summary>How images alone are read.</summary>
    public ImageRowFormat Images => (ImageRowFormat)images.WithColumns([Columns[0]]);

    /// <summary>How texts alone are read.</summary>
    public TextRowFormat Texts => (TextRowFormat)texts.WithColumns([Columns[1]]);

    /// <summary>How both encoders become one network.</summary>
    public ImageTextNetwork Network => network;

    /// <summary>The format of a model, which has its own weights and none to start from.</summary>
    public ImageTextRowFormat OfArchitecture() => new(Images.OfArchitecture(), Texts.OfArchitecture(), network);

    public override void CheckColumn(string name, ColumnShape shape)
    {
        if (name == Columns[0])
            images.CheckColumn(name, shape);
        else
            texts.CheckColumn(name, shape);
    }

    public override RowStore NewStore() => new ImageTextRows((PixelRows)images.NewStore(), (TextRows)texts.NewStore());

    public override Encoder CreateEncoder(RandomStreams streams)
        => network.Create((ImageEncoder)images.CreateEncoder(streams), (TextEncoder)texts.CreateEncoder(streams), streams);

    public override JsonObject ToJson()
    {
        var json = new JsonObject { [ImagesKey] = images.ToJson(), [TextsKey] = texts.ToJson() };
        if (network.ToJson() is { } sizes)
            json[NetworkKey] = sizes;
        return json;
    }

    public static ImageTextRowFormat Read(JsonObject json, IReadOnlyList<string> columns)
    {
        if (columns is not [var image, var text])
            throw new FormatException($"An encoder of images and texts reads 2 columns, not {columns.Count}.");
        var network = ImageTextNetwork.Read(json[NetworkKey]?.AsObject());
        var (images, texts) = (ImageRowFormat.Read(json[ImagesKey]!.AsObject(), [image]), TextRowFormat.Read(json[TextsKey]!.AsObject(), [text]));
        return network.Takes(images.Factory, texts.Factory) ? new ImageTextRowFormat(images, texts, network)
            : throw new FormatException("The encoders of images and texts do not belong together.");
    }

    internal override string? DescribeLoss(TruncationCounts counts) => texts.DescribeLoss(counts);

    internal override RowFormat Learned() => new ImageTextRowFormat((ImageRowFormat)Images.Learned(), Texts, network);

    internal override IEnumerable<DataViewSchema.Column> ActiveColumns(DataViewSchema schema)
        => Images.ActiveColumns(schema).Concat(Texts.ActiveColumns(schema)).DistinctBy(column => column.Index);

    internal override Func<RowBuffer, RawRow> Open(DataViewRow input)
    {
        var (image, text) = (Images.Open(input), Texts.Open(input));
        return buffer => image(buffer) with { Texts = text(buffer).Texts };
    }
}

/// <summary>Images and the tokens of their texts.</summary>
internal sealed class ImageTextRows(PixelRows images, TextRows texts) : RowStore
{
    public override int Count => images.Count;

    public override long Bytes => images.Bytes + texts.Bytes;

    public override bool IsFull => images.IsFull || texts.IsFull;

    public override string Content => $"{images.Content} and {texts.Content}";

    public override int Length(int row) => texts.Length(row);

    // Both or none of them.
    public override bool Add(RawRow row, bool keepsEmpty)
    {
        images.Notices = Notices;
        return (!row.HasGaps || keepsEmpty) && texts.Add(row, keepsEmpty) && images.Add(row, keepsEmpty);
    }

    public override void KeepOnly(ReadOnlySpan<int> rows)
    {
        images.KeepOnly(rows);
        texts.KeepOnly(rows);
    }

    public override void Clear()
    {
        images.Clear();
        texts.Clear();
    }

    public override ImageTextBatch ToBatch(ReadOnlySpan<int> rows) => new(images.ToBatch(rows), texts.ToBatch(rows));

    internal override TruncationCounts TakeTruncation() => texts.TakeTruncation();

    internal override Tensor Encode(Encoder network, Device device) => network is TwoTowerEncoder towers
        ? TwoTowerEncoder.Join(images.Encode(towers.Images, device), texts.Encode(towers.Texts, device)) : base.Encode(network, device);

    internal override DeviceRows OnDevice(Device device) => new DevicePairs(images.OnDevice(device), texts.OnDevice(device), device);

    private sealed class DevicePairs(DeviceRows images, DeviceRows texts, Device device) : DeviceRows(device)
    {
        public override IReadOnlyList<Batch> ToBatches(Tensor rows, ReadOnlySpan<int> numbers)
            => [new ImageTextBatch((ImageBatch)images.ToBatches(rows, numbers)[0], (TokenBatch)texts.ToBatches(rows, numbers)[0])];

        public override void Dispose()
        {
            images.Dispose();
            texts.Dispose();
        }
    }
}
