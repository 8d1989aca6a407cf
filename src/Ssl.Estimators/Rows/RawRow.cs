namespace Ssl.Estimators.Rows;

/// <summary>
/// One row as it stands in the data, the same for training and scoring: the cells of its columns, each kind in the order of the columns.
/// The memory belongs to the caller and is valid only during the call that receives the row.
/// </summary>
/// <param name="Numbers">
/// Cells of the columns of numbers, booleans (0 and 1), dates (seconds since 1970) and durations (seconds), one after the other, zeros of
/// sparse vectors included. In Double, whatever their type: scale them before they become Single, which has seven digits only.
/// </param>
/// <param name="Texts">
/// Cells of the columns of texts and keys, one after the other; of a key its value, whatever its number, and the empty text where it is
/// missing.
/// </param>
public readonly record struct RawRow(ReadOnlyMemory<double> Numbers, ReadOnlyMemory<ReadOnlyMemory<char>> Texts)
{
    /// <summary>The image's pixels in the encoder's size, channel by channel; empty unless the column is one of images.</summary>
    internal ReadOnlyMemory<byte> Pixels { get; init; }

    /// <summary>Whether there is no image, or a pixel of it is not a number: <see cref="Pixels"/> are 0 there.</summary>
    internal bool HasGaps { get; init; }

    /// <summary>What is odd in the image, for <see cref="RowNotices"/>; null for nothing.</summary>
    internal string? Notice { get; init; }
}
