using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Collects reference vectors in blocks, so that neither the collection nor a search ever holds all of them twice.</summary>
/// <param name="dimension">Length of the vectors.</param>
/// <param name="maximumBlockRows">Rows of a block at most; fewer where they are long.</param>
internal sealed class VectorIndexBuilder(int dimension, int maximumBlockRows = VectorIndexBuilder.MaximumBlockRows) : IDisposable
{
    // On a GPU the scores of one block for one batch of queries: 256 x 65,536 floats are 64 MB.
    private const int MaximumBlockRows = 65_536;
    private const int MaximumBlockElements = 1 << 24;

    private readonly int _blockRows = Math.Clamp(MaximumBlockElements / dimension, 1, maximumBlockRows);
    private readonly List<Tensor> _blocks = [];
    private float[] _buffer = [];
    private int _count;

    /// <summary>Adds a vector; false where it has no direction and is left out.</summary>
    public bool Add(ReadOnlySpan<float> vector)
    {
        if ((_count + 1) * dimension > _buffer.Length)
            Array.Resize(ref _buffer, Math.Min(Math.Max(64, 2 * _count), _blockRows) * dimension);

        var target = _buffer.AsSpan(_count * dimension, dimension);
        vector.CopyTo(target);
        if (!UnitVector.Normalize(target))
            return false;

        if (++_count == _blockRows)
            Flush();
        return true;
    }

    /// <summary>The exact index; the builder is empty afterwards.</summary>
    public ExactIndex Build(Device device)
    {
        Flush();
        using var scope = NewDisposeScope();
        var blocks = _blocks.Select(b => VectorIndex.Own(b, device)).ToArray();
        Dispose();
        return new ExactIndex(blocks, dimension, device);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _blocks.ForEach(b => b.Dispose());
        _blocks.Clear();
    }

    private void Flush()
    {
        if (_count == 0)
            return;

        var block = empty([_count, dimension], ScalarType.Float32).DetachFromDisposeScope();
        MemoryMarshal.AsBytes(_buffer.AsSpan(0, _count * dimension)).CopyTo(block.bytes);
        _blocks.Add(block);
        _count = 0;
    }
}
