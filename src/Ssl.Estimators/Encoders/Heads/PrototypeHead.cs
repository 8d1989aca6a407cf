using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>DINO's head: an MLP to a narrow vector of unit length, then its cosines with prototypes.</summary>
internal sealed class PrototypeHead : nn.Module<Tensor, Tensor>
{
    private const int Bottleneck = 128;

    [ComponentName(Name = "mlp")]
    private readonly ModuleList<LinearLayer> _layers;

    [ComponentName(Name = "last_layer")]
    private readonly LinearLayer _prototypes;

    /// <summary>A head.</summary>
    /// <param name="inputs">D, the length of an embedding.</param>
    /// <param name="hidden">Width of the two hidden layers.</param>
    /// <param name="outputs">K prototypes.</param>
    /// <param name="streams">Gives the initial weights.</param>
    public PrototypeHead(int inputs, int hidden, int outputs, RandomStreams streams) : base(nameof(PrototypeHead))
    {
        _layers = new ModuleList<LinearLayer>(Initialization.Linear(inputs, hidden, streams.Weights),
            Initialization.Linear(hidden, hidden, streams.Weights),
            Initialization.Linear(hidden, Bottleneck, streams.Weights));
        _prototypes = Initialization.Linear(Bottleneck, outputs, streams.Weights, hasBias: false);
        RegisterComponents();
    }

    /// <summary>Compares embeddings with the prototypes.</summary>
    /// <param name="input">[N, D].</param>
    /// <returns>[N, K], from -1 to 1.</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        for (int i = 0; i < _layers.Count; i++)
        {
            input = _layers[i].call(input);
            if (i < _layers.Count - 1)
                input = nn.functional.gelu(input);
        }
        return nn.functional.linear(Unit(MixedPrecision.Widen(input)), Unit(_prototypes.Weight)).MoveToOuterDisposeScope();
    }

    private static Tensor Unit(Tensor rows) => rows / rows.norm(1, keepdim: true).clamp_min(Number(1e-12));
}
