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
    /// <param name="embed">Embeds a part, given its first row and its number of rows: any number of tensors, whose first dimension are the
    /// rows or what is summed up for the part, as far as they are needed for the gradient.</param>
    /// <param name="loss">The loss of these tensors of all parts, one after the other.</param>
    /// <returns>What <paramref name="loss"/> gave, its total with the gradient that is not passed on yet: call backward, as ever.</returns>
    public static StepLoss Compute(long rows, long part, RandomStreams streams, Func<long, long, Tensor[]> embed, Func<Tensor[], StepLoss> loss)
        => Compute(rows, part, streams, (first, count, _) => embed(first, count), loss);

    /// <inheritdoc cref="Compute(long, long, RandomStreams, Func{long, long, Tensor[]}, Func{Tensor[], StepLoss})"/>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="part">Rows embedded at once with a graph.</param>
    /// <param name="streams">What views and dropout draw from.</param>
    /// <param name="embed">As above; its third argument says that a part is embedded for the second time: tensors at the end through which no
    /// gradient goes (keys of a following network) may then be left out.</param>
    /// <param name="loss">The loss.</param>
    public static StepLoss Compute(long rows, long part, RandomStreams streams, Func<long, long, bool, Tensor[]> embed, Func<Tensor[], StepLoss> loss)
    {
        if (rows <= part || !is_grad_enabled())
            return loss(embed(0, rows, false));
        var (parts, starts) = (new List<Tensor[]>(), new List<byte[][]>());
        using (no_grad())
        {
            for (long first = 0; first < rows; first += part)
            {
                starts.Add(streams.MarkDraws());
                // Views and what lies between go with their part.
                using var scope = NewDisposeScope();
                parts.Add([.. embed(first, Math.Min(part, rows - first), false).Select(tensor => tensor.MoveToOuterDisposeScope())]);
            }
        }
        Tensor[] whole = [.. parts[0].Select((_, i) => cat([.. parts.Select(tensors => tensors[i])]))];
        foreach (var tensor in whole.Where(tensor => tensor.is_floating_point()))
            tensor.requires_grad_(true);
        var result = loss(whole);
        var end = streams.MarkDraws();
        result.Total.backward();
        Tensor? last = null;
        var places = new long[whole.Length];
        for (var i = 0; i < starts.Count; i++)
        {
            // The last part's graph is the caller's to go back through.
            using var scope = i < starts.Count - 1 ? NewDisposeScope() : null;
            streams.ReturnTo(starts[i]);
            var (first, count) = (i * part, Math.Min(part, rows - i * part));
            var tensors = embed(first, count, true);
            var share = tensors.Select((tensor, j) => (Tensor: tensor, Gradient: whole[j].grad?.narrow(0, places[j], tensor.shape[0])))
                .Where(item => item.Gradient is not null).Select(item => (item.Tensor * item.Gradient!).sum()).Aggregate((a, b) => a.add(b, One));
            for (var j = 0; j < tensors.Length; j++)
                places[j] += tensors[j].shape[0];
            if (scope is null)
                last = share;
            else
                share.backward();
        }
        streams.ReturnTo(end);
        // The value of the loss, the gradient of the last part.
        return result with { Total = last!.sub(last!.detach()).add(result.Total.detach(), One) };
    }
}
