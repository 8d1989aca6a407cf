using System.Runtime.InteropServices;
using System.Text;

namespace Ssl.Estimators.Data;

/// <summary>
/// Learns a vocabulary: the most frequent words whole, and pieces for spelling the others, found by merging the most frequent
/// neighbors again and again (byte-pair encoding: Sennrich et al., 2016). For the pieces every word counts once: they shall be what new
/// words are made of, not parts of the few most frequent ones, which have tokens of their own.
/// </summary>
internal sealed class WordPieceTrainer
{
    // Share of the vocabulary that may be whole words; the rest is for pieces, which spell what is rare or new.
    private const double WordShare = 0.8;

    // Share of the vocabulary that single characters may take: scripts with many signs must leave room.
    private const double CharacterShare = 0.5;

    private readonly WordPieceTokenizer.Options _options;
    private readonly IReadOnlyList<string> _specialTokens;
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _countLookup;

    public WordPieceTrainer(WordPieceTokenizer.Options options, IReadOnlyList<string> specialTokens)
    {
        _options = options;
        _specialTokens = specialTokens;
        _countLookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Adds the words of a text to the table.</summary>
    public void Count(ReadOnlySpan<char> text)
    {
        Span<char> buffer = stackalloc char[WordSplitter.LongestWord];
        var words = new WordSplitter(text, _options.LowerCase, _options.SplitCamelCase, buffer);
        while (words.MoveNext())
        {
            if (!words.IsTooLong)
                CollectionsMarshal.GetValueRefOrAddDefault(_countLookup, words.Current, out _)++;
        }
    }

    /// <summary>The tokens, special ones first, then by falling count.</summary>
    public string[] Learn()
    {
        // By count, then by text: the same corpus gives the same vocabulary.
        var words = _counts.OrderByDescending(word => word.Value).ThenBy(word => word.Key, StringComparer.Ordinal).ToArray();
        var tokens = new HashSet<string>(_specialTokens, StringComparer.Ordinal);
        var ordered = new List<string>(_specialTokens);
        foreach (string word in _options.RequiredWords)
            Add(_options.LowerCase ? word.ToLowerInvariant() : word);

        foreach (string character in Characters(words, (int)(CharacterShare * _options.VocabularySize)))
            Add(character);

        int wholeWords = ordered.Count + (int)(WordShare * Math.Max(0, _options.VocabularySize - ordered.Count));
        int next = 0;
        for (; next < words.Length && words[next].Value >= _options.MinimumCount && ordered.Count < wholeWords; next++)
            Add(words[next].Key);

        var merges = new PairMerges(words.Select(word => word.Key), _options.MinimumCount);
        int pieces = Math.Min(_options.VocabularySize, ordered.Count + (int)((1 - WordShare) * _options.VocabularySize));
        while (ordered.Count < pieces && merges.Next() is { } piece)
            Add(piece);

        // Where pieces ran out, more words fit.
        for (; next < words.Length && words[next].Value >= _options.MinimumCount; next++)
            Add(words[next].Key);
        return [.. ordered];

        void Add(string token)
        {
            if (ordered.Count < Math.Max(_options.VocabularySize, _specialTokens.Count + _options.RequiredWords.Count) && tokens.Add(token))
                ordered.Add(token);
        }
    }

    // Characters by falling count, those of words both as beginning and as continuation: whatever was seen can be spelled anywhere.
    private IEnumerable<string> Characters(KeyValuePair<string, int>[] words, int most)
    {
        var counts = new Dictionary<Rune, int>();
        foreach (var (word, count) in words)
        {
            foreach (var character in word.EnumerateRunes())
                CollectionsMarshal.GetValueRefOrAddDefault(counts, character, out _) += count;
        }
        return counts.Where(character => character.Value >= _options.MinimumCount)
            .OrderByDescending(character => character.Value).ThenBy(character => character.Key)
            .SelectMany(character => Rune.IsLetterOrDigit(character.Key)
                ? [character.Key.ToString(), WordPieceTokenizer.ContinuationPrefix + character.Key]
                : new[] { character.Key.ToString() })
            .Take(most);
    }
}

/// <summary>Byte-pair merges over a list of words, each step in time of what it changes.</summary>
internal sealed class PairMerges
{
    private readonly List<string> _names = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly int[][] _words;
    private readonly int[] _lengths;
    private readonly Dictionary<long, int> _pairCounts = [];
    private readonly Dictionary<long, List<int>> _pairWords = [];
    private readonly PriorityQueue<(long Pair, int Count), (int Count, string Left, string Right)> _queue = new(new ByCount());
    private readonly int _minimumCount;

    public PairMerges(IEnumerable<string> words, int minimumCount)
    {
        _minimumCount = minimumCount;
        _words = [.. words.Select(word => Symbols(word).Select(Id).ToArray())];
        _lengths = [.. _words.Select(word => word.Length)];
        for (int w = 0; w < _words.Length; w++)
        {
            for (int i = 0; i + 1 < _lengths[w]; i++)
                AddPair(Pair(_words[w][i], _words[w][i + 1]), w);
        }
        foreach (long pair in _pairCounts.Keys)
            Enqueue(pair);
    }

    /// <summary>The symbols that a word starts from: its first character, and every other with the prefix of a continuation.</summary>
    public static IEnumerable<string> Symbols(string word)
    {
        bool first = true;
        foreach (var rune in word.EnumerateRunes())
        {
            yield return first ? rune.ToString() : WordPieceTokenizer.ContinuationPrefix + rune.ToString();
            first = false;
        }
    }

    /// <summary>Merges the most frequent pair everywhere and returns its name; null when no pair is frequent enough.</summary>
    public string? Next()
    {
        while (_queue.TryDequeue(out var best, out _))
        {
            int count = _pairCounts.GetValueOrDefault(best.Pair);
            if (count != best.Count)
            {
                // An old entry: its pair has lost words since. Entries of pairs that grew are queued when they grow.
                if (count >= _minimumCount && count < best.Count)
                    Enqueue(best.Pair);
                continue;
            }
            if (count < _minimumCount)
                continue;
            return Merge(best.Pair);
        }
        return null;
    }

    private string Merge(long pair)
    {
        int left = (int)(pair >> 32), right = (int)pair;
        string name = _names[left] + _names[right][WordPieceTokenizer.ContinuationPrefix.Length..];
        int merged = Id(name);
        var grown = new HashSet<long>();
        foreach (int w in _pairWords[pair].Distinct())
        {
            int[] word = _words[w];
            int length = _lengths[w];
            for (int i = 0; i + 1 < length; i++)
            {
                if (word[i] != left || word[i + 1] != right)
                    continue;
                if (i > 0)
                {
                    Change(Pair(word[i - 1], left), -1);
                    grown.Add(AddPair(Pair(word[i - 1], merged), w));
                }
                if (i + 2 < length)
                {
                    Change(Pair(right, word[i + 2]), -1);
                    grown.Add(AddPair(Pair(merged, word[i + 2]), w));
                }
                word[i] = merged;
                Array.Copy(word, i + 2, word, i + 1, length - i - 2);
                length--;
            }
            _lengths[w] = length;
        }
        _pairCounts.Remove(pair);
        _pairWords.Remove(pair);
        foreach (long other in grown)
            Enqueue(other);
        return name;
    }

    private long AddPair(long pair, int word)
    {
        Change(pair, 1);
        ref var words = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairWords, pair, out _);
        (words ??= []).Add(word);
        return pair;
    }

    private void Change(long pair, int count) => CollectionsMarshal.GetValueRefOrAddDefault(_pairCounts, pair, out _) += count;

    private void Enqueue(long pair)
    {
        int count = _pairCounts.GetValueOrDefault(pair);
        if (count >= _minimumCount)
            _queue.Enqueue((pair, count), (count, _names[(int)(pair >> 32)], _names[(int)pair]));
    }

    private int Id(string name)
    {
        ref int id = ref CollectionsMarshal.GetValueRefOrAddDefault(_ids, name, out bool known);
        if (!known)
        {
            id = _names.Count;
            _names.Add(name);
        }
        return id;
    }

    private static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    // Highest count first; by text where counts are equal, so that the result does not depend on the order of the corpus.
    private sealed class ByCount : IComparer<(int Count, string Left, string Right)>
    {
        public int Compare((int Count, string Left, string Right) x, (int Count, string Left, string Right) y)
        {
            int order = y.Count.CompareTo(x.Count);
            if (order == 0)
                order = string.CompareOrdinal(x.Left, y.Left);
            return order == 0 ? string.CompareOrdinal(x.Right, y.Right) : order;
        }
    }
}
