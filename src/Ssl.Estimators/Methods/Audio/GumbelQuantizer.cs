using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// Chooses an entry of each of some codebooks for a vector, so that what is chosen can be learned: by Gumbel noise in training, the likeliest otherwise.
/// </summary>
/// <remarks>
/// Baevski et al., 2020 (arXiv:2006.11477), section 2; Jang et al., "Categorical Reparameterization with Gumbel-Softmax", 2017 (arXiv:1611.01144): the
/// choice itself goes forward, the gradient is that of the softmax. N series, S steps, G codebooks of V entries of length Q.
/// </remarks>
internal sealed class GumbelQuantizer : nn.Module
{
    // The smallest draw: its logarithm is finite.
    private const double LeastDraw = 1e-10;

    [ComponentName(Name = "choice")]
    private readonly LinearLayer _choice;

    [ComponentName(Name = "entries")]
    private readonly Parameter _entries;        // [G, V, Q]

    private readonly int _codebooks, _size;

    public GumbelQuantizer(int inputs, int codebooks, int size, int dimension, RandomStreams streams) : base(nameof(GumbelQuantizer))
    {
        (_codebooks, _size) = (codebooks, size);
        _choice = Initialization.NormalLinear(inputs, (long)codebooks * size, streams.Weights);
        _entries = Initialization.Weights(codebooks, size, dimension);
        Initialization.Normal(_entries, 1, streams.Weights);
        RegisterComponents();
    }

    /// <summary>Codes of vectors.</summary>
    /// <param name="latents">[N, S, W].</param>
    /// <param name="temperature">The lower, the nearer the gradient is to that of the choice itself. Greater than 0.</param>
    /// <param name="generator">Gives the noise of the training.</param>
    public Codes Quantize(Tensor latents, double temperature, Generator generator)
    {
        using var scope = NewDisposeScope();
        long n = latents.shape[0], steps = latents.shape[1];
        var logits = _choice.Exact(latents).view(n, steps, _codebooks, _size);
        Tensor numbers, chosen;
        if (training)
        {
            var noise = Draws.Uniform(logits.shape, logits.device, generator).clamp_min_(Number(LeastDraw)).log_().neg_().log_().neg_();
            var soft = nn.functional.softmax(logits.add(noise, One).div(Number(temperature)), -1);
            numbers = soft.detach().argmax(-1);                                                     // [N, S, G]
            chosen = OneHot(numbers, soft).add(soft, One).sub(soft.detach());
        }
        else
        {
            numbers = logits.detach().argmax(-1);
            chosen = OneHot(numbers, logits);
        }
        var vectors = chosen.view(n * steps, _codebooks, _size).transpose(0, 1).bmm(_entries)       // [G, N x S, Q]
            .transpose(0, 1).reshape(n, steps, -1);
        var combined = numbers.select(2, 0);
        for (var book = 1; book < _codebooks; book++)
            combined = combined.mul(Number((long)_size)).add(numbers.select(2, book), One);
        return new Codes(vectors.MoveToOuterDisposeScope(), combined.MoveToOuterDisposeScope(),
            nn.functional.softmax(logits, -1).MoveToOuterDisposeScope());
    }

    /// <summary>How many entries of each codebook are in use, as the exponential of the entropy of their mean probabilities: [G], from 1 to V.</summary>
    /// <param name="probabilities">[N, S, G, V].</param>
    /// <param name="counted">Bool [N, S]: the steps that count; at least one.</param>
    public static Tensor Perplexity(Tensor probabilities, Tensor counted)
    {
        using var scope = NewDisposeScope();
        var weights = counted.to(probabilities.dtype).unsqueeze(-1).unsqueeze(-1);
        var means = Ranks.Average((probabilities * weights).sum([0L, 1L])) / Ranks.Average(weights.sum()).clamp_min(Number(1));            // [G, V]
        return (means * means.clamp_min(Number(1e-7)).log()).sum(-1).neg().exp().MoveToOuterDisposeScope();
    }

    private static Tensor OneHot(Tensor numbers, Tensor like) => zeros_like(like).detach().scatter_(-1, numbers.unsqueeze(-1), ones_like(numbers.unsqueeze(-1), dtype: like.dtype));
}

/// <summary>What vectors are quantized to.</summary>
/// <param name="Vectors">[N, S, G x Q].</param>
/// <param name="Numbers">Int64 [N, S]: one for each combination of entries.</param>
/// <param name="Probabilities">Of the entries, without noise: [N, S, G, V].</param>
internal sealed record Codes(Tensor Vectors, Tensor Numbers, Tensor Probabilities);
