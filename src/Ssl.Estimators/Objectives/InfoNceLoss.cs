using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>
/// Symmetric InfoNCE over the pairs of a batch: each vector shall be more similar to its partner than to all other partners.
/// </summary>
/// <remarks>
/// <para>Also known as multiple negatives ranking, in-batch softmax, or CLIP's loss.</para>
/// <para>
/// van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018 (arXiv:1807.03748), with both directions
/// averaged as in Radford et al., 2021 (arXiv:2103.00020). N pairs have N - 1 negatives in each direction; equal embeddings give log N.
/// </para>
/// <para>Related: <see cref="NtXentLoss"/> also repels the vectors of one side from each other.</para>
/// </remarks>
public static class InfoNceLoss
{
    /// <summary>The mean loss over all pairs and both directions.</summary>
    /// <param name="first">One side of the pairs, [N, D]; normalized here.</param>
    /// <param name="second">The other side, [N, D]; row i belongs to row i of <paramref name="first"/>.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0; a scale of 20 is the temperature 0.05.</param>
    /// <returns>A scalar, at least 0.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] twice.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The temperature is not greater than 0.</exception>
    public static Tensor Compute(Tensor first, Tensor second, double temperature = 0.05)
    {
        using var scope = NewDisposeScope();
        return FromLogits(Logits(first, second, temperature)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The mean loss over all pairs and both directions, with a hard negative for each row of <paramref name="first"/>: a further term in
    /// its own denominator. The hard negatives of other rows do not count, for they may be this row's partner.
    /// </summary>
    /// <param name="first">One side of the pairs, [N, D]; normalized here.</param>
    /// <param name="second">The other side, [N, D]; row i belongs to row i of <paramref name="first"/>.</param>
    /// <param name="negatives">[N, D]; row i is like the partner of row i of <paramref name="first"/> and is not.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0.</param>
    /// <returns>A scalar, at least 0.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] three times.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The temperature is not greater than 0.</exception>
    public static Tensor Compute(Tensor first, Tensor second, Tensor negatives, double temperature = 0.05)
    {
        using var scope = NewDisposeScope();
        return FromLogits(Logits(first, second, temperature), NegativeLogits(first, negatives, temperature)).MoveToOuterDisposeScope();
    }

    /// <summary>Cosine similarities of each row with its own hard negative, divided by the temperature.</summary>
    /// <param name="first">[N, D]; normalized here.</param>
    /// <param name="negatives">[N, D]; normalized here.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0.</param>
    /// <returns>[N, 1].</returns>
    public static Tensor NegativeLogits(Tensor first, Tensor negatives, double temperature = 0.05)
    {
        Contrastive.Pairs(first, negatives, temperature);
        using var scope = NewDisposeScope();
        return Ranks.Gather((Contrastive.Normalize(first) * Contrastive.Normalize(negatives)).sum(1, keepdim: true).div(Number(temperature)))
            .MoveToOuterDisposeScope();                                             // [N, 1]
    }

    /// <summary>Cosine similarities of all pairs of rows, divided by the temperature.</summary>
    /// <inheritdoc cref="Compute(Tensor, Tensor, double)"/>
    /// <returns>[N, N]; the partners are on the diagonal.</returns>
    public static Tensor Logits(Tensor first, Tensor second, double temperature = 0.05)
    {
        Contrastive.Pairs(first, second, temperature);
        using var scope = NewDisposeScope();
        (first, second) = Ranks.Gather(first, second);
        var a = Contrastive.Normalize(first);                             // [N, D]
        var b = Contrastive.Normalize(second);                            // [N, D]
        return a.mm(b.t()).div(Number(temperature)).MoveToOuterDisposeScope();              // [N, N]
    }

    /// <summary>The same of both sides in one tensor, which are normalized together: half of the calls.</summary>
    /// <param name="both">[2N, D]: first the one side of all pairs, then the other.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0.</param>
    /// <returns>[N, N]; the partners are on the diagonal.</returns>
    internal static Tensor Logits(Tensor both, double temperature)
    {
        Contrastive.BothSides(both, temperature);
        using var scope = NewDisposeScope();
        var sides = Contrastive.Normalize(both).chunk(2);                                   // [N, D] twice
        (sides[0], sides[1]) = Ranks.Gather(sides[0], sides[1]);
        return sides[0].mm(sides[1].t()).div(Number(temperature)).MoveToOuterDisposeScope();    // [N, N]
    }

    /// <summary>The loss from <see cref="Logits(Tensor, Tensor, double)"/>.</summary>
    /// <param name="logits">[N, N] with the partners on the diagonal.</param>
    /// <param name="negativeLogits">[N, 1] of <see cref="NegativeLogits"/>; null where rows have no hard negatives.</param>
    /// <returns>A scalar, at least 0.</returns>
    public static Tensor FromLogits(Tensor logits, Tensor? negativeLogits = null)
    {
        Contrastive.Square(logits);
        using var scope = NewDisposeScope();
        // Cross entropy with target i in row i is logsumexp of the row less its diagonal entry; once along each direction.
        var rows = (negativeLogits is null ? logits : cat([logits, negativeLogits], 1)).logsumexp(1);    // [N]
        var columns = logits.logsumexp(0);                                          // [N]
        return rows.add(columns, One).div(Number(2)).sub(logits.diagonal(0, 0, 1)).mean().MoveToOuterDisposeScope();
    }

    /// <summary>Share of rows whose partner is the most similar one: how well the batch is solved.</summary>
    /// <param name="logits">[N, N] with the partners on the diagonal.</param>
    /// <returns>A detached scalar from 0 to 1; chance is 1 / N.</returns>
    public static Tensor Accuracy(Tensor logits)
    {
        Contrastive.Square(logits);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return logits.diagonal(0, 0, 1).ge(logits.amax(1)).mean([0L], type: ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
