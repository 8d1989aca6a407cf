namespace Ssl.Estimators.Rows;

/// <summary>Memory that a row is read into; the next row that is read into it takes its place.</summary>
internal sealed class RowBuffer
{
    private double[] _numbers = [];
    private ReadOnlyMemory<char>[] _texts = [];

    /// <summary>Pixels of the row's image.</summary>
    public byte[] Pixels { get; set; } = [];

    /// <summary>Holds these numbers.</summary>
    public ReadOnlyMemory<double> Hold(List<double> numbers) => Hold(numbers, ref _numbers);

    /// <summary>Holds these texts.</summary>
    public ReadOnlyMemory<ReadOnlyMemory<char>> Hold(List<ReadOnlyMemory<char>> texts) => Hold(texts, ref _texts);

    private static ReadOnlyMemory<T> Hold<T>(List<T> values, ref T[] buffer)
    {
        if (buffer.Length < values.Count)
            buffer = new T[values.Count];
        values.CopyTo(buffer);
        return buffer.AsMemory(0, values.Count);
    }
}
