using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>
/// wav2vec 2.0's contrast (Baevski et al., 2020, arXiv:2006.11477, equation 3): what is said of a hidden step finds the step's own target among those of
/// other hidden steps of the same series.
/// </summary>
internal static class SampledContrastLoss
{
    /// <summary>The mean cross entropy over all hidden steps, and the share of them whose own target is the nearest.</summary>
    /// <param name="predicted">[N, S, D]; normalized here.</param>
    /// <param name="targets">[N, S, D]; normalized here.</param>
    /// <param name="hidden">Bool [N, S]: which steps count, as anchors and as negatives.</param>
    /// <param name="codes">Int64 [N, S]: targets of one number are the same, and none is another's negative; null where all differ.</param>
    /// <param name="draws">Single [N, S, K], evenly from 0 to 1: K negatives for every hidden step, with repetition.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0.</param>
    /// <returns>A scalar, at least 0, and a detached scalar from 0 to 1. A series with one hidden step has no negatives and adds 0.</returns>
    public static (Tensor Loss, Tensor Accuracy) Compute(Tensor predicted, Tensor targets, Tensor hidden, Tensor? codes, Tensor draws,
        double temperature)
    {
        using var scope = NewDisposeScope();
        var similarities = Contrastive.Normalize(predicted.flatten(0, 1)).view(predicted.shape)
            .bmm(Contrastive.Normalize(targets.flatten(0, 1)).view(targets.shape).transpose(1, 2)).div(Number(temperature));   // [N, S, S]
        long steps = hidden.shape[1];
        var counts = hidden.sum(1, keepdim: true).unsqueeze(2);                                     // [N, 1, 1]
        var ranks = hidden.cumsum(1).sub(One).unsqueeze(2);                                         // [N, S, 1]
        // The hidden places of a series in their order, the others behind them.
        var (_, order) = hidden.to(ScalarType.Int32).sort(1, descending: true, stable: true);       // [N, S]
        var drawn = (draws * counts.sub(One)).floor().to(ScalarType.Int64);
        drawn = drawn.add(drawn.ge(ranks).to(ScalarType.Int64), One).clamp_max(Number(steps - 1));  // any but the step itself
        var places = order.unsqueeze(1).expand(-1, steps, -1).gather(2, drawn);                     // [N, S, K]
        var others = similarities.gather(2, places);
        var excluded = counts.lt(Number(2)).expand(places.shape);
        if (codes is not null)
            excluded = excluded.logical_or(codes.unsqueeze(1).expand(-1, steps, -1).gather(2, places).eq(codes.unsqueeze(2)));
        others = others.masked_fill(excluded, Number(double.NegativeInfinity));
        var own = similarities.diagonal(0, 1, 2).unsqueeze(2);                                      // [N, S, 1]
        var losses = cat([own, others], 2).logsumexp(2).sub(own.squeeze(2));                        // [N, S]
        var weights = hidden.to(losses.dtype);
        var count = weights.sum().clamp_min(Number(1));
        var right = own.detach().ge(others.detach()).all(2).to(losses.dtype);
        return (((losses * weights).sum() / Ranks.Average(weights.sum()).clamp_min(Number(1))).MoveToOuterDisposeScope(), ((right * weights).sum() / count).detach().MoveToOuterDisposeScope());
    }
}
