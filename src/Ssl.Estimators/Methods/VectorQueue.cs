using Ssl.Estimators.Distributed;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// The latest vectors of earlier steps, newest first; part of the method's state, so that a resumed training goes on with them.
/// </summary>
public sealed class VectorQueue : nn.Module
{
    [ComponentName(Name = "vectors")]
    private readonly Tensor _vectors;

    private Tensor? _next;

    /// <summary>A queue that begins with random directions.</summary>
    /// <param name="size">K.</param>
    /// <param name="dimension">D.</param>
    /// <param name="streams">Gives the first vectors.</param>
    public VectorQueue(int size, int dimension, RandomStreams streams) : base(nameof(VectorQueue))
    {
        using var scope = NewDisposeScope();
        var random = Draws.Normal([size, dimension], CPU, streams.Weights);
        _vectors = Contrastive.Normalize(random).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>[K, D], of unit length; without gradient.</summary>
    public Tensor Vectors => _vectors;

    /// <summary>Remembers vectors for <see cref="Enqueue"/>; they must live until the end of the step.</summary>
    /// <param name="vectors">[N, D].</param>
    public void Next(Tensor vectors)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        _next = Ranks.Gather(vectors.detach());
    }

    /// <summary>Puts the remembered vectors in front; as many at the end drop out. Of more than K the first K are taken.</summary>
    public void Enqueue()
    {
        if (_next is null)
            return;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long size = _vectors.shape[0], count = Math.Min(size, _next.shape[0]);
        var fresh = Contrastive.Normalize(_next.detach().narrow(0, 0, count));
        _vectors.copy_(count == size ? fresh : cat([fresh, _vectors.narrow(0, 0, size - count)], 0));
        _next = null;
    }
}
