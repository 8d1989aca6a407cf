using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Extensions.VectorData.Tests;

/// <summary>A row of ML.NET.</summary>
internal sealed class Row
{
    public const int Dimension = 12;

    public long Number { get; set; }

    public string Name { get; set; } = "";

    public string Team { get; set; } = "";

    public bool IsOpen { get; set; }

    public float Price { get; set; }

    [VectorType(Dimension)]
    public float[] Features { get; set; } = [];

    /// <summary>Rows around a few centers. Every fifth price is missing.</summary>
    public static Row[] MakeUp(int count, int seed)
    {
        var centers = new Random(3);
        float[][] means = [.. Enumerable.Range(0, 20).Select(_ => Draw(centers))];
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Row
        {
            Number = 10 * i,
            Name = $"row {i}, \"quoted\" and 名",
            Team = i % 3 == 0 ? "post" : "finance",
            IsOpen = i % 2 == 0,
            Price = i % 5 == 4 ? float.NaN : i / 4f,
            Features = [.. Draw(random).Zip(means[i % means.Length], (noise, mean) => mean + .5f * noise)],
        })];
    }

    public static IDataView View(MLContext mlContext, IEnumerable<Row> rows) => mlContext.Data.LoadFromEnumerable(rows);

    private static float[] Draw(Random random) => [.. Enumerable.Range(0, Dimension).Select(_ => random.NextSingle() * 2 - 1)];
}

/// <summary>The record of such a row.</summary>
internal sealed class RowRecord
{
    [VectorStoreKey]
    public long Number { get; set; }

    [VectorStoreData]
    public string Name { get; set; } = "";

    [VectorStoreData(IsIndexed = true)]
    public string Team { get; set; } = "";

    [VectorStoreData]
    public bool IsOpen { get; set; }

    [VectorStoreData]
    public float? Price { get; set; }

    [VectorStoreVector(Row.Dimension, DistanceFunction = DistanceFunction.CosineDistance)]
    public ReadOnlyMemory<float> Features { get; set; }

    /// <summary>Not stored: it has no attribute.</summary>
    public string Note { get; set; } = "own";
}

/// <summary>A record whose vector the collection makes of a text.</summary>
internal sealed class TextRecord
{
    [VectorStoreKey]
    public string Id { get; set; } = "";

    [VectorStoreData]
    public string Answer { get; set; } = "";

    [VectorStoreVector(16, DistanceFunction = DistanceFunction.CosineSimilarity)]
    public string Question { get; set; } = "";
}

/// <summary>A record of the other types.</summary>
internal sealed class TypesRecord
{
    [VectorStoreKey]
    public Guid Id { get; set; }

    [VectorStoreData]
    public double Price { get; set; }

    [VectorStoreData]
    public long? Count { get; set; }

    [VectorStoreData]
    public string Team { get; set; } = "";

    [VectorStoreData]
    public DateTime When { get; set; }

    [VectorStoreData]
    public List<string> Tags { get; set; } = [];

    [VectorStoreData]
    public int[] Codes { get; set; } = [];

    [VectorStoreVector(2)]
    public float[]? First { get; set; }

    [VectorStoreVector(3)]
    public Embedding<float>? Second { get; set; }
}
