namespace Ssl.Fuzz;

/// <summary>A kind of file: a whole one, and how it is read.</summary>
/// <param name="Name">For reports.</param>
/// <param name="Whole">A file as the product or another program writes it.</param>
/// <param name="Read">Reads a file of these bytes and gives numbers that follow from it.</param>
/// <param name="Refusals">Exceptions that say in a sentence why a file cannot be read.</param>
/// <param name="HasChecksums">Whether a damage that is not sealed anew must be noticed, or change nothing.</param>
internal sealed record FileKind(string Name, byte[] Whole, Func<byte[], float[][]> Read, Type[] Refusals, bool HasChecksums)
{
    private readonly Lazy<float[][]> _expected = new(() => Read(Whole));

    /// <summary>The numbers of the whole file.</summary>
    public float[][] Expected => _expected.Value;
}
