using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>What stands plainly in labeled and unlabeled rows, and the encoder that says it. In the caller's dispose scope.</summary>
/// <param name="Encoder">Not disposed of with it: the model may have it.</param>
/// <param name="Labeled">Single [N, P].</param>
/// <param name="Unlabeled">Single [U, P].</param>
internal sealed record PlainRows(PlainEncoder Encoder, Tensor Labeled, Tensor Unlabeled)
{
    /// <summary>P.</summary>
    public int Slots => Encoder.Model.Dimension;

    /// <summary>Learns the encoder of these rows, without labels; null where their kind has none, or they say nothing.</summary>
    /// <param name="format">Of the rows.</param>
    /// <param name="rows">The labeled ones, then the unlabeled.</param>
    /// <param name="labeled">How many of them are labeled.</param>
    /// <param name="seed">Of what is random in it.</param>
    public static PlainRows? Learn(RowFormat format, RowStore rows, int labeled, long seed)
    {
        if (format.LearnPlain(rows, seed) is not { } encoder)
            return null;
        using var noGrad = no_grad();
        var all = encoder.Model.Encode(rows);
        return new PlainRows(encoder, all.narrow(0, 0, labeled), all.narrow(0, labeled, rows.Count - labeled));
    }
}
