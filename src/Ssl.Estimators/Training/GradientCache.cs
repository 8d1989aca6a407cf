using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>
/// The gradients of a batch of any size in the memory of a part of it: all rows are embedded without a graph, the loss gives the gradient of
/// every embedding, and each part is embedded once more to pass its share on to the weights. Costs one more pass forward.
/// </summary>
/// <remarks>
/// Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021 (arXiv:2101.06983). The sums are those of the
/// whole batch, in another order; statistics of batch norms are those of the parts.
/// </remarks>
internal static class GradientCache
{
    /// <summary>The loss of a batch; the gradients of all parts but the last are added to the weights' at once.</summary>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="part">Rows embedded at once with a graph. At least 1.</param>
    /// <param name="streams">What views and dropout draw from: the second pass of a part draws what its first did.</param>
    /// <param name="embed">Embeds a part, given its first row and its number of rows: any number of tensors whose first dimension are the
    /// rows.</param>
    /// <param name="loss">The loss of these embeddings of the whole batch.</param>
    /// <returns>What <paramref name="loss"/> gave, its total with the gradient that is not passed on yet: call backward, as ever.</returns>
    public static StepLoss Compute(long rows, long part, RandomStreams streams, Func<long, long, Tensor[]> embed, Func<Tensor[], StepLoss> loss)
    {
        if (rows <= part || !is_grad_enabled())
            return loss(embed(0, rows));
        var (parts, starts) = (new List<Tensor[]>(), new List<byte[][]>());
        using (no_grad())
        {
            for (long first = 0; first < rows; first += part)
            {
                starts.Add(streams.MarkDraws());
                parts.Add(embed(first, Math.Min(part, rows - first)));
            }
        }
        Tensor[] whole = [.. parts[0].Select((_, i) => cat([.. parts.Select(tensors => tensors[i])]).requires_grad_(true))];
        var result = loss(whole);
        result.Total.backward();
        Tensor? last = null;
        for (var i = 0; i < starts.Count; i++)
        {
            // The last part's graph is the caller's to go back through.
            using var scope = i < starts.Count - 1 ? NewDisposeScope() : null;
            streams.ReturnTo(starts[i]);
            var (first, count) = (i * part, Math.Min(part, rows - i * part));
            var tensors = embed(first, count);
            var share = tensors.Select((tensor, j) => (tensor * whole[j].grad!.narrow(0, first, count)).sum()).Aggregate((a, b) => a.add(b, One));
            if (scope is null)
                last = share;
            else
                share.backward();
        }
        // The value of the loss, the gradient of the last part.
        return result with { Total = last!.sub(last!.detach()).add(result.Total.detach(), One) };
    }
}
