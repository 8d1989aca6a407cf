using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>SimCSE's head: one linear layer and tanh between embedding and loss, in training only.</summary>
internal sealed class ProjectionHead : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "dense")]
    private readonly LinearLayer _dense;

    /// <summary>A head as wide as the embedding.</summary>
    /// <param name="dimension">D, the length of an embedding.</param>
    /// <param name="streams">Gives the initial weights.</param>
    public ProjectionHead(int dimension, RandomStreams streams) : base(nameof(ProjectionHead))
    {
        _dense = Initialization.Linear(dimension, dimension, streams.Weights);
        RegisterComponents();
    }

    /// <summary>Projects embeddings.</summary>
    /// <param name="embeddings">[N, D].</param>
    /// <returns>[N, D], every entry between -1 and 1.</returns>
    public override Tensor forward(Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        return MixedPrecision.Widen(_dense.call(embeddings)).tanh().MoveToOuterDisposeScope();
    }
}
