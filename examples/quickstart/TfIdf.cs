using System.Text.RegularExpressions;

namespace Quickstart;

/// <summary>
/// The baseline: bags of words, each word weighted by (1 + log count) times the logarithm of its rarity, vectors of length 1.
/// It reads whole texts and every word of the training texts: nothing is held back from it.
/// </summary>
public sealed partial class TfIdf
{
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly float[] _rarity;

    /// <summary>Counts in how many texts each word occurs.</summary>
    /// <param name="texts">The training texts, both sides of the pairs.</param>
    public TfIdf(IEnumerable<string> texts)
    {
        var counts = new List<int>();
        var total = 0;
        foreach (var text in texts)
        {
            total++;
            foreach (var word in Words(text).Distinct())
            {
                if (_index.TryAdd(word, counts.Count))
                    counts.Add(0);
                counts[_index[word]]++;
            }
        }
        _rarity = counts.Select(count => MathF.Log(total / (1f + count))).ToArray();
    }

    /// <summary>Number of known words.</summary>
    public int Size => _rarity.Length;

    /// <summary>A text as a sparse vector of length 1; words that no training text has are left out.</summary>
    public Dictionary<int, float> Vector(string text)
    {
        var vector = new Dictionary<int, float>();
        foreach (var word in Words(text))
            if (_index.TryGetValue(word, out var slot))
                vector[slot] = vector.GetValueOrDefault(slot) + 1;
        var norm = 0.0;
        foreach (var (slot, count) in vector)
        {
            var weight = (1 + MathF.Log(count)) * Math.Max(0, _rarity[slot]);
            vector[slot] = weight;
            norm += weight * weight;
        }
        if (norm > 0)
            foreach (var slot in vector.Keys)
                vector[slot] /= (float)Math.Sqrt(norm);
        return vector;
    }

    /// <summary>Rank of each query's own text among all texts by cosine similarity; 1 is best, ties count against us.</summary>
    /// <param name="queries">Text i asks for target i.</param>
    /// <param name="targets">The texts to find.</param>
    public int[] Ranks(IReadOnlyList<string> queries, IReadOnlyList<string> targets)
    {
        // word -> the targets that have it
        var postings = new Dictionary<int, List<(int Target, float Weight)>>();
        for (var i = 0; i < targets.Count; i++)
            foreach (var (slot, weight) in Vector(targets[i]))
            {
                if (!postings.TryGetValue(slot, out var list))
                    postings[slot] = list = [];
                list.Add((i, weight));
            }
        var ranks = new int[queries.Count];
        Parallel.For(0, queries.Count, i =>
        {
            var scores = new float[targets.Count];
            foreach (var (slot, weight) in Vector(queries[i]))
                if (postings.TryGetValue(slot, out var list))
                    foreach (var (target, other) in list)
                        scores[target] += weight * other;
            ranks[i] = scores.Count(score => score >= scores[i]);
        });
        return ranks;
    }

    private static IEnumerable<string> Words(string text) => Word().Matches(text).Select(match => match.Value.ToLowerInvariant());

    // A capital begins a word, as in the tokenizer of the encoders: "ReadAllLines" is three words.
    [GeneratedRegex("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")]
    private static partial Regex Word();
}
