using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
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
    public Lifetime Lifetime { get; } = new(nameof(NearestNeighborsTransformer), vectors.Dispose);

    public override string InputColumn => settings.InputColumn;

    public override int Dimension => vectors.Dimension;

    public override VectorResults CreateResults(int capacity) => new NeighborResults(this, capacity);

    /// <summary>Finds the most similar reference rows: <see cref="VectorIndex.Search"/> with the number of neighbors asked for.</summary>
    public void Search(Span<float> queries, int count, Span<long> rows, Span<float> scores)
    {
        using var use = Lifetime.Enter();
        vectors.Search(queries, count, settings.NumberOfNeighbors, rows, scores);
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

/// <summary>The neighbors of some rows.</summary>
internal sealed class NeighborResults(NearestNeighborIndex index, int capacity) : VectorResults
{
    private readonly int _k = index.Settings.NumberOfNeighbors;
    private readonly long[] _rows = new long[capacity * index.Settings.NumberOfNeighbors];
    private readonly float[] _scores = new float[capacity * index.Settings.NumberOfNeighbors];

    public override void Compute(Span<float> vectors, int count) => index.Search(vectors, count, _rows, _scores);

    public override Delegate CreateGetter(int output, Func<int> row) => NeighborGetters.Create(index.Ids, output,
        () => _rows.AsMemory(row() * _k, _k), () => _scores.AsMemory(row() * _k, _k));
}
