namespace Quickstart;

/// <summary>Two texts that belong together, the name of what they are about and, where it is known, a class.</summary>
/// <param name="Name">Shown in search results: a member of the .NET libraries, or file and line.</param>
/// <param name="Label">The class (the namespace), or an empty string.</param>
/// <param name="Text">The text that is embedded and found: a member's summary.</param>
/// <param name="Pair">The text that belongs to it: what parameters, result and exceptions say.</param>
public sealed record Document(string Name, string Label, string Text, string Pair);

/// <summary>The documents, cut at random into those that are learned from and those that are only asked about.</summary>
public sealed class Corpus
{
    private Corpus(string source, int read, Document[] training, Document[] heldOut)
    {
        Source = source;
        DocumentsRead = read;
        Training = training;
        HeldOut = heldOut;
    }

    /// <summary>Where the documents come from, in words.</summary>
    public string Source { get; }

    /// <summary>Number of pairs before duplicates were removed.</summary>
    public int DocumentsRead { get; }

    /// <summary>Pretraining reads these, without their labels.</summary>
    public IReadOnlyList<Document> Training { get; }

    /// <summary>No part of the training sees these.</summary>
    public IReadOnlyList<Document> HeldOut { get; }

    /// <summary>All documents: what a search looks through.</summary>
    public IEnumerable<Document> All => Training.Concat(HeldOut);

    /// <summary>Removes every document that shares either text with an earlier one, shuffles, and splits.</summary>
    /// <param name="source">Where the documents come from, in words.</param>
    /// <param name="documents">All documents.</param>
    /// <param name="heldOutCount">Documents to hold out; at most a fifth of all.</param>
    /// <param name="limit">Documents to keep in all.</param>
    /// <param name="seed">Seed of the shuffle.</param>
    public static Corpus Create(string source, IEnumerable<Document> documents, int heldOutCount, int limit, int seed)
    {
        var texts = new HashSet<string>(StringComparer.Ordinal);
        var pairs = new HashSet<string>(StringComparer.Ordinal);
        var kept = new List<Document>();
        var read = 0;
        foreach (var document in documents)
        {
            read++;
            // A text that stands on both sides of different rows would be a wrong negative, or leak from training into the test.
            if (texts.Contains(document.Text) || pairs.Contains(document.Pair))
                continue;
            texts.Add(document.Text);
            pairs.Add(document.Pair);
            kept.Add(document);
        }
        var all = kept.ToArray();
        new Random(seed).Shuffle(all);
        if (all.Length > limit)
            all = all[..limit];
        if (all.Length < 20)
            throw new InvalidDataException($"{source} gives {all.Length} pairs of texts (at least 20 characters each); 20 is the least to learn from.");
        var count = Math.Min(heldOutCount, all.Length / 5);
        return new Corpus(source, read, all[count..], all[..count]);
    }
}
