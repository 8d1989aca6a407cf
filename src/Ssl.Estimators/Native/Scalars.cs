using TorchSharp;

namespace Ssl.Estimators.Native;

/// <summary>
/// Numbers as operands of tensors. A Scalar frees its native value in a finalizer, and TorchSharp hands only the raw handle to the native
/// call: a temporary one, as the implicit conversion in t.add(1) makes, can be freed while it is read. These are kept alive for longer
/// than any call. The implicit conversions are banned in this assembly (eng/BannedSymbols.txt).
/// </summary>
public static class Scalars
{
    // A number is read by the call that it is made for; hundreds made later by the same thread, that call is over.
    private const int Kept = 256;

    [ThreadStatic]
    private static Scalar[]? t_kept;

    [ThreadStatic]
    private static int t_next;

    /// <summary>
    /// The factor of the second summand and the step of a range, written out: where it is left out TorchSharp makes a temporary one itself,
    /// in a + b, too.
    /// </summary>
    public static readonly Scalar One = 1.ToScalar();

    /// <summary>A floating-point operand.</summary>
    public static Scalar Number(double value) => Keep(value.ToScalar());

    /// <summary>A whole operand, which leaves the type of whole-number tensors as it is.</summary>
    public static Scalar Number(long value) => Keep(value.ToScalar());

    /// <summary>A Boolean operand.</summary>
    public static Scalar Number(bool value) => Keep(value.ToScalar());

    private static Scalar Keep(Scalar scalar)
    {
        var kept = t_kept ??= new Scalar[Kept];
        kept[t_next] = scalar;
        t_next = (t_next + 1) % Kept;
        return scalar;
    }
}
