using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>What a linear model says of words by their letters alone.</summary>
/// <param name="Scores">
/// What models say that did not see the text: Single [1 + U, T], a row a word by its number, row 0 for what is no word. Log-odds of the tags.
/// </param>
/// <param name="Table">The model of all texts: a row of T weights a feature of <see cref="WordFeatures"/>, and in row 0 what every word has.</param>
internal sealed record WordTags(Tensor Scores, EmbeddingTable Table);

/// <summary>
/// The linear tagger beside an encoder: softmax regression on the <see cref="WordFeatures"/> of words. It is solved to the end before the encoder is
/// tuned, as L-BFGS finds in seconds what small steps of a network do not. The encoder then learns what it adds to the tagger, and is shown what a
/// tagger of other texts says: one that saw the text is surer there than it will ever be again (stacking; Wolpert, "Stacked generalization", 1992).
/// </summary>
/// <param name="tags">T, number of tags.</param>
internal sealed class WordTagger(int tags)
{
    private const int Folds = 5, Iterations = 100;

    private const double Tolerance = 1e-4;

    // Of half the squared weights beside the summed losses of all words, strong ones first: each starts where the one before ended.
    private static readonly double[] s_penalties = [1, 0.1, 0.01, 0.001];

    private readonly List<int> _features = [], _tags = [], _firstOfText = [];

    /// <summary>U, words so far.</summary>
    public int Count => _tags.Count;

    /// <summary>Adds a text.</summary>
    /// <param name="features"><see cref="WordFeatures.Count"/> numbers a word, word after word.</param>
    /// <param name="wordTags">A tag a word.</param>
    /// <returns>The number of its first word, from 1.</returns>
    public int Add(ReadOnlySpan<int> features, ReadOnlySpan<int> wordTags)
    {
        _firstOfText.Add(Count);
        _features.AddRange(features);
        _tags.AddRange(wordTags);
        return 1 + _firstOfText[^1];
    }

    /// <summary>Learns from the texts. Of fewer than two, or canceled, everything is 0.</summary>
    /// <param name="random">Deals the texts out.</param>
    /// <param name="inform">Takes a sentence on what was found.</param>
    /// <param name="cancellationToken">Ends the search early.</param>
    /// <returns>Both on the CPU, the caller's.</returns>
    public WordTags Fit(Random random, Action<string> inform, CancellationToken cancellationToken)
    {
        var table = new EmbeddingTable(WordFeatures.Size, tags);
        table.Weight.requires_grad_(false);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var scores = zeros(1 + Count, tags, ScalarType.Float32);
        if (_firstOfText.Count < 2 || cancellationToken.IsCancellationRequested)
            return new WordTags(scores.DetachFromDisposeScope(), table);

        var (known, numbers) = Compact();
        var targets = nn.functional.one_hot(tensor(_tags.ConvertAll(tag => (long)tag).ToArray()), tags).to(ScalarType.Float32);        // [U, T]
        Tensor[] heldOut = [.. s_penalties.Select(_ => zeros(Count, tags, ScalarType.Float32))];
        foreach (var (used, held) in LabeledRowSearch.Cut(new double[_firstOfText.Count], Folds, random))
        {
            using var each = NewDisposeScope();
            var (seen, unseen) = (WordsOf(used), WordsOf(held));
            var seenTargets = targets.index_select(0, seen);
            var others = new IndicatorDesign(numbers.index_select(0, seen), known.Length);
            var own = new IndicatorDesign(numbers.index_select(0, unseen), known.Length);
            Tensor? weights = null;
            for (var i = 0; i < s_penalties.Length; i++)
            {
                weights = Solve(others, seenTargets, s_penalties[i], weights, cancellationToken);
                heldOut[i].index_copy_(0, unseen, SoftmaxRegression.Logits(own, weights));
            }
        }
        double[] losses = [.. heldOut.Select(logits => -(double)logits.log_softmax(1).mul(targets).sum().Value<float>() / Count)];
        var best = Array.IndexOf(losses, losses.Min());
        scores.narrow(0, 1, Count).copy_(heldOut[best]);
        var all = Solve(new IndicatorDesign(numbers, known.Length), targets, s_penalties[best], null, cancellationToken);
        table.Weight.index_copy_(0, tensor(Array.ConvertAll(known, number => (long)number)), all.narrow(0, 0, known.Length));
        table.Weight.narrow(0, 0, 1).copy_(all.narrow(0, -1, 1));
        inform(FormattableString.Invariant(
            $"A linear model on the letters of {Count:N0} words: log-loss {losses[best]:0.0000} on texts that it did not see, penalty {s_penalties[best]}"));
        return new WordTags(scores.DetachFromDisposeScope(), table);
    }

    private static Tensor Solve(IndicatorDesign features, Tensor targets, double penalty, Tensor? start, CancellationToken cancellationToken)
        => SoftmaxRegression.Fit(features, targets, null, new Penalty(0, penalty / features.Rows), start, Iterations, Tolerance, cancellationToken);

    // The features that occur, and their places among them [U, F]: most of the table is of no word.
    private (int[] Known, Tensor Numbers) Compact()
    {
        int[] known = [.. _features.Distinct()];
        var places = new int[WordFeatures.Size];
        for (var i = 0; i < known.Length; i++)
            places[known[i]] = i;
        return (known, tensor(_features.ConvertAll(number => (long)places[number]).ToArray(), [Count, WordFeatures.Count]));
    }

    // Numbers of all words of some texts, from 0.
    private Tensor WordsOf(int[] texts) => tensor(texts.SelectMany(text =>
    {
        var (first, end) = (_firstOfText[text], text + 1 < _firstOfText.Count ? _firstOfText[text + 1] : Count);
        return Enumerable.Range(first, end - first).Select(word => (long)word);
    }).ToArray());
}
