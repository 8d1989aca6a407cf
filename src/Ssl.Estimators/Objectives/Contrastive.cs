using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>
/// What the contrastive objectives share: argument checks (a wrong shape in a matrix product would end the process), unit length.
/// </summary>
internal static class Contrastive
{
    /// <summary>Rows scaled to unit length; a row of zeros stays.</summary>
    public static Tensor Normalize(Tensor vectors)                                  // [N, D]
        => vectors / vectors.norm(1, keepdim: true).clamp_min(Number(1e-12));

    // A fault names the argument as the caller has it.
    public static void Pairs(Tensor first, Tensor second, double temperature, [CallerArgumentExpression(nameof(first))] string firstName = "",
        [CallerArgumentExpression(nameof(second))] string secondName = "")
    {
        ArgumentNullException.ThrowIfNull(first, firstName);
        ArgumentNullException.ThrowIfNull(second, secondName);
        if (first.dim() != 2 || second.dim() != 2 || first.shape[0] != second.shape[0] || first.shape[1] != second.shape[1])
            throw new ArgumentException($"Both sides must be [N, D], got {Shape(first)} and {Shape(second)}.", secondName);
        if (first.shape[0] == 0)
            throw new ArgumentException("There must be at least one pair, got none.", firstName);
        Temperature(temperature);
    }

    public static void BothSides(Tensor both, double temperature)
    {
        ArgumentNullException.ThrowIfNull(both);
        if (both.dim() != 2 || both.shape[0] == 0 || both.shape[0] % 2 != 0)
            throw new ArgumentException($"Both sides of the pairs must be [2N, D], got {Shape(both)}.", nameof(both));
        Temperature(temperature);
    }

    private static void Temperature(double temperature)
    {
        if (!(temperature > 0 && double.IsFinite(temperature)))
        {
            throw new ArgumentOutOfRangeException(nameof(temperature),
                $"Temperature must be greater than 0, got {temperature.ToString(System.Globalization.CultureInfo.InvariantCulture)}.");
        }
    }

    public static void SeveralRows(Tensor first)
    {
        if (first.shape[0] < 2)
            throw new ArgumentException("Statistics over the batch need at least 2 rows, got 1.", nameof(first));
    }

    public static void Square(Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (logits.dim() != 2 || logits.shape[0] != logits.shape[1] || logits.shape[0] == 0)
            throw new ArgumentException($"Logits must be [N, N], got {Shape(logits)}.", nameof(logits));
    }

    public static string Shape(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";
}
