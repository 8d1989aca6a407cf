using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Rows;

/// <summary>Columns of time series: vectors of numbers of any type, channel by channel, of one length or of differing lengths.</summary>
internal static class SeriesColumns
{
    /// <summary>The layout of the series in a column.</summary>
    /// <param name="name">The column.</param>
    /// <param name="shape">Its type; sizes are known at Fit only.</param>
    /// <param name="channels">What the user says; <see langword="null"/> leaves it to the type, or to one channel.</param>
    /// <param name="perTimestamp">Whether embeddings hold a vector for every step.</param>
    /// <param name="spectrogram">Makes series of sounds; <see langword="null"/> where the column holds series.</param>
    public static SeriesLayout LayoutOf(string name, ColumnShape shape, int? channels, bool perTimestamp, LogMelSpectrogram? spectrogram = null)
    {
        if (spectrogram is not null)
            return new SeriesLayout(spectrogram.NumberOfBands, shape.Dimensions is [var samples] ? spectrogram.Frames(samples) : null, perTimestamp);
        if (shape.Dimensions is not { } dimensions)
            return new SeriesLayout(channels ?? 1, null, perTimestamp);
        var size = dimensions.Aggregate(1, (a, b) => checked(a * b));
        var count = channels ?? (dimensions.Count == 2 ? dimensions[0] : 1);
        if (size % count != 0 || (dimensions.Count == 2 && dimensions[0] != count))
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, $"a vector of {count} channels", Described(shape),
                "Set NumberOfChannels to the channels of the column.");
        }
        return new SeriesLayout(count, size / count, perTimestamp);
    }

    /// <summary>Throws unless a column holds series, of a layout where one is given and the column's is known.</summary>
    /// <param name="name">The column.</param>
    /// <param name="shape">What the data have under this name.</param>
    /// <param name="needsLength">Whether all series must have one length that the type states.</param>
    /// <param name="minimumLength">The fewest timestamps.</param>
    /// <param name="layout">The encoder's; <see langword="null"/> while there is none.</param>
    /// <param name="channels">What the user says of the channels.</param>
    /// <param name="spectrogram">Makes series of sounds; <see langword="null"/> where the column holds series.</param>
    public static void Check(string name, ColumnShape shape, bool needsLength, int minimumLength, SeriesLayout? layout,
        int? channels = null, LogMelSpectrogram? spectrogram = null)
    {
        var isSeries = shape.Kind != SchemaShape.Column.VectorKind.Scalar && !shape.IsKey && shape.ItemType is NumberDataViewType;
        if (!isSeries || (needsLength && shape.Kind != SchemaShape.Column.VectorKind.Vector))
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, needsLength ? "a known-size vector of numbers" : "a vector of numbers",
                shape.ToString(), isSeries ? "One embedding a timestamp needs series of one length: leave PerTimestamp unset."
                : "Give a series as one vector, channel by channel: mlContext.Transforms.Concatenate(…).");
        }
        if (spectrogram is not null && shape.SampleRate is { } rate && rate != spectrogram.SampleRate)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, $"sounds of {spectrogram.SampleRate} samples a second, as the spectrogram has them",
                $"{rate} a second", "Give the spectrogram the rate of the column, or load the sounds at the rate of the spectrogram.");
        }
        if (shape.Dimensions is null)
            return;
        if (spectrogram is not null && shape.Dimensions.Count > 1)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, "a vector of the samples of one channel", Described(shape),
                "Mix the channels of a sound to one, their mean, or name a column for each.");
        }
        var actual = LayoutOf(name, shape, layout?.Channels ?? channels, needsLength, spectrogram);
        if (actual.Length < minimumLength)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, $"a vector of at least {minimumLength} timestamps",
                Described(shape),
                "Take an encoder with a smaller patchLength or numberOfBlocks, or longer series.");
        }
        if (layout is { PerTimestamp: true } && actual.Length != layout.Length)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, $"a vector of {layout.Channels} x {layout.Length}",
                Described(shape),
                "One embedding a timestamp needs series of the length that the encoder was fitted on.");
        }
    }

    private static string Described(ColumnShape shape) => $"Vector<{shape.ItemType}, {string.Join(", ", shape.Dimensions!)}>";
}
