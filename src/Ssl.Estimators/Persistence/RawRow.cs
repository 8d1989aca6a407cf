namespace Ssl.Estimators.Persistence;

/// <summary>
/// One row of input in the neutral form in which a model takes it: numbers and texts, each in the order of the model's input columns
/// (<see cref="InputKind"/> says which of the two brings a column); or the pixels of an image.
/// The memory belongs to the caller and is valid only during the call that receives the row.
/// </summary>
/// <param name="Numbers">Cells of the numeric input columns, one after the other; empty where the modality has none.</param>
/// <param name="Texts">Values of the text input columns; empty where the modality has none.</param>
internal readonly record struct RawRow(ReadOnlyMemory<float> Numbers, ReadOnlyMemory<ReadOnlyMemory<char>> Texts)
{
    /// <summary>The image's pixels in the encoder's size, channel by channel; empty where the modality has none.</summary>
    public ReadOnlyMemory<byte> Pixels { get; init; }

    /// <summary>A row of texts only.</summary>
    public static RawRow OfTexts(ReadOnlyMemory<ReadOnlyMemory<char>> texts) => new(default, texts);
}
