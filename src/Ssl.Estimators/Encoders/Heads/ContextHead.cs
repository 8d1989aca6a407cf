using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>What a small transformer says of the past of a series, at a token of its own before it: TS-TCC's context.</summary>
internal sealed class ContextHead : nn.Module<Tensor, Tensor>
{
    private const int Layers = 2, Heads = 4;
    private const double Dropout = 0.1;

    [ComponentName(Name = "input")]
    private readonly LinearLayer _input;

    [ComponentName(Name = "token")]
    private readonly Parameter _token;

    [ComponentName(Name = "stack")]
    private readonly TransformerStack _stack;

    /// <summary>A head with fresh weights.</summary>
    /// <param name="inputs">D, the length of a section's vector.</param>
    /// <param name="dimension">C, the length of a context, a multiple of 4.</param>
    /// <param name="streams">Gives the initial weights and what is dropped.</param>
    public ContextHead(int inputs, int dimension, RandomStreams streams) : base(nameof(ContextHead))
    {
        _input = Initialization.Linear(inputs, dimension, streams.Weights);
        _token = Initialization.Weights(dimension);
        Initialization.Normal(_token, 0.02, streams.Weights);
        _stack = new TransformerStack(Layers, dimension, Heads, 4 * dimension, Dropout, streams);
        RegisterComponents();
    }

    /// <summary>The context of each series.</summary>
    /// <param name="past">[N, t, D].</param>
    /// <returns>[N, C].</returns>
    public override Tensor forward(Tensor past)
    {
        using var scope = NewDisposeScope();
        var tokens = _input.call(past);                                                             // [N, t, C]
        tokens = cat([_token.expand(tokens.shape[0], 1, -1), tokens], 1);
        var all = ones(tokens.shape[0], tokens.shape[1], dtype: ScalarType.Bool, device: tokens.device);
        return _stack.call(tokens, all).select(1, 0).MoveToOuterDisposeScope();
    }
}
