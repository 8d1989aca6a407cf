using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Scaled dot-product attention of several heads (Vaswani et al., "Attention Is All You Need", 2017).</summary>
internal static class HeadAttention
{
    /// <summary>What each place takes from the others of its sequence, the heads behind each other: [N, L, D].</summary>
    /// <param name="queriesKeysValues">One behind the other for every place, [N, L, 3 D].</param>
    /// <param name="heads">Attention heads; they divide D.</param>
    /// <param name="mask">Bool, true where a key may be looked at, or Single, added to the scores; broadcasts to [N, heads, L, L].</param>
    /// <param name="isCausal">Whether a place sees itself and the places before it only.</param>
    public static Tensor Compute(Tensor queriesKeysValues, int heads, Tensor? mask, bool isCausal = false)
    {
        using var scope = NewDisposeScope();
        long n = queriesKeysValues.shape[0], length = queriesKeysValues.shape[1], dimension = queriesKeysValues.shape[2] / 3;
        var parts = queriesKeysValues.view(n, length, 3, heads, dimension / heads).permute(2, 0, 3, 1, 4).unbind(0);    // 3 x [N, heads, L, D / heads]
        var context = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask: mask!, is_casual: isCausal);
        return context.transpose(1, 2).reshape(n, length, dimension).MoveToOuterDisposeScope();
    }
}
