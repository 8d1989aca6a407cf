using System.Buffers;
using System.Runtime.InteropServices;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Reference vectors, what they are called, and the search for the nearest of them as the stage of a pipeline.</summary>
internal sealed class NearestNeighborIndex(VectorIndex vectors, NeighborIds ids, NeighborSettings settings) : VectorComputation, IDisposable
{
    /// <summary>The kind of archive.</summary>
    public const string Kind = "nearest-neighbors";

    /// <summary>The vectors.</summary>
    public VectorIndex Vectors => vectors;

    /// <summary>What the reference rows are called.</summary>
    public NeighborIds Ids => ids;

    /// <summary>Column names and the number of neighbors.</summary>
    public NeighborSettings Settings => settings;

    /// <summary>Ends with <see cref="Dispose"/>: enter it to use the vectors.</summary>
    public override Lifetime Lifetime { get; } = new(nameof(NearestNeighborsTransformer), vectors.Dispose);

    public override string InputColumn => settings.InputColumn;

    public override int Dimension => vectors.Dimension;

    // Of a row its scores, and behind them the bits of the numbers of its reference rows.
    public override int Width => 2 * settings.NumberOfNeighbors;

    protected override void Compute(Span<float> vectors, int count, Span<float> results)
    {
        var k = settings.NumberOfNeighbors;
        var rows = ArrayPool<long>.Shared.Rent(count * k);
        var scores = ArrayPool<float>.Shared.Rent(count * k);
        using (Lifetime.Enter())
            Vectors.Search(vectors, count, k, rows, scores);
        for (var i = 0; i < count; i++)
        {
            var result = results.Slice(i * Width, Width);
            scores.AsSpan(i * k, k).CopyTo(result);
            var numbers = MemoryMarshal.Cast<float, int>(result[k..]);
            for (var j = 0; j < k; j++)
                numbers[j] = (int)rows[i * k + j];
        }
        ArrayPool<long>.Shared.Return(rows);
        ArrayPool<float>.Shared.Return(scores);
    }

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row)
    {
        var k = settings.NumberOfNeighbors;
        if (output == 1)
            return RowGetters.Vector(() => row().Span[..k], static score => score);
        return ids switch
        {
            NeighborIds.TextIds texts => RowGetters.Vector(() => MemoryMarshal.Cast<float, int>(row().Span[k..]), number => texts[number]),
            NeighborIds.NumberIds numbers => RowGetters.Vector(() => MemoryMarshal.Cast<float, int>(row().Span[k..]), number => numbers[number]),
            _ => throw new InvalidOperationException($"Ids of type {ids.ItemType} have no column."),
        };
    }

    /// <summary>Writes vectors, ids and settings.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        var tensors = ids.ToTensors();
        var content = settings.ToJson();
        vectors.AddTo(tensors, content);
        ModelArchive.Write(stream, Kind, content, tensors);
    }

    /// <summary>Reads what <see cref="WriteArchive"/> wrote.</summary>
    /// <exception cref="FormatException">The archive holds something else or is damaged.</exception>
    public static NearestNeighborIndex Read(ArchiveManifest manifest, SafeTensorsReader tensors, Device device)
        => VectorArchive.Read(manifest, tensors, Kind, (content, all) =>
    {
        var settings = NeighborSettings.FromJson(content);
        var vectors = VectorIndex.Read(content, all, device);
        return new NearestNeighborIndex(vectors, NeighborIds.FromTensors(all, vectors.Count), settings);
    });

    /// <inheritdoc/>
    public void Dispose() => Lifetime.Close();
}
