using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Linear layers with ReLU over the cells of a row: SCARF's encoder.</summary>
/// <remarks>N rows, H the width of every layer and of the embedding. Weights and biases start as PyTorch's.</remarks>
internal sealed class MlpTabularEncoder : TabularEncoder
{
    [ComponentName(Name = "cells")]
    private readonly CellSum _cells;

    [ComponentName(Name = "hidden")]
    private readonly ModuleList<LinearLayer> _hidden;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    public MlpTabularEncoder(MlpTabularEncoderFactory sizes, TableLayout layout, RandomStreams streams)
        : base(nameof(MlpTabularEncoder), layout)
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        _cells = new CellSum(layout, EmbeddingDimension, streams);
        _hidden = Initialization.Blocks(sizes.NumberOfLayers - 1, _ =>
            Initialization.UniformLinear(EmbeddingDimension, EmbeddingDimension, streams.Weights));
        _dropout = new SeededDropout(sizes.Dropout, streams.Dropout);
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    protected override Tensor Encode(TableBatch batch)
    {
        using var scope = NewDisposeScope();
        var state = _cells.call(batch).relu_();                                         // [N, H]
        foreach (var layer in _hidden)
            state = layer.call(_dropout.Pass(state)).relu_();                           // [N, H]
        return state.MoveToOuterDisposeScope();
    }
}
