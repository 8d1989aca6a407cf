using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Downstream;

/// <summary>Neighbours of a row in parts: scores, and ids of one type.</summary>
internal sealed class NeighborOutput<TId>
{
    /// <summary>Number of parts.</summary>
    public const int Count = 10;

    private readonly VectorParts<float> _scores = new(Count);
    private readonly VectorParts<TId> _ids = new(Count);
    private float[] _query = [];
    private float[] _scoreValues = [];
    private long[] _rows = [];
    private TId[] _idValues = [];

    [ColumnName(CarrierColumns.Part + "0"), VectorType(1)] public float[] Part0 { get => _scores[0]; set => _scores[0] = value; }
    [ColumnName(CarrierColumns.Part + "1"), VectorType(2)] public float[] Part1 { get => _scores[1]; set => _scores[1] = value; }
    [ColumnName(CarrierColumns.Part + "2"), VectorType(4)] public float[] Part2 { get => _scores[2]; set => _scores[2] = value; }
    [ColumnName(CarrierColumns.Part + "3"), VectorType(8)] public float[] Part3 { get => _scores[3]; set => _scores[3] = value; }
    [ColumnName(CarrierColumns.Part + "4"), VectorType(16)] public float[] Part4 { get => _scores[4]; set => _scores[4] = value; }
    [ColumnName(CarrierColumns.Part + "5"), VectorType(32)] public float[] Part5 { get => _scores[5]; set => _scores[5] = value; }
    [ColumnName(CarrierColumns.Part + "6"), VectorType(64)] public float[] Part6 { get => _scores[6]; set => _scores[6] = value; }
    [ColumnName(CarrierColumns.Part + "7"), VectorType(128)] public float[] Part7 { get => _scores[7]; set => _scores[7] = value; }
    [ColumnName(CarrierColumns.Part + "8"), VectorType(256)] public float[] Part8 { get => _scores[8]; set => _scores[8] = value; }
    [ColumnName(CarrierColumns.Part + "9"), VectorType(512)] public float[] Part9 { get => _scores[9]; set => _scores[9] = value; }
    [ColumnName(CarrierColumns.Second + "0"), VectorType(1)] public TId[] Second0 { get => _ids[0]; set => _ids[0] = value; }
    [ColumnName(CarrierColumns.Second + "1"), VectorType(2)] public TId[] Second1 { get => _ids[1]; set => _ids[1] = value; }
    [ColumnName(CarrierColumns.Second + "2"), VectorType(4)] public TId[] Second2 { get => _ids[2]; set => _ids[2] = value; }
    [ColumnName(CarrierColumns.Second + "3"), VectorType(8)] public TId[] Second3 { get => _ids[3]; set => _ids[3] = value; }
    [ColumnName(CarrierColumns.Second + "4"), VectorType(16)] public TId[] Second4 { get => _ids[4]; set => _ids[4] = value; }
    [ColumnName(CarrierColumns.Second + "5"), VectorType(32)] public TId[] Second5 { get => _ids[5]; set => _ids[5] = value; }
    [ColumnName(CarrierColumns.Second + "6"), VectorType(64)] public TId[] Second6 { get => _ids[6]; set => _ids[6] = value; }
    [ColumnName(CarrierColumns.Second + "7"), VectorType(128)] public TId[] Second7 { get => _ids[7]; set => _ids[7] = value; }
    [ColumnName(CarrierColumns.Second + "8"), VectorType(256)] public TId[] Second8 { get => _ids[8]; set => _ids[8] = value; }
    [ColumnName(CarrierColumns.Second + "9"), VectorType(512)] public TId[] Second9 { get => _ids[9]; set => _ids[9] = value; }

    /// <summary>Searches for one row.</summary>
    public void Search(NearestNeighborIndex index, in VBuffer<float> query, Func<NeighborIds, long, TId> id)
    {
        var k = index.Settings.NumberOfNeighbors;
        if (_rows.Length != k)
        {
            (_rows, _scoreValues, _idValues) = (new long[k], new float[k], new TId[k]);
        }

        if (_query.Length != query.Length)
        {
            _query = new float[query.Length];
        }

        query.CopyTo(_query);
        if (query.Length != index.Dimension)
        {
            throw new InvalidOperationException(
                $"Column '{index.Settings.InputColumn}' has vectors of length {query.Length}, the reference rows have {index.Dimension}.");
        }

        index.Search(_query, 1, _rows, _scoreValues);
        for (var i = 0; i < k; i++)
        {
            _idValues[i] = id(index.Ids, _rows[i]);
        }

        _scores.Fill(_scoreValues);
        _ids.Fill(_idValues);
    }
}

/// <summary>Finds neighbours with text ids in a saved model.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class TextNeighborsMapping : CustomMappingFactory<NumbersInput, NeighborOutput<ReadOnlyMemory<char>>>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Numbers.TextNeighbors";

    /// <summary>The mapping.</summary>
    public static void Map(NumbersInput input, NeighborOutput<ReadOnlyMemory<char>> output) =>
        output.Search(NeighborCarrier.Cache.Get(input.State), input.Numbers, static (ids, row) => ((NeighborIds.TextIds)ids)[row]);

    /// <inheritdoc/>
    public override Action<NumbersInput, NeighborOutput<ReadOnlyMemory<char>>> GetMapping() => Map;
}

/// <summary>Finds neighbours with number ids in a saved model.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class NumberNeighborsMapping : CustomMappingFactory<NumbersInput, NeighborOutput<long>>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Numbers.NumberNeighbors";

    /// <summary>The mapping.</summary>
    public static void Map(NumbersInput input, NeighborOutput<long> output) =>
        output.Search(NeighborCarrier.Cache.Get(input.State), input.Numbers, static (ids, row) => ((NeighborIds.NumberIds)ids)[row]);

    /// <inheritdoc/>
    public override Action<NumbersInput, NeighborOutput<long>> GetMapping() => Map;
}

/// <summary>Saves a fitted search as a carrier chain.</summary>
internal static class NeighborCarrier
{
    /// <summary>The searches of loaded models.</summary>
    public static CarrierCache<NearestNeighborIndex> Cache { get; } = new(NearestNeighborIndex.Read);

    /// <summary>The body of the transformer's <see cref="ICanSaveModel.Save"/>.</summary>
    public static void Save(NearestNeighborIndex index, ModelSaveContext context)
    {
        var mlContext = new MLContext();
        var transforms = mlContext.Transforms;
        var settings = index.Settings;
        IEstimator<ITransformer> mapping = index.Ids is NeighborIds.TextIds
            ? transforms.CustomMapping<NumbersInput, NeighborOutput<ReadOnlyMemory<char>>>(
                TextNeighborsMapping.Map, TextNeighborsMapping.Contract)
            : transforms.CustomMapping<NumbersInput, NeighborOutput<long>>(NumberNeighborsMapping.Map, NumberNeighborsMapping.Contract);
        CarriedVector.Save(mlContext, index, index.WriteArchive, mapping,
            [
                CarrierChain.Gather(transforms, settings.NeighborsColumn, CarrierColumns.Second, settings.NumberOfNeighbors),
                CarrierChain.Gather(transforms, settings.ScoresColumn, CarrierColumns.Part, settings.NumberOfNeighbors),
            ], context);
    }
}
