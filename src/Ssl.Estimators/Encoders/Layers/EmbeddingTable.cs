using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A table of vectors that are looked up by their numbers.</summary>
/// <remarks>
/// In place of TorchSharp's Embedding and EmbeddingBag, whose native module keeps its table for ever where it is not disposed of: this one
/// goes with its parameter. The same name in state dictionaries and files.
/// </remarks>
internal sealed class EmbeddingTable : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <summary>A table of zeros; the caller draws its entries.</summary>
    /// <param name="count">Number of vectors.</param>
    /// <param name="dimension">Their length.</param>
    public EmbeddingTable(long count, long dimension) : base(nameof(EmbeddingTable))
    {
        _weight = nn.Parameter(zeros(count, dimension));
        RegisterComponents();
    }

    /// <summary>The vectors, [count, D].</summary>
    public Parameter Weight => _weight;

    /// <summary>The vectors of some numbers.</summary>
    /// <param name="numbers">int64 of any shape [...].</param>
    /// <returns>[..., D].</returns>
    public override Tensor forward(Tensor numbers)
    {
        using var scope = NewDisposeScope();
        return _weight.index_select(0, numbers.reshape(-1)).view([.. numbers.shape, _weight.shape[1]]).MoveToOuterDisposeScope();
    }
}
