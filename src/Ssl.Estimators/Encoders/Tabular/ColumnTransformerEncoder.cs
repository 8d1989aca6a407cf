using Ssl.Estimators.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A transformer over the cells of a row, one token a column; the mean of the tokens is the row's embedding.</summary>
/// <remarks>
/// <para>
/// Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", 2021 (arXiv:2106.11959). Deviation: the mean in place of a class
/// token, which masked pretraining would leave untrained. N rows, C numbers, K categories, D the dimension.
/// </para>
/// </remarks>
internal sealed class ColumnTransformerEncoder : CellEncoder
{
    [ComponentName(Name = "numbers")]
    private readonly NumericTokens? _numbers;

    [ComponentName(Name = "categories")]
    private readonly EmbeddingTable? _categories;

    [ComponentName(Name = "columns")]
    private readonly Parameter _columns;

    [ComponentName(Name = "encoder")]
    private readonly TransformerStack _stack;

    public ColumnTransformerEncoder(ColumnTransformerFactory sizes, TableLayout layout, RandomStreams streams)
        : base(nameof(ColumnTransformerEncoder), layout)
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        if (layout.NumericCount > 0)
            _numbers = new NumericTokens(layout.NumericCount, EmbeddingDimension, streams);
        if (layout.CategoricalCount > 0)
        {
            _categories = new EmbeddingTable(layout.TotalCategories, EmbeddingDimension);
            CategoryTable.Initialize(_categories.Weight, layout, 1, streams.Weights);
        }
        _columns = Initialization.Weights(layout.CellCount, EmbeddingDimension);
        Initialization.Normal(_columns, 1, streams.Weights);
        _stack = new TransformerStack(sizes.NumberOfLayers, EmbeddingDimension, sizes.NumberOfHeads, sizes.FeedForwardDimension,
            sizes.Dropout, streams);
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    public override int CellDimension => EmbeddingDimension;

    protected override Tensor Encode(TableBatch batch)
    {
        using var scope = NewDisposeScope();
        return Pool(EncodeCells(batch)).MoveToOuterDisposeScope();                                  // [N, D]
    }

    public override Tensor EncodeCells(TableBatch batch)
    {
        using var scope = NewDisposeScope();
        var cells = new List<Tensor>();
        if (_numbers is not null)
            cells.Add(_numbers.call(batch.Numbers, batch.Missing));                                 // [N, C, D]
        if (_categories is not null)
            cells.Add(_categories.call(CategoryTable.Entries(batch.Codes, Layout)));                // [N, K, D]
        var tokens = cat(cells, 1).add(_columns, One);                                                      // [N, C + K, D]
        // No cell is padding. On a CPU attention with a mask computes other last digits than attention without: it stays as it was.
        var all = tokens.device_type == DeviceType.CPU ? ones(tokens.shape[0], tokens.shape[1], dtype: ScalarType.Bool, device: CPU) : null;
        return _stack.call(tokens, all).MoveToOuterDisposeScope();                                  // [N, C + K, D]
    }

    public override Tensor Pool(Tensor cells) => cells.mean([1]);                                   // [N, D]
}

/// <summary>A number times its column's vector; a missing one has a vector of its own.</summary>
internal sealed class NumericTokens : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "missing")]
    private readonly Parameter _missing;

    public NumericTokens(int numbers, int dimension, RandomStreams streams) : base(nameof(NumericTokens))
    {
        _weight = Initialization.Weights(numbers, dimension);
        Initialization.Normal(_weight, 1, streams.Weights);
        _missing = Initialization.Weights(numbers, dimension);
        RegisterComponents();
    }

    /// <summary>[N, C, D] of numbers [N, C] and which of them are missing.</summary>
    public override Tensor forward(Tensor numbers, Tensor missing)
    {
        using var scope = NewDisposeScope();
        var missingWeight = missing.to(numbers.dtype).unsqueeze(2);                                 // [N, C, 1]
        // numbers are 0 where missing
        return (numbers.unsqueeze(2) * _weight).add(missingWeight * _missing, One).MoveToOuterDisposeScope();
    }
}
