using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A vector for every cell, all of them behind each other through one linear layer, then residual blocks.</summary>
/// <remarks>N rows, C numbers, K categories, D the dimension of a cell, H that of the embedding.</remarks>
internal sealed class ResidualMlpTabularEncoder : TabularEncoder
{
    [ComponentName(Name = "numbers")]
    private readonly NumericEmbeddings? _numbers;

    [ComponentName(Name = "categories")]
    private readonly EmbeddingTable? _categories;

    [ComponentName(Name = "input")]
    private readonly LinearLayer _input;

    [ComponentName(Name = "blocks")]
    private readonly ModuleList<ResidualMlpBlock> _blocks;

    [ComponentName(Name = "norm")]
    private readonly LayerNormalization _norm;

    public ResidualMlpTabularEncoder(ResidualMlpTabularEncoderFactory sizes, TableLayout layout, RandomStreams streams)
        : base(nameof(ResidualMlpTabularEncoder), layout)
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        if (layout.NumericCount > 0)
            _numbers = NumericEmbeddings.Create(sizes.NumericEmbedding, layout, sizes.CellDimension, streams);
        if (layout.CategoricalCount > 0)
        {
            _categories = new EmbeddingTable(layout.TotalCategories, sizes.CellDimension);
            CategoryTable.Initialize(_categories.Weight, layout, 1 / Math.Sqrt(sizes.CellDimension), streams.Weights);
        }
        _input = Initialization.NormalLinear((long)layout.CellCount * sizes.CellDimension, EmbeddingDimension, streams.Weights);
        _blocks = Initialization.Blocks(sizes.NumberOfBlocks, _ =>
            new ResidualMlpBlock(EmbeddingDimension, 2 * EmbeddingDimension, sizes.Dropout, 1 / Math.Sqrt(sizes.NumberOfBlocks),
                streams));
        _norm = Initialization.Norm(EmbeddingDimension);
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    protected override Tensor Encode(TableBatch batch)
    {
        using var scope = NewDisposeScope();
        var cells = new List<Tensor>();
        if (_numbers is not null)
            cells.Add(_numbers.call(batch.Numbers, batch.Missing).flatten(1));                      // [N, C * D]
        if (_categories is not null)
            cells.Add(_categories.call(CategoryTable.Entries(batch.Codes, Layout)).flatten(1));     // [N, K * D]
        var state = _input.call(cat(cells, 1));                                                     // [N, H]
        foreach (var block in _blocks)
            state = block.call(state);
        return _norm.call(state).MoveToOuterDisposeScope();                                         // [N, H]
    }
}

/// <summary>x + linear(ReLU(linear(norm(x)))).</summary>
internal sealed class ResidualMlpBlock : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "hidden")]
    private readonly LinearLayer _hidden;

    [ComponentName(Name = "output")]
    private readonly LinearLayer _output;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    public ResidualMlpBlock(int dimension, int hiddenDimension, double dropout, double residualScale, RandomStreams streams)
        : base(nameof(ResidualMlpBlock))
    {
        _norm = Initialization.Norm(dimension);
        _hidden = Initialization.NormalLinear(dimension, hiddenDimension, streams.Weights, Math.Sqrt(2));
        _output = Initialization.NormalLinear(hiddenDimension, dimension, streams.Weights, residualScale);
        _dropout = new SeededDropout(dropout, streams.Dropout);
        RegisterComponents();
    }

    public override Tensor forward(Tensor state)
    {
        using var scope = NewDisposeScope();
        var hidden = _hidden.call(_norm.call(state)).relu();                                        // [N, 2 H]
        return state.add(_output.call(_dropout.Pass(hidden)), One).MoveToOuterDisposeScope();             // [N, H]
    }
}
