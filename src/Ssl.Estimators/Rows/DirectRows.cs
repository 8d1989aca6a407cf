using Microsoft.ML.Data;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Rows;

/// <summary>Texts or images that come without a view, on their way into a format's store. Used by one thread at a time.</summary>
/// <param name="format">Of one column of texts, or of images.</param>
internal sealed class DirectRows(RowFormat format)
{
    private const long MostBytesKept = 1 << 22;

    private readonly ImageScaler? _scaler = format is ImageRowFormat images ? new ImageScaler(images.Factory.Shape) : null;
    private readonly byte[] _pixels = format is ImageRowFormat images ? new byte[images.Factory.Shape.Length] : [];
    private long _mostBytes;

    /// <summary>The rows, as a view's would be stored.</summary>
    public RowStore Store { get; } = format.NewStore();

    /// <summary>Adds a text.</summary>
    public void Add(ReadOnlySpan<char> text) => ((TextRows)Store).Add(text);

    /// <summary>Adds an image, which is neither changed nor disposed of.</summary>
    /// <returns>Why it cannot be taken; null where it was.</returns>
    public string? Add(MLImage image)
    {
        if (LoadedImageColumn.FaultOf(image) is { } fault)
            return fault;
        _scaler!.Write(image, _pixels);
        Store.Add(new RawRow { Pixels = _pixels }, keepsEmpty: true);
        return null;
    }

    /// <summary>Whether its memory is worth waiting for a next call.</summary>
    public bool IsSmall => _mostBytes <= MostBytesKept;

    /// <summary>Drops all rows; the memory is kept.</summary>
    public void Clear()
    {
        _mostBytes = Math.Max(_mostBytes, Store.Bytes);
        Store.Clear();
    }
}
