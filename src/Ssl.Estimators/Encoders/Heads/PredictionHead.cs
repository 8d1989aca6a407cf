using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>What stands on an encoder to predict: one linear layer, or a hidden layer with GELU before it.</summary>
internal sealed class PredictionHead : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "hidden")]
    private readonly LinearLayer? _hidden;

    [ComponentName(Name = "output")]
    private readonly LinearLayer _output;

    /// <summary>A head with fresh weights, on the CPU.</summary>
    /// <param name="dimension">D, the length of an embedding.</param>
    /// <param name="hiddenUnits">Width of the hidden layer; 0 for none.</param>
    /// <param name="outputs">O, numbers a row.</param>
    /// <param name="streams">Gives the initial weights.</param>
    public PredictionHead(int dimension, int hiddenUnits, int outputs, RandomStreams streams) : base(nameof(PredictionHead))
    {
        (Dimension, HiddenUnits, Outputs) = (dimension, hiddenUnits, outputs);
        if (hiddenUnits > 0)
            _hidden = Initialization.Linear(dimension, hiddenUnits, streams.Weights);
        _output = Initialization.Linear(hiddenUnits > 0 ? hiddenUnits : dimension, outputs, streams.Weights);
        RegisterComponents();
    }

    /// <summary>Length of an embedding.</summary>
    public int Dimension { get; }

    /// <summary>Width of the hidden layer; 0 for none.</summary>
    public int HiddenUnits { get; }

    /// <summary>Numbers a row.</summary>
    public int Outputs { get; }

    /// <summary>Predicts from embeddings.</summary>
    /// <param name="embeddings">[N, D].</param>
    /// <returns>[N, O], of any size and sign.</returns>
    public override Tensor forward(Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        var input = _hidden is null ? embeddings : nn.functional.gelu(_hidden.call(embeddings));
        return _output.Exact(input).MoveToOuterDisposeScope();
    }

    /// <summary>Overwrites the weights of the last layer.</summary>
    /// <param name="weight">[O, inputs].</param>
    /// <param name="bias">[O].</param>
    public void Fill(Tensor weight, Tensor bias)
    {
        using var noGrad = no_grad();
        _output.Weight.copy_(weight);
        _output.Bias!.copy_(bias);
    }

    /// <summary>A head whose weights are overwritten at once, on the CPU.</summary>
    public static PredictionHead Unfilled(int dimension, int hiddenUnits, int outputs)
    {
        using var skip = Initialization.Skip();
        using var streams = new RandomStreams(0);
        return new PredictionHead(dimension, hiddenUnits, outputs, streams);
    }

    /// <summary>A head of the same form and weights, on the CPU.</summary>
    public PredictionHead Copy()
    {
        var copy = Unfilled(Dimension, HiddenUnits, Outputs);
        copy.load_state_dict(state_dict());
        return copy;
    }
}
