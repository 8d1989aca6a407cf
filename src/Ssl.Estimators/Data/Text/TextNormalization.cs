namespace Ssl.Estimators;

/// <summary>What a tokenizer that is trained here makes equal before it cuts a text into words. Saved with it, and the same for every text.</summary>
public enum TextNormalization
{
    /// <summary>
    /// Compatibility characters are common ones (NFKC): full-width letters are letters, ligatures are their letters, no-break spaces are
    /// spaces; and all that <see cref="Nfc"/> does. What SentencePiece does before it learns the vocabularies of T5 and XLM-R.
    /// </summary>
    Nfkc,

    /// <summary>
    /// A letter with its accents is the same in one code point or several (NFC), and invisible characters are dropped, as BERT's
    /// tokenizers do: soft hyphens, zero-width spaces and joiners, byte-order marks, variation selectors, marks of direction.
    /// </summary>
    Nfc,

    /// <summary>Every code point counts as it stands.</summary>
    None,
}
