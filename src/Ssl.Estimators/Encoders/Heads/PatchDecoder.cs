using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A small transformer that rebuilds hidden patches from the vectors of the visible ones.</summary>
internal sealed class PatchDecoder : nn.Module<Tensor, Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "embed")]
    private readonly LinearLayer _embedding;

    [ComponentName(Name = "mask_token")]
    private readonly Parameter _maskToken;

    [ComponentName(Name = "pos_embed")]
    private readonly Tensor _positions;

    [ComponentName(Name = "blocks")]
    private readonly ModuleList<VisionBlock> _blocks;

    [ComponentName(Name = "norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "pred")]
    private readonly LinearLayer _output;

    /// <summary>A decoder for an encoder's patches.</summary>
    /// <param name="encoder">Says how many patches there are, how long they and their vectors are.</param>
    /// <param name="dimension">E, a multiple of 4 and of <paramref name="heads"/>.</param>
    /// <param name="layers">Blocks.</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="streams">Gives the initial weights.</param>
    public PatchDecoder(PatchEncoder encoder, int dimension, int layers, int heads, RandomStreams streams) : base(nameof(PatchDecoder))
    {
        _embedding = Initialization.NormalLinear(encoder.TokenDimension, dimension, streams.Weights);
        _maskToken = Initialization.Weights(dimension);
        Initialization.Normal(_maskToken, 0.02, streams.Weights);
        using (var grid = PositionGrid.SinesAndCosines(encoder.Rows, encoder.Columns, dimension))
            _positions = grid.squeeze(0).DetachFromDisposeScope();                                  // [P, E]
        _blocks = VisionBlock.Stack(layers, dimension, heads, streams);
        _norm = Initialization.Norm(dimension, VisionBlock.DefaultEpsilon);
        _output = Initialization.NormalLinear(dimension, encoder.PatchLength, streams.Weights);
        RegisterComponents();
    }

    /// <summary>Rebuilds the hidden patches.</summary>
    /// <param name="tokens">Vectors of the visible patches, [N, V, D].</param>
    /// <param name="visible">Their places, int64 [N, V].</param>
    /// <param name="hidden">The hidden places, int64 [N, M].</param>
    /// <returns>[N, M, L], in the order of <paramref name="hidden"/>.</returns>
    public override Tensor forward(Tensor tokens, Tensor visible, Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var seen = _embedding.call(tokens).add(At(visible), One);                                           // [N, V, E]
        var all = cat([At(hidden).add(_maskToken, One), seen], 1); // [N, M + V, E], places in any order
        all = MixedPrecision.Round(all);
        foreach (var block in _blocks)
            all = block.call(all);
        return MixedPrecision.Widen(_output.call(_norm.call(all.narrow(1, 0, hidden.shape[1])))).MoveToOuterDisposeScope();
    }

    private Tensor At(Tensor places) => _positions.index_select(0, places.flatten()).view(places.shape[0], places.shape[1], -1);
}
