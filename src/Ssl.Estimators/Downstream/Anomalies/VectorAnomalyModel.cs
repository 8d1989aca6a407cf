using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>A detector that scores vectors.</summary>
/// <param name="inputColumn">The column of vectors.</param>
internal abstract class VectorAnomalyModel(string inputColumn) : AnomalyModel
{
    private const string InputKey = "input_column";

    public override IReadOnlyList<string> InputColumns => [inputColumn];

    /// <summary>Length of the vectors.</summary>
    public abstract int Dimension { get; }

    /// <summary>Scores vectors as one batch.</summary>
    /// <param name="vectors">count x <see cref="Dimension"/> values; may be changed.</param>
    /// <param name="count">Number of vectors.</param>
    /// <param name="scores">Takes a score for each; NaN where a vector has values that are none.</param>
    public abstract void Score(Span<float> vectors, int count, Span<float> scores);

    public override void CheckInput(DataViewSchema schema) => new Computation(this).CheckInput(schema);

    public override IDataView CreateView(IDataView input, DataViewSchema schema, int batchSize, ScoringSettings settings)
        => EncodedDataView.Of(input, schema, new Computation(this), batchSize);

    public override IRowToRowMapper CreateMapper(DataViewSchema inputSchema, DataViewSchema outputSchema, ScoringSettings settings)
        => new EncoderRowMapper(new Computation(this), inputSchema, outputSchema);

    protected override void Describe(JsonObject content, Dictionary<string, Tensor> tensors) => content[InputKey] = inputColumn;

    /// <summary>The column of a saved detector.</summary>
    protected static string InputColumnOf(JsonObject content) => content.Name(InputKey);

    private sealed class Computation(VectorAnomalyModel model) : VectorComputation
    {
        public override string InputColumn => model.InputColumns[0];

        public override int Dimension => model.Dimension;

        public override Lifetime Lifetime => model.Lifetime;

        public override int Width => 1;

        public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row)
            => model.CreateGetter(output, () => row().Span[0]);

        protected override void Compute(Span<float> vectors, int count, Span<float> results)
        {
            using var use = Lifetime.Enter();
            model.Score(vectors, count, results);
        }
    }
}

/// <summary>Mean distance (1 - cosine) to the nearest reference rows.</summary>
internal sealed class NeighborDistanceModel(VectorIndex vectors, int k, string inputColumn) : VectorAnomalyModel(inputColumn)
{
    private const string NeighborsKey = "number_of_neighbors";

    public override AnomalyMethod Method => AnomalyMethod.NeighborDistance;

    public override int Dimension => vectors.Dimension;

    public override void Score(Span<float> queries, int count, Span<float> scores)
        => Score(queries, count, k, scores, static (_, _) => true);

    /// <summary>Scores of the reference rows themselves, of which none is its own neighbor.</summary>
    public float[] ReferenceScores(ExactIndex index)
    {
        var scores = new float[index.Count];
        for (var start = 0; start < scores.Length; start += NearestNeighborsTransformer.BatchSize)
        {
            var count = Math.Min(NearestNeighborsTransformer.BatchSize, scores.Length - start);
            var first = start;
            Score(index.Vectors([.. Enumerable.Range(start, count)]), count, k + 1, scores.AsSpan(start, count),
                (query, row) => row != first + query);
        }

        return scores;
    }

    public static NeighborDistanceModel Create(JsonObject content, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var k = (int)content[NeighborsKey]!;
        return k >= 1 ? new(VectorIndex.Read(content, tensors, CPU), k, InputColumnOf(content))
            : throw new FormatException($"The saved detector is damaged: it looks at {k} neighbors, at least 1 must be.");
    }

    public override void MoveTo(Device device)
    {
        // Stays where it was read to: the search is as quick as the matrix product of the CPU.
    }

    protected override void Free() => vectors.Dispose();

    protected override void Describe(JsonObject content, Dictionary<string, Tensor> tensors)
    {
        base.Describe(content, tensors);
        content[NeighborsKey] = k;
        vectors.AddTo(tensors, content);
    }

    private void Score(Span<float> queries, int count, int searched, Span<float> scores, Func<int, long, bool> counts)
    {
        searched = Math.Min(searched, vectors.Count);
        var (rows, similarities) = (new long[count * searched], new float[count * searched]);
        vectors.Search(queries, count, searched, rows, similarities);
        for (var query = 0; query < count; query++)
        {
            var (sum, found) = (0.0, 0);
            for (var i = query * searched; i < (query + 1) * searched && found < k; i++)
            {
                if (rows[i] >= 0 && counts(query, rows[i]))
                    (sum, found) = (sum + 1 - similarities[i], found + 1);
            }

            // Rounding can put a cosine just above 1.
            scores[query] = found == 0 ? float.NaN : (float)Math.Max(0, sum / found);
        }
    }
}
