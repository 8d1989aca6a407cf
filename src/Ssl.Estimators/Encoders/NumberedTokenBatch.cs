using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Tokens, and of each the number of the word that it begins.</summary>
/// <param name="tokens">The tokens [N, L].</param>
/// <param name="words">Int64 [N, L], 0 for none. Owned by the batch from then on.</param>
internal sealed class NumberedTokenBatch(TokenBatch tokens, Tensor words) : Batch
{
    /// <summary>The tokens.</summary>
    public TokenBatch Tokens => tokens;

    /// <summary>Int64 [N, L].</summary>
    public Tensor Words => words;

    /// <inheritdoc/>
    public override long Count => tokens.Count;

    /// <inheritdoc/>
    public override NumberedTokenBatch To(Device device)
    {
        var moved = tokens.To(device);
        return ReferenceEquals(moved, tokens) ? this : new NumberedTokenBatch(moved, DeviceCopy.Of(words, device));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        tokens.Dispose();
        words.Dispose();
    }
}
