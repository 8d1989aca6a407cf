using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators;

/// <summary>Cuts texts into tokens and numbers them. Immutable: any number of threads may encode at once.</summary>
public abstract class TextTokenizer
{
    private protected TextTokenizer()
    {
    }

    /// <summary>Number of tokens, the special ones included.</summary>
    public int VocabularySize => Tokens.Count;

    /// <summary>Size and special tokens: what encoders, views and masks must know.</summary>
    public abstract TokenVocabulary Vocabulary { get; }

    /// <summary>The tokens by id.</summary>
    public abstract IReadOnlyList<string> Tokens { get; }

    /// <summary>Appends the token ids of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="destination">Takes the ids.</param>
    /// <param name="maximumTokens">The most ids to append, special ones included; the rest of the text is cut off.</param>
    /// <param name="addSpecialTokens">Whether the class token is put before and the separator behind the text.</param>
    /// <returns>The number of ids appended; 0 for a text without a visible character.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maximumTokens"/> leaves no room for a token.</exception>
    public abstract int Encode(ReadOnlySpan<char> text, List<int> destination, int maximumTokens = int.MaxValue, bool addSpecialTokens = false);

    /// <summary>The token ids of a text.</summary>
    /// <inheritdoc cref="Encode(ReadOnlySpan{char}, List{int}, int, bool)"/>
    public int[] Encode(string text, int maximumTokens = int.MaxValue, bool addSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        Encode(text.AsSpan(), ids, maximumTokens, addSpecialTokens);
        return [.. ids];
    }

    /// <summary>The text of token ids, as near to what was encoded as the tokenizer can tell.</summary>
    /// <param name="ids">Token ids; padding, class and separator tokens are left out.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public abstract string Decode(ReadOnlySpan<int> ids);

    /// <summary>Finds the id of a word that is one token.</summary>
    /// <param name="word">The word; its case counts only where the tokenizer keeps case.</param>
    /// <param name="id">Its id; 0 where there is none.</param>
    public abstract bool TryGetId(string word, out int id);

    /// <summary>
    /// Ids of the tokens that end a sentence, of ".", "!" and "?" those that are in the vocabulary: what <c>SentenceReordering</c> needs.
    /// </summary>
    public IReadOnlyCollection<int> SentenceEnds
    {
        get
        {
            var ids = new List<int>();
            foreach (var mark in (string[])[".", "!", "?"])
                if (TryGetId(mark, out var id))
                    ids.Add(id);
            return ids;
        }
    }

    /// <summary>A dictionary of words as ids: what <c>SynonymReplacement</c> needs.</summary>
    /// <param name="words">Words with their synonyms; every one must be a single token.</param>
    /// <exception cref="ArgumentOutOfRangeException">Some are not; they are named.</exception>
    public IReadOnlyDictionary<int, int[]> ToIds(IReadOnlyDictionary<string, string[]> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        string[] missing = [.. words.SelectMany(entry => entry.Value.Prepend(entry.Key)).Where(word => !TryGetId(word, out _)).Distinct()];
        if (missing.Length > 0)
        {
            throw new ArgumentOutOfRangeException(nameof(words), $"Words must be single tokens, which these are not: "
                + $"{string.Join(", ", missing.Take(10).Select(word => $"\"{word}\""))}{(missing.Length > 10 ? ", ..." : "")}. "
                + "Train the tokenizer with them as RequiredWords.");
        }
        return words.ToDictionary(entry => Id(entry.Key), entry => entry.Value.Select(Id).ToArray());

        int Id(string word) => TryGetId(word, out int id) ? id : Vocabulary.UnknownId;
    }

    /// <summary>Vocabulary and rules as JSON.</summary>
    public abstract JsonObject ToJson();

    /// <summary>Reads what <see cref="ToJson"/> wrote, whichever tokenizer it was.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static TextTokenizer FromJson(JsonObject json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return json["type"] is JsonValue value && value.TryGetValue(out string? type) && type == SubwordTokenizer.TypeName
            ? SubwordTokenizer.FromJson(json)
            : WordPieceTokenizer.FromJson(json);
    }

    /// <summary>Ends a text: with the separator behind its tokens; a class token with nothing behind it is taken back.</summary>
    /// <param name="destination">Holds the class token, where special tokens are wanted, and the text's own.</param>
    /// <param name="start">Where they begin.</param>
    /// <param name="addSpecialTokens">Whether they are wanted.</param>
    /// <returns>Tokens that the text has now; 0 where it has none of its own.</returns>
    private protected int Complete(List<int> destination, int start, bool addSpecialTokens)
    {
        if (destination.Count == start + (addSpecialTokens ? 1 : 0))
            destination.RemoveRange(start, destination.Count - start);
        else if (addSpecialTokens)
            destination.Add(Vocabulary.SeparatorId);
        return destination.Count - start;
    }

    /// <summary>Appends what stands for a text without a visible character, so that it has an embedding, too.</summary>
    internal virtual void EncodeEmpty(List<int> destination, bool addSpecialTokens)
        => destination.AddRange(addSpecialTokens ? [Vocabulary.ClassId, Vocabulary.SeparatorId] : [Vocabulary.UnknownId]);
}
