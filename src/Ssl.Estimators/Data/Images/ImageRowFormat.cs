using Microsoft.ML;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Data;

/// <summary>A column of images. A row in which a pixel is not a number, or in which there is no image, is unusable.</summary>
/// <param name="column">The column.</param>
/// <param name="shape">Its images.</param>
/// <param name="maximum">The value of a white pixel in a Single column.</param>
/// <param name="names">Columns that name an image which cannot be decoded.</param>
/// <param name="skip">Told which image cannot be decoded, and the row is unusable; null lets the reading fail.</param>
internal sealed class ImageRowFormat(string column, ImageShape shape, float maximum, IReadOnlyList<string>? names = null,
    Action<string>? skip = null)
    : RowFormat
{
    // Mean and deviation of pixels are known well enough after so many images.
    private const int MeasuredImages = 4096;

    private readonly long[] _sums = new long[shape.Channels];
    private readonly long[] _squares = new long[shape.Channels];
    private int _measured;

    public override IReadOnlyList<string> Columns => [column, .. names ?? []];

    public override string Needed => "image";

    public override RowStore[] NewStores() => [new PixelRows(shape)];

    public override Func<RowStore[], bool> Open(DataViewRow row)
    {
        var read = PixelColumn.Open(row, row.Schema[column], shape, maximum);
        return stores =>
        {
            var rows = (PixelRows)stores[0];
            var pixels = rows.Add();
            if (!TryRead(read, pixels))
            {
                rows.RemoveLast();
                return false;
            }
            if (_measured < MeasuredImages)
                Measure(pixels);
            return true;
        };
    }

    /// <summary>Mean and deviation of the first images that were read, channel by channel; neutral ones before any was.</summary>
    public ImageNormalization Measured()
    {
        if (_measured == 0)
            return ImageNormalization.Neutral(shape.Channels);
        double count = (double)_measured * shape.Height * shape.Width * 255;
        var means = _sums.Select(sum => sum / count).ToArray();
        // An even channel has no deviation of its own.
        var deviations = _squares.Select((sum, c) => Math.Sqrt(Math.Max(0, sum / count / 255 - means[c] * means[c])))
            .Select(d => d < 1e-3 ? 1 : d);
        return new ImageNormalization([.. means.Select(m => (float)m)], [.. deviations.Select(d => (float)d)]);
    }

    private bool TryRead(PixelReader read, Span<byte> pixels)
    {
        try
        {
            return read(pixels);
        }
        catch (UnreadableImageException e) when (skip is not null)
        {
            skip(e.Message);
            return false;
        }
    }

    private void Measure(ReadOnlySpan<byte> pixels)
    {
        var plane = shape.Height * shape.Width;
        for (var i = 0; i < pixels.Length; i++)
        {
            _sums[i / plane] += pixels[i];
            _squares[i / plane] += pixels[i] * pixels[i];
        }
        _measured++;
    }
}
