using Ssl.Estimators.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// The first layer of an MLP over a row: numbers and their missing-indicators through one matrix, and the sum of a vector for every
/// category. The same as a linear layer over one-hot categories, without the zeros.
/// </summary>
/// <remarks>
/// N rows, C numbers, K categories, H outputs. Weights and biases start as those of PyTorch's linear layer over numbers and one-hot
/// categories. The vectors of missing, unseen and rare start as zeros: unseen says nothing.
/// </remarks>
internal sealed class CellSum : nn.Module<TableBatch, Tensor>
{
    [ComponentName(Name = "numbers")]
    private readonly LinearLayer? _numbers;

    [ComponentName(Name = "categories")]
    private readonly EmbeddingTable? _categories;

    [ComponentName(Name = "bias")]
    private readonly Parameter _bias;

    // Up to here a product with ones and zeros is quicker than collecting rows of the table, and much so on the way back.
    private const int FewCategories = 2048;

    private readonly TableLayout _layout;

    // Entries that are neither missing, unseen nor rare, and for each column how many of those come before its own first.
    private readonly long[] _ordinary;
    private readonly long[] _specialBefore;

    public CellSum(TableLayout layout, int outputs, RandomStreams streams) : base(nameof(CellSum))
    {
        _layout = layout;
        _ordinary = [.. layout.CategoryOffsets.SelectMany((offset, k) => Enumerable.Range(TableLayout.SpecialCount,
            layout.CategoryCounts[k] - TableLayout.SpecialCount).Select(code => offset + code))];
        _specialBefore = [.. Enumerable.Range(1, layout.CategoricalCount).Select(k => (long)TableLayout.SpecialCount * k)];
        var bound = 1 / Math.Sqrt(Math.Max(1, layout.NumericCount
            + layout.TotalCategories - TableLayout.SpecialCount * layout.CategoricalCount));
        if (layout.NumericCount > 0)
        {
            _numbers = Initialization.NewLinear(2L * layout.NumericCount, outputs, hasBias: false);
            Initialization.Uniform(_numbers.Weight, bound, streams.Weights);
        }
        if (layout.CategoricalCount > 0)
        {
            _categories = new EmbeddingTable(layout.TotalCategories, outputs);
            Initialization.Uniform(_categories.Weight, bound, streams.Weights);
            CategoryTable.ClearSpecial(_categories.Weight, layout);
        }
        _bias = Initialization.Weights(outputs);
        Initialization.Uniform(_bias, bound, streams.Weights);
        RegisterComponents();
    }

    /// <summary>[N, H].</summary>
    public override Tensor forward(TableBatch batch)
    {
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        if (_numbers is not null)
            sum = _numbers.Exact(cat([batch.Numbers, batch.Missing.to(batch.Numbers.dtype)], 1));    // [N, H]
        if (_categories is not null)
        {
            var categories = _layout.TotalCategories <= FewCategories ? Product(batch.Codes) : Collected(batch.Codes); // [N, H]
            sum = sum is null ? categories : sum.add(categories, One);
        }
        return sum!.add_(_bias, One).MoveToOuterDisposeScope();
    }

    private Tensor Product(Tensor codes)
    {
        Tensor weight = _categories!.Weight;
        var entries = CategoryTable.Entries(codes, _layout);                                                    // [N, K]
        // Most batches have nothing missing, unseen or rare; without the columns of those the product is smaller by a third where columns
        // have few categories. To look costs a GPU more than it saves, and embeddings shall not depend on what else is in their batch.
        if (training && codes.device.type == DeviceType.CPU && codes.min().Value<long>() >= TableLayout.SpecialCount)
        {
            weight = weight.index_select(0, tensor(_ordinary));
            entries = entries - tensor(_specialBefore);
        }
        var ones = torch.ones([], dtype: weight.dtype, device: entries.device).expand(entries.shape);   // [N, K]
        var chosen = zeros(entries.shape[0], weight.shape[0], dtype: weight.dtype, device: entries.device); // [N, categories]
        return chosen.scatter_(1, entries, ones).mm(weight);
    }

    private Tensor Collected(Tensor codes)
    {
        var entries = CategoryTable.Entries(codes, _layout);
        // [N]
        var starts = arange(Number(0), Number(entries.numel()), Number(entries.shape[1]), dtype: ScalarType.Int64, device: entries.device);
        return _categories!.Sums(entries.view(-1), starts);
    }
}

/// <summary>One table of vectors for the entries of all categorical cells.</summary>
internal static class CategoryTable
{
    /// <summary>Numbers of entries in the table from those within their columns, int64 [N, K].</summary>
    public static Tensor Entries(Tensor codes, TableLayout layout)
    {
        using var scope = NewDisposeScope();
        return codes.add(Constants.On(codes.device, layout.CategoryOffsets), One).MoveToOuterDisposeScope();
    }

    /// <summary>Normal vectors for the categories, zeros for the special entries.</summary>
    public static void Initialize(Tensor table, TableLayout layout, double deviation, Generator generator)
    {
        Initialization.Normal(table, deviation, generator);
        ClearSpecial(table, layout);
    }

    /// <summary>Zeros for the special entries.</summary>
    public static void ClearSpecial(Tensor table, TableLayout layout)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var kept = new float[layout.TotalCategories];
        Array.Fill(kept, 1);
        foreach (long offset in layout.CategoryOffsets)
            kept.AsSpan((int)offset, TableLayout.SpecialCount).Clear();
        table.mul_(tensor(kept).unsqueeze(1));
    }
}
