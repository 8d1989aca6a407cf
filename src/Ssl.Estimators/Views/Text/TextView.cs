using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>A random change of tokenized texts that keeps what they mean: what contrastive methods compare.</summary>
/// <remarks>
/// Write your own by deriving from it: work on the whole batch at once, on its device, with one draw for each text or token from the
/// generator; keep special tokens, and at least one token of every text.
/// </remarks>
public abstract class TextView
{
    /// <summary>A changed copy of a batch.</summary>
    /// <param name="batch">N texts of L places; must not be changed or disposed of.</param>
    /// <param name="generator">On the batch's device.</param>
    /// <returns>N texts; the caller's.</returns>
    public abstract TokenBatch Apply(TokenBatch batch, Generator generator);

    /// <summary>Which places hold a word or piece: neither padding nor a special token.</summary>
    /// <param name="batch">N texts.</param>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <returns>Bool [N, L].</returns>
    protected static Tensor PlainTokens(TokenBatch batch, TokenVocabulary vocabulary)
        => batch.Mask.logical_and(batch.Ids.ge(Number(vocabulary.SpecialCount)));

    /// <summary>Which plain tokens a share hits: each drawn on its own, but never all tokens of a text.</summary>
    /// <param name="plain">Bool [N, L].</param>
    /// <param name="share">From 0 to 1.</param>
    /// <param name="generator">On the device of <paramref name="plain"/>.</param>
    /// <returns>Bool [N, L]; false wherever <paramref name="plain"/> is.</returns>
    protected static Tensor Draw(Tensor plain, double share, Generator generator)
    {
        using var scope = NewDisposeScope();
        var draw = Draws.Uniform(plain.shape, plain.device, generator).masked_fill_(plain.logical_not(), Number(-1));
        // The token with the highest draw is always spared.
        return draw.lt(Number(share)).logical_and(draw.lt(draw.amax(1).unsqueeze(1))).logical_and(plain).MoveToOuterDisposeScope();
    }

    /// <summary>The tokens to keep, moved together to the left.</summary>
    /// <param name="batch">N texts of L places.</param>
    /// <param name="keep">Bool [N, L]; padding must be false, and every text keep at least one.</param>
    /// <param name="paddingId">Fills what gets free.</param>
    /// <returns>N texts of L places.</returns>
    protected static TokenBatch Compact(TokenBatch batch, Tensor keep, int paddingId)
    {
        using var scope = NewDisposeScope();
        long n = batch.Ids.shape[0], length = batch.Ids.shape[1];
        var places = keep.cumsum(1, ScalarType.Int64);                                              // [N, L], 1 for the first kept
        // Dropped tokens all go to the spare place 0.
        var targets = places.mul(keep);                                                             // [N, L]
        var ids = full(n, length + 1, Number(paddingId), dtype: ScalarType.Int64, device: batch.Ids.device)
            .scatter_(1, targets, batch.Ids).narrow(1, 1, length).contiguous();                     // [N, L]
        var counts = places.narrow(1, length - 1, 1);                                               // [N, 1]
        var mask = arange(Number(0), Number(length), One, dtype: ScalarType.Int64, device: ids.device).unsqueeze(0).lt(counts);
        return new TokenBatch(ids.MoveToOuterDisposeScope(), mask.MoveToOuterDisposeScope());
    }
}
