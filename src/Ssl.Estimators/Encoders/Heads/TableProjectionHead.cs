using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>SCARF's head: two linear layers, a ReLU behind each, between embedding and contrastive loss, in training only.</summary>
/// <remarks>Weights and biases start as PyTorch's.</remarks>
internal sealed class TableProjectionHead : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "hidden")]
    private readonly LinearLayer _hidden;

    [ComponentName(Name = "output")]
    private readonly LinearLayer _output;

    /// <summary>A head as wide as the embedding.</summary>
    /// <param name="dimension">D, the length of an embedding.</param>
    /// <param name="streams">Gives the initial weights.</param>
    public TableProjectionHead(int dimension, RandomStreams streams) : base(nameof(TableProjectionHead))
    {
        _hidden = Initialization.UniformLinear(dimension, dimension, streams.Weights);
        _output = Initialization.UniformLinear(dimension, dimension, streams.Weights);
        RegisterComponents();
    }

    /// <summary>Projects embeddings: [N, D] to [N, D].</summary>
    public override Tensor forward(Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        return MixedPrecision.Widen(_output.call(_hidden.call(embeddings).relu_()).relu_()).MoveToOuterDisposeScope();
    }
}
