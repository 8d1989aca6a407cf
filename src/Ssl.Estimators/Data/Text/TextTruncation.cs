namespace Ssl.Estimators;

/// <summary>What is kept of a text that has more tokens than an encoder takes.</summary>
public enum TextTruncation
{
    /// <summary>Its beginning.</summary>
    Head,

    /// <summary>
    /// Half from its beginning and half from its end, behind each other; the odd token is the beginning's. The whole text is cut into tokens
    /// for it.
    /// </summary>
    HeadAndTail,
}
