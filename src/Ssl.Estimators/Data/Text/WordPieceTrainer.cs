using System.Globalization;
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

    // Parts of runs of letters without an end, such as bases or encoded files: each is a word of its own, and so many are enough to learn
    // pieces from. Of further ones only the characters are counted.
    private const int MostLongWords = 10_000;

    private readonly WordPieceTokenizer.Options _options;
    private readonly WordRules _rules;
    private readonly IReadOnlyList<string> _specialTokens;
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _countLookup;
    private readonly Dictionary<Rune, int> _furtherCharacters = [];
    private int _longWords;

    public WordPieceTrainer(WordPieceTokenizer.Options options, WordRules rules, IReadOnlyList<string> specialTokens)
    {
        (_options, _rules, _specialTokens) = (options, rules, specialTokens);
        _countLookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Adds the words of a text to the table.</summary>
    public void Count(ReadOnlySpan<char> text)
    {
        Span<char> buffer = stackalloc char[WordSplitter.LongestWord];
        while (text.Length > 0)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            int part = TextNormalizer.LengthOfPart(text);
            var words = new WordSplitter(TextNormalizer.Normalize(text[..part], _rules.Normalization), _rules, buffer);
            while (words.MoveNext())
            {
                if (words.IsContinuation || words.Current.Length == WordSplitter.LongestWord)
                    CountLong(words.Current, words.IsContinuation);
                else
                    CollectionsMarshal.GetValueRefOrAddDefault(_countLookup, words.Current, out _)++;
            }
            text = text[part..];
        }
    }

    /// <summary>The tokens, special ones first, then by falling count.</summary>
    /// <param name="learned">Told the number of tokens so far, again and again.</param>
    /// <exception cref="OperationCanceledException">The options' token was canceled.</exception>
    public string[] Learn(Action<int>? learned = null)
    {
        var tokens = new HashSet<string>(_specialTokens, StringComparer.Ordinal);
        var ordered = new List<string>(_specialTokens);
        foreach (string word in _options.RequiredWords)
            Add(WordPieceTokenizer.Whole(word, _rules));

        foreach (string character in Characters((int)(CharacterShare * _options.VocabularySize)))
            Add(character);

        string[] words = FrequentWords();
        int wholeWords = ordered.Count + (int)(WordShare * Math.Max(0, _options.VocabularySize - ordered.Count));
        int next = 0;
        for (; next < words.Length && ordered.Count < wholeWords; next++)
            Add(words[next]);

        var merges = new PairMerges(_counts.Keys, _options.MinimumCount, _options.CancellationToken);
        int pieces = Math.Min(_options.VocabularySize, ordered.Count + (int)((1 - WordShare) * _options.VocabularySize));
        while (ordered.Count < pieces && merges.Next() is { } piece)
        {
            Add(piece);
            learned?.Invoke(ordered.Count);
        }

        // Where pieces ran out, more words fit.
        for (; next < words.Length; next++)
            Add(words[next]);
        return [.. ordered];

        void Add(string token)
        {
            if (ordered.Count < Math.Max(_options.VocabularySize, _specialTokens.Count + _options.RequiredWords.Count) && tokens.Add(token))
                ordered.Add(token);
        }
    }

    private void CountLong(ReadOnlySpan<char> part, bool isContinuation)
    {
        Span<char> buffer = stackalloc char[WordPieceTokenizer.ContinuationPrefix.Length + WordSplitter.LongestWord];
        scoped var word = part;
        if (isContinuation)
        {
            WordPieceTokenizer.ContinuationPrefix.CopyTo(buffer);
            part.CopyTo(buffer[WordPieceTokenizer.ContinuationPrefix.Length..]);
            word = buffer[..(WordPieceTokenizer.ContinuationPrefix.Length + part.Length)];
        }
        if (_longWords >= MostLongWords && !_countLookup.ContainsKey(word))
        {
            foreach (var character in part.EnumerateRunes())
                CollectionsMarshal.GetValueRefOrAddDefault(_furtherCharacters, character, out _)++;
            return;
        }
        CollectionsMarshal.GetValueRefOrAddDefault(_countLookup, word, out bool known)++;
        _longWords += known ? 0 : 1;
    }

    // By count, then by text: the same corpus gives the same vocabulary.
    private string[] FrequentWords()
    {
        KeyValuePair<string, int>[] words = [.. _counts.Where(word => word.Value >= _options.MinimumCount)];
        long compared = 0;
        try
        {
            Array.Sort(words, (x, y) =>
            {
                if ((++compared & 0xFFFF) == 0)
                    _options.CancellationToken.ThrowIfCancellationRequested();
                return x.Value == y.Value ? string.CompareOrdinal(x.Key, y.Key) : y.Value.CompareTo(x.Value);
            });
        }
        catch (InvalidOperationException e) when (e.InnerException is OperationCanceledException)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
        }
        return [.. words.Select(word => word.Key)];
    }

    // Characters by falling count, those of words both as beginning and as continuation: whatever was seen can be spelled anywhere.
    private IEnumerable<string> Characters(int most)
    {
        var counts = new Dictionary<Rune, int>(_furtherCharacters);
        foreach (var (word, count) in _counts)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            foreach (var character in PairMerges.Characters(word))
                CollectionsMarshal.GetValueRefOrAddDefault(counts, character, out _) += count;
        }
        return counts.Where(character => character.Value >= _options.MinimumCount)
            .OrderByDescending(character => character.Value).ThenBy(character => character.Key)
            .SelectMany(character => IsOfWords(character.Key)
                ? [character.Key.ToString(), WordPieceTokenizer.ContinuationPrefix + character.Key]
                : new[] { character.Key.ToString() })
            .Take(most);
    }

    // Vowel signs and accents stand within words, too.
    private static bool IsOfWords(Rune character) => Rune.IsLetterOrDigit(character)
        || Rune.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
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
    private readonly CancellationToken _cancellationToken;

    public PairMerges(IEnumerable<string> words, int minimumCount, CancellationToken cancellationToken = default)
    {
        (_minimumCount, _cancellationToken) = (minimumCount, cancellationToken);
        _words = [.. words.Select(SymbolIds)];
        _lengths = [.. _words.Select(word => word.Length)];
        for (int w = 0; w < _words.Length; w++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int i = 0; i + 1 < _lengths[w]; i++)
                AddPair(Pair(_words[w][i], _words[w][i + 1]), w);
        }
        foreach (long pair in _pairCounts.Keys)
            Enqueue(pair);
    }

    /// <summary>The characters of a word, or of a part of one that is written as a continuation.</summary>
    public static StringRuneEnumerator Characters(string word) => IsContinuation(word)
        ? word[WordPieceTokenizer.ContinuationPrefix.Length..].EnumerateRunes() : word.EnumerateRunes();

    // No word begins with the prefix: its characters are no letters.
    private static bool IsContinuation(string word)
        => word.Length > WordPieceTokenizer.ContinuationPrefix.Length && word.StartsWith(WordPieceTokenizer.ContinuationPrefix, StringComparison.Ordinal);

    // What a word starts from: its first character, and every other with the prefix of a continuation.
    private int[] SymbolIds(string word)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        var ids = new List<int>(word.Length);
        bool first = !IsContinuation(word);
        foreach (var character in Characters(word))
        {
            ids.Add(Id(first ? character.ToString() : WordPieceTokenizer.ContinuationPrefix + character.ToString()));
            first = false;
        }
        return [.. ids];
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
            _cancellationToken.ThrowIfCancellationRequested();
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
