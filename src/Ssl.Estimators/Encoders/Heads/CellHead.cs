using Ssl.Estimators.Distributed;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>What is told of the cells of N rows: C numbers, and scores of each category's at most M entries.</summary>
/// <param name="Numbers">[N, C].</param>
/// <param name="Logits">[N, K, M]; -1e9 where a category has fewer entries.</param>
internal readonly record struct CellPredictions(Tensor Numbers, Tensor Logits);

/// <summary>Tells the cells of a row, from its embedding or from its cells' vectors.</summary>
/// <remarks>N rows, C numbers, K categories, M the most entries of one, D the dimension.</remarks>
internal abstract class CellHead : nn.Module<Tensor, CellPredictions>
{
    private const float Never = -1e9f;
    private const string TypicalErrors = "typical_errors";
    private const double Memory = 0.99;

    private long[]? _entryIndex;
    private float[]? _padding;

    private protected CellHead(string name, TableLayout layout) : base(name)
    {
        Layout = layout;
        register_buffer(TypicalErrors, ones(layout.CellCount, dtype: ScalarType.Float32));
    }

    /// <summary>The cells of a row.</summary>
    public TableLayout Layout { get; }

    /// <summary>A head for an encoder, with fresh weights, on the CPU: from cells' vectors where the encoder has them.</summary>
    public static CellHead Create(TabularEncoder encoder, RandomStreams streams) => encoder is CellEncoder cells
        ? new TokenCellHead(encoder.Layout, cells.CellDimension, streams)
        : new EmbeddingCellHead(encoder.Layout, encoder.EmbeddingDimension, streams);

    /// <summary>Embeds rows and tells their cells in one pass.</summary>
    /// <param name="encoder">The encoder that the head was made for.</param>
    /// <param name="batch">The rows as the encoder shall see them.</param>
    /// <returns>Embeddings [N, D] and what is told.</returns>
    public (Tensor Embeddings, CellPredictions Cells) Run(TabularEncoder encoder, TableBatch batch)
    {
        if (encoder is not CellEncoder cellEncoder)
        {
            var embeddings = encoder.call(batch);                                       // [N, D]
            return (embeddings, call(embeddings));
        }
        var cells = cellEncoder.EncodeCells(batch);                                     // [N, C + K, D]
        return (cellEncoder.Pool(cells), call(cells));
    }

    /// <summary>The loss over the cells that count, which also moves what the head knows of each cell's typical error.</summary>
    /// <param name="told">What the head gave.</param>
    /// <param name="rows">The true cells.</param>
    /// <param name="numbers">Which numbers count, bool [N, C].</param>
    /// <param name="codes">Which categories count, bool [N, K].</param>
    /// <returns>A scalar.</returns>
    public Tensor Loss(CellPredictions told, TableBatch rows, Tensor numbers, Tensor codes) => Loss(CellSums.Of(told, rows, numbers, codes));

    /// <inheritdoc cref="Loss(CellPredictions, TableBatch, Tensor, Tensor)"/>
    /// <param name="sums">Of the cells that count, in P parts of the batch.</param>
    public Tensor Loss(CellSums sums)
    {
        if (training)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var typical = get_buffer(TypicalErrors)!;
            // Means over the processes, whose quotient is that of the sums.
            var means = Ranks.Average(stack([sums.Errors.detach().sum(0L), sums.Counts.detach().sum(0L)]));     // [2, C + K]
            var counts = means.select(0, 1);
            var now = where(counts.gt(Number(0)), means.select(0, 0) / counts.clamp_min(Number(1.0 / Ranks.Count)), typical);
            typical.mul_(Number(Memory)).add_(now * Number(1 - Memory), One);
        }
        return CellReconstructionLoss.OfSums(sums.Errors, sums.Counts);
    }

    /// <summary>
    /// For every row the mean error of its known cells, each divided by what is typical of its column: about 1 for rows like those of the
    /// training, more for unusual ones.
    /// </summary>
    /// <param name="encoder">The encoder that the head was made for.</param>
    /// <param name="batch">N rows.</param>
    /// <param name="hiddenShare">
    /// Share of the cells that are hidden at a time, so that each is told from others; null tells all cells from the whole row.
    /// </param>
    /// <returns>[N]; the same for a row whatever else is in the batch.</returns>
    public Tensor Errors(TabularEncoder encoder, TableBatch batch, double? hiddenShare)
    {
        using var scope = NewDisposeScope();
        int c = Layout.NumericCount, k = Layout.CategoricalCount;
        var known = cat([batch.Missing, batch.MissingCodes], 1).logical_not();                      // [N, C + K]
        var scale = get_buffer(TypicalErrors)!.clamp_min(Number(1e-3));                             // [C + K]
        Tensor sums = zeros(batch.Count, dtype: ScalarType.Float32, device: batch.Numbers.device),
            counts = zeros(batch.Count, dtype: ScalarType.Float32, device: batch.Numbers.device);
        foreach (var pattern in hiddenShare is { } share ? HiddenPatterns(c + k, share) : (IEnumerable<bool[]?>)[null])
        {
            using var each = NewDisposeScope();
            var asked = known;
            var seen = batch;
            if (pattern is not null)
            {
                var hidden = tensor(pattern, device: batch.Numbers.device).unsqueeze(0).expand(batch.Count, c + k); // [N, C + K]
                asked = known.logical_and(hidden);
                seen = batch.Hide(hidden.narrow(1, 0, c), hidden.narrow(1, c, k));
            }
            var told = Run(encoder, seen).Cells;
            var weights = asked.to(sums.dtype);
            var errors = CellReconstructionLoss.PerCell(told.Numbers, batch.Numbers, told.Logits, batch.Codes) / scale;
            sums.add_((errors * weights).sum(1), One);
            counts.add_(weights.sum(1), One);
        }
        return (sums / counts.clamp_min(Number(1))).MoveToOuterDisposeScope();
    }

    // Rounds of random groups, each hidden in turn: every cell is hidden as often. The same for every row, so that a row's error is its
    // own.
    internal static IEnumerable<bool[]> HiddenPatterns(int cells, double share)
    {
        const int Patterns = 12;
        int groups = Math.Clamp((int)Math.Round(1 / share), 2, Math.Max(2, cells));
        var random = new ShuffleRandom(0);
        for (var round = 0; round < (Patterns + groups - 1) / groups; round++)
        {
            var order = Enumerable.Range(0, cells).ToArray();
            random.Shuffle(order);
            for (var group = 0; group < groups; group++)
            {
                var pattern = new bool[cells];
                for (var i = group; i < cells; i += groups)
                    pattern[order[i]] = true;
                yield return pattern;
            }
        }
    }

    // For every category and place the number of its entry in the table of all entries; any valid one where there is none.
    private protected Tensor EntryIndex(Device device) => Constants.On(device, _entryIndex ??= EntryIndex());

    private long[] EntryIndex()
    {
        int most = Layout.LargestCategoryCount;
        var index = new long[Layout.CategoricalCount * most];
        for (var column = 0; column < Layout.CategoricalCount; column++)
        {
            for (var i = 0; i < most; i++)
                index[column * most + i] = Layout.CategoryOffsets[column] + Math.Min(i, Layout.CategoryCounts[column] - 1);
        }
        return index;                                                                   // [K * M]
    }

    // 0 where a category has an entry, very low elsewhere.
    private protected Tensor Padding(Device device)
        => Constants.On(device, _padding ??= Padding()).view(Layout.CategoricalCount, Layout.LargestCategoryCount); // [K, M]

    private float[] Padding()
    {
        int most = Layout.LargestCategoryCount;
        var padding = new float[Layout.CategoricalCount * most];
        for (var column = 0; column < Layout.CategoricalCount; column++)
            padding.AsSpan(column * most, most)[Layout.CategoryCounts[column]..].Fill(Never);
        return padding;
    }

    private protected static CellPredictions MoveOut(Tensor? numbers, Tensor? logits, Tensor like)
    {
        long n = like.shape[0];
        return new CellPredictions((numbers ?? zeros(n, 0, dtype: like.dtype, device: like.device)).MoveToOuterDisposeScope(),
            (logits ?? zeros(n, 0, 1, dtype: like.dtype, device: like.device)).MoveToOuterDisposeScope());
    }
}

/// <summary>Tells all cells from the row's embedding, through one hidden layer.</summary>
internal sealed class EmbeddingCellHead : CellHead
{
    [ComponentName(Name = "hidden")]
    private readonly LinearLayer _hidden;

    [ComponentName(Name = "numbers")]
    private readonly LinearLayer? _numbers;

    [ComponentName(Name = "categories")]
    private readonly LinearLayer? _categories;

    public EmbeddingCellHead(TableLayout layout, int dimension, RandomStreams streams) : base(nameof(EmbeddingCellHead), layout)
    {
        _hidden = Initialization.NormalLinear(dimension, dimension, streams.Weights, Math.Sqrt(2));
        if (layout.NumericCount > 0)
            _numbers = Initialization.Linear(dimension, layout.NumericCount, streams.Weights);
        if (layout.CategoricalCount > 0)
            _categories = Initialization.Linear(dimension, layout.TotalCategories, streams.Weights);
        RegisterComponents();
    }

    public override CellPredictions forward(Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        var hidden = MixedPrecision.Widen(_hidden.call(embeddings).relu());                                                 // [N, D]
        var logits = _categories?.Exact(hidden).index_select(1, EntryIndex(hidden.device))               // [N, K * M]
            .view(hidden.shape[0], Layout.CategoricalCount, Layout.LargestCategoryCount).add(Padding(hidden.device), One);
        return MoveOut(_numbers?.Exact(hidden), logits, hidden);
    }
}

/// <summary>Tells each cell from its own vector, through a layer that all cells share and weights of its column.</summary>
internal sealed class TokenCellHead : CellHead
{
    [ComponentName(Name = "transform")]
    private readonly LinearLayer _transform;

    [ComponentName(Name = "layer_norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "numbers_weight")]
    private readonly Parameter? _numbersWeight;

    [ComponentName(Name = "numbers_bias")]
    private readonly Parameter? _numbersBias;

    [ComponentName(Name = "categories_weight")]
    private readonly Parameter? _categoriesWeight;

    [ComponentName(Name = "categories_bias")]
    private readonly Parameter? _categoriesBias;

    public TokenCellHead(TableLayout layout, int dimension, RandomStreams streams) : base(nameof(TokenCellHead), layout)
    {
        _transform = Initialization.NormalLinear(dimension, dimension, streams.Weights);
        _norm = Initialization.Norm(dimension);
        if (layout.NumericCount > 0)
        {
            _numbersWeight = Weights(layout.NumericCount, dimension, streams);
            _numbersBias = Initialization.Weights(layout.NumericCount);
        }
        if (layout.CategoricalCount > 0)
        {
            _categoriesWeight = Weights(layout.TotalCategories, dimension, streams);
            _categoriesBias = Initialization.Weights(layout.TotalCategories);
        }
        RegisterComponents();
    }

    public override CellPredictions forward(Tensor cells)
    {
        using var scope = NewDisposeScope();
        var states = _norm.call(MixedPrecision.Widen(nn.functional.gelu(_transform.call(cells))));                            // [N, C + K, D]
        int c = Layout.NumericCount, k = Layout.CategoricalCount, most = Layout.LargestCategoryCount;
        Tensor? numbers = null, logits = null;
        if (_numbersWeight is not null)
            numbers = (states.narrow(1, 0, c) * _numbersWeight).sum(2).add(_numbersBias!, One);                 // [N, C]
        if (_categoriesWeight is not null)
        {
            var index = EntryIndex(states.device);                                                      // [K * M]
            var weights = _categoriesWeight.index_select(0, index).view(k, most, -1).transpose(1, 2);   // [K, D, M]
            var bias = _categoriesBias!.index_select(0, index).view(k, most).add(Padding(states.device), One);  // [K, M]
            logits = states.narrow(1, c, k).transpose(0, 1).bmm(weights).transpose(0, 1).add(bias, One);        // [N, K, M]
        }
        return MoveOut(numbers, logits, states);
    }

    private static Parameter Weights(int count, int dimension, RandomStreams streams)
    {
        var weights = Initialization.Weights(count, dimension);
        Initialization.Normal(weights, 1 / Math.Sqrt(dimension), streams.Weights);
        return weights;
    }
}
