using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Views;

/// <summary>Properties of tokens, looked up for a whole batch.</summary>
internal static class TokenTable
{
    /// <summary>The table's entry for every id, in the shape of the ids.</summary>
    public static Tensor Lookup(Tensor table, Tensor ids) => table.index_select(0, ids.reshape(-1)).view(ids.shape);

    /// <summary>Refuses an id that is no plain token.</summary>
    public static void Check(int id, TokenVocabulary vocabulary, string parameter)
    {
        if (id < vocabulary.SpecialCount || id >= vocabulary.Size)
        {
            throw new ArgumentOutOfRangeException(parameter,
                $"Token ids must be at least {vocabulary.SpecialCount}, behind the special tokens, "
                + $"and less than {vocabulary.Size}, got {id}.");
        }
    }
}
