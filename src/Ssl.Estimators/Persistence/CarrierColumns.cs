namespace Ssl.Estimators.Persistence;

/// <summary>
/// Names of the temporary columns in a carrier chain. A factory is given no names on load, so they are fixed; nobody must have a column
/// of that name, for it would vanish, so they cannot be guessed.
/// </summary>
internal static class CarrierColumns
{
    private const string Prefix = "SslCarrier.c9a4e1f07b5d4b0f8f6e2d31.";

    /// <summary>A constant, for expressions need an input.</summary>
    public const string Key = Prefix + "Key";

    /// <summary>The model: a vector of texts.</summary>
    public const string State = Prefix + "State";

    /// <summary>Text input columns as one vector.</summary>
    public const string Texts = Prefix + "Texts";

    /// <summary>Numeric input columns as one vector.</summary>
    public const string Numbers = Prefix + "Numbers";

    /// <summary>The image input column.</summary>
    public const string Image = Prefix + "Image";

    /// <summary>Parts of a Single output: lengths 1, 2, 4 and so on, so that a sum of them makes any length known beforehand.</summary>
    public const string Part = Prefix + "Part";

    /// <summary>Parts of a second output.</summary>
    public const string Second = Prefix + "Second";

    /// <summary>The i-th text of the state before they are one vector.</summary>
    public static string StateText(int i) => $"{State}{i}";

    /// <summary>The i-th input column, converted to the type that the model takes.</summary>
    public static string Converted(int i) => $"{Prefix}Input{i}";

    /// <summary>Whether a column is one of these.</summary>
    public static bool IsTemporary(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The parts whose lengths add up to a length.</summary>
    public static IEnumerable<int> PartsOf(int length) => Enumerable.Range(0, 31).Where(i => (length >> i & 1) != 0);
}
