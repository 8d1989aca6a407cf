namespace Ssl.Estimators.Data;

/// <summary>Cuts a text without special tokens into pieces of a vocabulary.</summary>
internal abstract class SubwordModel
{
    private readonly CutWords _cut;

    protected SubwordModel() => _cut = new CutWords(CutAnew);

    /// <summary>The pieces and their ids.</summary>
    public abstract IReadOnlyDictionary<string, int> Ids { get; }

    /// <summary>Appends the ids of a text; may stop once there are as many as wanted.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="destination">Takes the ids.</param>
    /// <param name="wanted">The number of ids in it from which on no more are needed.</param>
    public abstract void Append(ReadOnlySpan<char> text, List<int> destination, int wanted);

    /// <summary>How a word that stands within a text is given to <see cref="Append"/>.</summary>
    public abstract string WithinText(string word);

    /// <summary>The text of tokens behind each other.</summary>
    public abstract string Join(IEnumerable<string> tokens);

    /// <summary>The pieces of a word, remembered.</summary>
    protected int[] Cut(ReadOnlySpan<char> word) => _cut[word];

    /// <summary>The pieces of a word.</summary>
    protected abstract int[] CutAnew(ReadOnlySpan<char> word);
}
