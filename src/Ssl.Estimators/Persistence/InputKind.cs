namespace Ssl.Estimators.Persistence;

/// <summary>How an input column reaches a model: which part of a <see cref="RawRow"/> brings it.</summary>
internal enum InputKind
{
    /// <summary>Cells among <see cref="RawRow.Texts"/>: a column of texts, one or a vector a row.</summary>
    Text,

    /// <summary>
    /// Cells among <see cref="RawRow.Texts"/>: a column of keys with values, one or a vector a row; the value as text, whatever its number,
    /// and the empty text where the key is missing.
    /// </summary>
    Key,

    /// <summary>Cells among <see cref="RawRow.Numbers"/>: a column of numbers or booleans, one or a vector a row.</summary>
    Number,

    /// <summary><see cref="RawRow.Pixels"/>: a column of images, as <c>LoadImages</c> makes it.</summary>
    Image,
}
