using Microsoft.ML.Data;

namespace Ssl.Estimators.Persistence;

/// <summary>A mapping that reads nothing.</summary>
internal sealed class NoInput;

/// <summary>The constant that the state's expressions are given.</summary>
internal sealed class KeyOutput
{
    /// <summary>Always 1.</summary>
    [ColumnName(CarrierColumns.Key)]
    public float Key { get; set; }
}

/// <summary>A vector in parts of fixed lengths: column i holds 2^i values and is used where bit i of the length is set.</summary>
internal sealed class VectorParts<T>(int count)
{
    private readonly T[]?[] _parts = new T[]?[count];

    /// <summary>The longest vector that the parts hold.</summary>
    public int MaximumLength => (1 << count) - 1;

    /// <summary>A part's values, kept from row to row.</summary>
    public T[] this[int part]
    {
        get => _parts[part] ?? [];
        set => _parts[part] = value;
    }

    /// <summary>Cuts a vector into the parts of its length.</summary>
    public void Fill(ReadOnlySpan<T> values)
    {
        var length = values.Length;
        for (var i = 0; i < _parts.Length; i++)
        {
            if ((length >> i & 1) != 0)
            {
                values[..(1 << i)].CopyTo(_parts[i] ??= new T[1 << i]);
                values = values[(1 << i)..];
            }
        }
    }
}

/// <summary>An embedding in parts.</summary>
internal class EmbeddingOutput
{
    /// <summary>Number of parts.</summary>
    public const int Count = 16;

    private readonly VectorParts<float> _parts = new(Count);
    private float[] _embedding = [];

    [ColumnName(CarrierColumns.Part + "0"), VectorType(1)] public float[] Part0 { get => _parts[0]; set => _parts[0] = value; }
    [ColumnName(CarrierColumns.Part + "1"), VectorType(2)] public float[] Part1 { get => _parts[1]; set => _parts[1] = value; }
    [ColumnName(CarrierColumns.Part + "2"), VectorType(4)] public float[] Part2 { get => _parts[2]; set => _parts[2] = value; }
    [ColumnName(CarrierColumns.Part + "3"), VectorType(8)] public float[] Part3 { get => _parts[3]; set => _parts[3] = value; }
    [ColumnName(CarrierColumns.Part + "4"), VectorType(16)] public float[] Part4 { get => _parts[4]; set => _parts[4] = value; }
    [ColumnName(CarrierColumns.Part + "5"), VectorType(32)] public float[] Part5 { get => _parts[5]; set => _parts[5] = value; }
    [ColumnName(CarrierColumns.Part + "6"), VectorType(64)] public float[] Part6 { get => _parts[6]; set => _parts[6] = value; }
    [ColumnName(CarrierColumns.Part + "7"), VectorType(128)] public float[] Part7 { get => _parts[7]; set => _parts[7] = value; }
    [ColumnName(CarrierColumns.Part + "8"), VectorType(256)] public float[] Part8 { get => _parts[8]; set => _parts[8] = value; }
    [ColumnName(CarrierColumns.Part + "9"), VectorType(512)] public float[] Part9 { get => _parts[9]; set => _parts[9] = value; }
    [ColumnName(CarrierColumns.Part + "10"), VectorType(1024)] public float[] Part10 { get => _parts[10]; set => _parts[10] = value; }
    [ColumnName(CarrierColumns.Part + "11"), VectorType(2048)] public float[] Part11 { get => _parts[11]; set => _parts[11] = value; }
    [ColumnName(CarrierColumns.Part + "12"), VectorType(4096)] public float[] Part12 { get => _parts[12]; set => _parts[12] = value; }
    [ColumnName(CarrierColumns.Part + "13"), VectorType(8192)] public float[] Part13 { get => _parts[13]; set => _parts[13] = value; }
    [ColumnName(CarrierColumns.Part + "14"), VectorType(16384)] public float[] Part14 { get => _parts[14]; set => _parts[14] = value; }
    [ColumnName(CarrierColumns.Part + "15"), VectorType(32768)] public float[] Part15 { get => _parts[15]; set => _parts[15] = value; }

    /// <summary>Cuts a vector into the parts.</summary>
    public void Fill(ReadOnlySpan<float> values) => _parts.Fill(values);

    /// <summary>Embeds a row.</summary>
    public void Embed(EncoderModel model, RawRow row)
    {
        if (_embedding.Length != model.Dimension)
        {
            _embedding = new float[model.Dimension];
        }

        model.Embed([row], _embedding);
        Fill(_embedding);
    }
}
