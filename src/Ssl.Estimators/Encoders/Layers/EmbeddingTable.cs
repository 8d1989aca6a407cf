using System.Collections.Concurrent;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A table of vectors that are looked up by their numbers.</summary>
/// <remarks>
/// TorchSharp offers the lookup only through Embedding and EmbeddingBag, whose native module keeps its table for ever where it is not
/// disposed of. Here the table is a parameter, which the garbage collector frees, and is lent to such a module for a call. The same numbers
/// and gradients, and the same name in state dictionaries and files.
/// </remarks>
internal sealed class EmbeddingTable : nn.Module<Tensor, Tensor>
{
    // As many of each as threads ever computed at once.
    private static readonly ConcurrentBag<Embedding> s_lookups = [];
    private static readonly ConcurrentBag<EmbeddingBag> s_means = [], s_sums = [];
    private static readonly Parameter s_none = nn.Parameter(zeros(1, 1, dtype: ScalarType.Float32).DetachFromDisposeScope(),
        requires_grad: false);

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <summary>A table of zeros; the caller draws its entries.</summary>
    /// <param name="count">Number of vectors.</param>
    /// <param name="dimension">Their length.</param>
    public EmbeddingTable(long count, long dimension) : base(nameof(EmbeddingTable))
    {
        _weight = Initialization.Weights(count, dimension);
        RegisterComponents();
    }

    /// <summary>The vectors, [count, D].</summary>
    public Parameter Weight => _weight;

    /// <summary>The vectors of some numbers.</summary>
    /// <param name="numbers">int64 of any shape [...].</param>
    /// <returns>[..., D].</returns>
    public override Tensor forward(Tensor numbers)
    {
        var lookup = s_lookups.TryTake(out var free) ? free : nn.Embedding(1, 1);
        try
        {
            lookup.weight = _weight;
            return lookup.call(numbers);
        }
        finally
        {
            lookup.weight = s_none;
            s_lookups.Add(lookup);
        }
    }

    /// <summary>The mean of the vectors of each bag.</summary>
    /// <param name="numbers">Those of all bags behind each other, int64 [M].</param>
    /// <param name="starts">Where each bag begins, int64 [N].</param>
    /// <returns>[N, D].</returns>
    public Tensor Means(Tensor numbers, Tensor starts) => Bags(s_means, EmbeddingBagMode.Mean, numbers, starts);

    /// <summary>The sum of the vectors of each bag; parameters and result as those of <see cref="Means"/>.</summary>
    public Tensor Sums(Tensor numbers, Tensor starts) => Bags(s_sums, EmbeddingBagMode.Sum, numbers, starts);

    private Tensor Bags(ConcurrentBag<EmbeddingBag> modules, EmbeddingBagMode mode, Tensor numbers, Tensor starts)
    {
        var lookup = modules.TryTake(out var free) ? free : nn.EmbeddingBag(1, 1, mode: mode);
        try
        {
            lookup.weight = _weight;
            return lookup.call(numbers, starts);
        }
        finally
        {
            lookup.weight = s_none;
            modules.Add(lookup);
        }
    }
}
