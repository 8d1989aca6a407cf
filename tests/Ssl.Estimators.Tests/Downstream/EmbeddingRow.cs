using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Tests.Downstream;

/// <summary>A row with a vector and a label of every kind.</summary>
internal sealed class EmbeddingRow
{
    public string Name { get; set; } = "";

    public string Class { get; set; } = "";

    public bool Answer { get; set; }

    public float Number { get; set; }

    public float[] Features { get; set; } = [];
}

/// <summary>Generated vectors, alone and around centers.</summary>
internal static class EmbeddingRows
{
    public static readonly string[] Classes = ["north", "east", "south"];

    /// <summary>Rows around one center a class; the answer is whether it is the first class, the number ten times the class.</summary>
    public static EmbeddingRow[] Clustered(int count, int dimension, int seed, double spread = 0.3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var label = i % Classes.Length;
            return new EmbeddingRow
            {
                Name = $"row {i}",
                Class = Classes[label],
                Answer = label == 0,
                Number = 10 * label,
                Features = [.. Enumerable.Range(0, dimension).Select(d => (float)((d == label ? 1 : 0) + spread * Normal(random)))],
            };
        })];
    }

    /// <summary>The rows as a view with vectors of known size.</summary>
    public static IDataView View(MLContext mlContext, IEnumerable<EmbeddingRow> rows, int dimension)
        => mlContext.Data.LoadFromEnumerable(rows, Definition(dimension));

    public static SchemaDefinition Definition(int dimension)
    {
        var definition = SchemaDefinition.Create(typeof(EmbeddingRow));
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimension);
        return definition;
    }

    /// <summary>The view with the class as the key "Label".</summary>
    public static IDataView WithKeys(MLContext mlContext, IDataView view)
        => mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(view).Transform(view);

    public static double Cosine(float[] a, float[] b)
    {
        double dot = 0, first = 0, second = 0;
        for (var i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            first += (double)a[i] * a[i];
            second += (double)b[i] * b[i];
        }

        return dot / Math.Sqrt(first) / Math.Sqrt(second);
    }

    public static double Normal(Random random)
        => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>Saves a model and loads it in a context of its own.</summary>
    public static ITransformer Reload(ITransformer model, DataViewSchema schema)
    {
        using var stream = new MemoryStream();
        TestDevice.Context().Model.Save(model, schema, stream);
        stream.Position = 0;
        return TestDevice.Context().Model.Load(stream, out _);
    }
}
