using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Tokens, and of each the features of the word that it begins.</summary>
/// <param name="tokens">The tokens [N, L].</param>
/// <param name="features">Int64 [N, L, F]: numbers of features, 0 for none. Owned by the batch from then on.</param>
internal sealed class WordFeatureBatch(TokenBatch tokens, Tensor features) : Batch
{
    /// <summary>The tokens.</summary>
    public TokenBatch Tokens => tokens;

    /// <summary>Int64 [N, L, F].</summary>
    public Tensor Features => features;

    /// <inheritdoc/>
    public override long Count => tokens.Count;

    /// <inheritdoc/>
    public override WordFeatureBatch To(Device device)
    {
        var moved = tokens.To(device);
        return ReferenceEquals(moved, tokens) ? this : new WordFeatureBatch(moved, DeviceCopy.Of(features, device));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        tokens.Dispose();
        features.Dispose();
    }
}
