using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>Cross entropy over chosen places only: what was not hidden does not count.</summary>
/// <remarks>
/// The loss of masked language models (Devlin et al., 2019, arXiv:1810.04805): the mean over the chosen places of -log p(target).
/// Uniform predictions give log(number of classes).
/// </remarks>
public static class MaskedCrossEntropyLoss
{
    /// <summary>The mean loss over places that were chosen beforehand: logits need not be computed anywhere else.</summary>
    /// <param name="logits">Scores of the chosen places, [M, classes].</param>
    /// <param name="targets">What stood there, int64 [M].</param>
    /// <returns>A scalar, at least 0; 0 where M is 0.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor Compute(Tensor logits, Tensor targets)
    {
        Require(logits, targets);
        using var scope = NewDisposeScope();
        double chosen = Ranks.Average((double)targets.shape[0]);
        return nn.functional.cross_entropy(logits, targets, reduction: nn.Reduction.Sum)
            .div(Number(Math.Max(1, chosen))).MoveToOuterDisposeScope();
    }

    /// <summary>The mean loss over the places that a mask marks.</summary>
    /// <param name="logits">Scores of all places, [..., classes].</param>
    /// <param name="targets">What stood there, int64 [...].</param>
    /// <param name="chosen">Which places count, bool [...].</param>
    /// <returns>A scalar, at least 0; 0 where nothing is chosen.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor Compute(Tensor logits, Tensor targets, Tensor chosen)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(chosen);
        if (logits.dim() < 1 || !logits.shape.AsSpan(0, logits.shape.Length - 1).SequenceEqual(targets.shape)
            || !targets.shape.AsSpan().SequenceEqual(chosen.shape))
        {
            throw new ArgumentException($"Logits must be [..., classes], targets and chosen [...], got {Contrastive.Shape(logits)}, "
                + $"{Contrastive.Shape(targets)} and {Contrastive.Shape(chosen)}.", nameof(targets));
        }
        using var scope = NewDisposeScope();
        var places = chosen.reshape(-1).nonzero().squeeze(1);                                       // [M]
        var scores = logits.reshape(-1, logits.shape[^1]).index_select(0, places);                  // [M, classes]
        return Compute(scores, targets.reshape(-1).index_select(0, places)).MoveToOuterDisposeScope();
    }

    /// <summary>The mean loss over those of some places that count, and the share of them whose target has the highest score.</summary>
    /// <param name="logits">Scores of the places, [M, classes].</param>
    /// <param name="targets">What stood there, int64 [M].</param>
    /// <param name="counted">Which of them count, bool [M]; null where all do.</param>
    /// <returns>Two scalars, the second detached; 0 where nothing counts.</returns>
    internal static (Tensor Loss, Tensor Accuracy) ComputeCounted(Tensor logits, Tensor targets, Tensor? counted)
    {
        using var scope = NewDisposeScope();
        var (losses, hits, count) = Sums(logits, targets, counted);
        var (loss, accuracy) = OfSums(losses, hits, count);
        return (loss.MoveToOuterDisposeScope(), accuracy.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// What the mean loss and the share of places whose target has the highest score are made of. Parts of a batch add up.
    /// </summary>
    /// <param name="logits">Scores of the places, [M, classes].</param>
    /// <param name="targets">What stood there, int64 [M].</param>
    /// <param name="counted">Which of them count, bool [M]: as 0 and 1, not by their number, which would wait for a GPU. Null where all do.</param>
    /// <returns>The sum of the losses, the hits (detached) and the places that count: [1] each.</returns>
    internal static (Tensor Losses, Tensor Hits, Tensor Count) Sums(Tensor logits, Tensor targets, Tensor? counted)
    {
        Require(logits, targets);
        using var scope = NewDisposeScope();
        var weights = counted?.to(ScalarType.Float32) ?? ones(targets.shape[0], dtype: ScalarType.Float32, device: targets.device);  // [M]
        var losses = nn.functional.cross_entropy(logits, targets, reduction: nn.Reduction.None);
        return ((losses * weights).sum().view(1).MoveToOuterDisposeScope(), (Hits(logits, targets).to(ScalarType.Float32) * weights).sum().view(1).MoveToOuterDisposeScope(),
            weights.sum().view(1).MoveToOuterDisposeScope());
    }

    /// <summary>The mean loss over the places that count, and the share of them whose target has the highest score.</summary>
    /// <param name="losses">Sums of the losses of P parts, [P].</param>
    /// <param name="hits">Their hits, [P].</param>
    /// <param name="counts">Their places, [P].</param>
    /// <returns>Two scalars; 0 where nothing counts.</returns>
    internal static (Tensor Loss, Tensor Accuracy) OfSums(Tensor losses, Tensor hits, Tensor counts)
    {
        using var scope = NewDisposeScope();
        var count = counts.sum();
        return ((losses.sum() / Ranks.Average(count).clamp_min(Number(1.0))).MoveToOuterDisposeScope(),
            (hits.sum() / count.clamp_min(Number(1.0))).detach().MoveToOuterDisposeScope());
    }

    /// <summary>Share of places whose target has the highest score.</summary>
    /// <param name="logits">Scores of the chosen places, [M, classes].</param>
    /// <param name="targets">What stood there, int64 [M].</param>
    /// <returns>A detached scalar from 0 to 1; 0 where M is 0.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor Accuracy(Tensor logits, Tensor targets)
    {
        Require(logits, targets);
        using var scope = NewDisposeScope();
        return Hits(logits, targets).to(ScalarType.Float32).sum().div(Number(Math.Max(1, targets.shape[0]))).MoveToOuterDisposeScope();
    }

    private static void Require(Tensor logits, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        if (logits.dim() != 2 || targets.dim() != 1 || logits.shape[0] != targets.shape[0])
        {
            throw new ArgumentException($"Logits must be [M, classes] and targets [M], got {Contrastive.Shape(logits)} and "
                + $"{Contrastive.Shape(targets)}.", nameof(targets));
        }
    }

    // Bool [M]. Cheaper than argmax; a tie counts as a hit.
    private static Tensor Hits(Tensor logits, Tensor targets)
    {
        var scores = logits.detach();
        return scores.gather(1, targets.unsqueeze(1)).squeeze(1).ge(scores.amax(1));
    }
}
