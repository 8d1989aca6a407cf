using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Data;

/// <summary>
/// The cells of a row as features of a linear model, beside their embedding: numbers piecewise linear, categories one-hot, what is missing
/// marked. Both blocks have the same variance in all.
/// </summary>
/// <remarks>
/// Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022 (arXiv:2203.05556): a
/// number is one slot for each bin of the training data's quantiles, 0 below the bin, 1 above it, linear within.
/// </remarks>
internal sealed class TableFeatures
{
    /// <summary>
    /// Variance of each block. ML.NET's linear trainers penalize weights by a fixed amount: at a quarter of this scale they learned too little
    /// on some tables, at four times as much too much on others.
    /// </summary>
    private const double BlockVariance = 128;

    // Every second edge of the scale's: with few labels, finer bins only add weights to estimate.
    private const int EdgesPerBin = 2;

    // Means and deviations do not change any more after so many rows.
    private const long MaximumRows = 20_000;

    private const string MeansKey = "means", FactorsKey = "factors";

    private readonly TableLayout _layout;
    private readonly int _bins;
    private readonly float[] _low;
    private readonly float[] _width;
    private readonly float[] _means;
    private readonly float[] _factors;

    private TableFeatures(TableLayout layout, float[] means, float[] factors)
    {
        (_layout, _means, _factors) = (layout, means, factors);
        float[][] edges = [.. layout.NumericQuantiles.Select(all => all.Where((_, i) => i % EdgesPerBin == 0).ToArray())];
        _bins = edges.Length == 0 ? 0 : edges[0].Length - 1;
        _low = [.. edges.SelectMany(edge => edge[..^1])];
        // Equal edges, of a value that fills several bins, make a step.
        _width = [.. edges.SelectMany(edge => edge.Zip(edge.Skip(1), (low, high) => Math.Max(high - low, 1e-6f)))];
    }

    /// <summary>Bins of a number.</summary>
    public int Bins => _bins;

    /// <summary>Where each bin begins, number by number.</summary>
    public IReadOnlyList<float> BinStarts => _low;

    /// <summary>How wide each bin is, number by number.</summary>
    public IReadOnlyList<float> BinWidths => _width;

    /// <summary>Subtracted from all slots, those of the embedding included.</summary>
    public IReadOnlyList<float> Means => _means;

    /// <summary>Multiplied with then.</summary>
    public IReadOnlyList<float> Factors => _factors;

    /// <summary>Slots of the cells.</summary>
    public int InputCount => _layout.NumericCount * (_bins + 1) + _layout.TotalCategories;

    /// <summary>A name for each of them: the cell, and the bin, the entry or "missing".</summary>
    public IEnumerable<string> InputNames
    {
        get
        {
            foreach (var cell in _layout.NumericNames)
            {
                for (var bin = 0; bin < _bins; bin++)
                    yield return string.Create(CultureInfo.InvariantCulture, $"{cell}.{bin}");
            }
            foreach (var cell in _layout.NumericNames)
                yield return $"{cell}.missing";
            for (var cell = 0; cell < _layout.CategoricalCount; cell++)
            {
                for (var entry = 0; entry < _layout.CategoryCounts[cell]; entry++)
                    yield return string.Create(CultureInfo.InvariantCulture, $"{_layout.CategoricalNames[cell]}.{entry}");
            }
        }
    }

    /// <summary>Both blocks as they are.</summary>
    public static TableFeatures Unscaled(TableLayout layout, int embeddingDimension)
    {
        var slots = new TableFeatures(layout, [], []).InputCount + embeddingDimension;
        return new TableFeatures(layout, new float[slots], [.. Enumerable.Repeat(1f, slots)]);
    }

    /// <summary>Learns the scales of both blocks.</summary>
    /// <param name="layout">The cells.</param>
    /// <param name="rows">Of the training data; disposed of. Not all need be read.</param>
    /// <param name="encode">Embeds a batch and disposes of it.</param>
    public static TableFeatures Learn(TableLayout layout, IEnumerable<TableBatch> rows, Func<TableBatch, Tensor> encode)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var unscaled = new TableFeatures(layout, [], []);
        Tensor? sum = null, squares = null;
        long count = 0;
        foreach (var batch in rows)
        {
            using var step = NewDisposeScope();
            count += batch.Count;
            var all = cat([unscaled.Inputs(batch), encode(batch).cpu()], 1).to(ScalarType.Float64);
            var (nextSum, nextSquares) = (all.sum(dim: 0L), all.pow(Number(2)).sum(dim: 0L));
            (sum, squares) = sum is null ? (nextSum.MoveToOuterDisposeScope(), nextSquares.MoveToOuterDisposeScope())
                : (sum.add_(nextSum, One), squares!.add_(nextSquares, One));
            if (count >= MaximumRows)
                break;
        }
        var means = Doubles(sum!.div(Number((double)count)));
        var variances = Doubles(squares!.div(Number((double)count))).Select((square, i) => Math.Max(0, square - means[i] * means[i])).ToArray();
        var inputs = unscaled.InputCount;
        // Cells keep their sizes to each other: a rare category has little variance, and counts little. Slots of the embedding get one size.
        var inputVariance = variances.Take(inputs).Sum();
        var inputFactor = inputVariance > 0 ? Math.Sqrt(BlockVariance / inputVariance) : 0;
        // By its own size: a slot in small units lives, one that only rounding moves does not.
        var lives = variances.Select((variance, i) => variance > 1e-10 * (variance + means[i] * means[i])).Skip(inputs).ToArray();
        var slotVariance = BlockVariance / Math.Max(1, lives.Count(live => live));
        return new TableFeatures(layout, [.. means.Select(mean => (float)mean)],
            [.. variances.Select((variance, i) => (float)(i < inputs ? inputFactor : lives[i - inputs] ? Math.Sqrt(slotVariance / variance) : 0))]);
    }

    /// <summary>The cells of a batch, not scaled: Single [N, <see cref="InputCount"/>] on the CPU, in the caller's dispose scope.</summary>
    public Tensor Inputs(TableBatch batch)
    {
        using var scope = NewDisposeScope();
        batch = batch.To(CPU);
        var parts = new List<Tensor>();
        if (_layout.NumericCount > 0)
        {
            Tensor low = tensor(_low, [_layout.NumericCount, _bins]), width = tensor(_width, [_layout.NumericCount, _bins]);
            var present = batch.Missing.logical_not().unsqueeze(2);                                                 // [N, C, 1]
            parts.Add(batch.Numbers.unsqueeze(2).sub(low).div(width).clamp(Number(0.0), Number(1.0)).mul(present).flatten(1));
            parts.Add(batch.Missing.to(ScalarType.Float32));
        }
        if (_layout.CategoricalCount > 0)
        {
            var places = batch.Codes.add(tensor(_layout.CategoryOffsets), One);                                     // [N, K]
            parts.Add(zeros(batch.Count, _layout.TotalCategories, ScalarType.Float32).scatter_(1, places, ones_like(places, ScalarType.Float32)));
        }
        return cat([.. parts], 1).MoveToOuterDisposeScope();
    }

    /// <summary>Both blocks at their scales, in the caller's dispose scope.</summary>
    /// <param name="inputs">What <see cref="Inputs"/> gave.</param>
    /// <param name="embeddings">Embeddings of the same rows, Single [N, D], on the CPU.</param>
    /// <returns>Single [N, <see cref="InputCount"/> + D].</returns>
    public Tensor Scale(Tensor inputs, Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        return cat([inputs, embeddings], 1).sub_(tensor(_means)).mul_(tensor(_factors)).MoveToOuterDisposeScope();
    }

    /// <summary>The scales as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        [MeansKey] = new JsonArray([.. _means.Select(mean => (JsonNode)mean)]),
        [FactorsKey] = new JsonArray([.. _factors.Select(factor => (JsonNode)factor)]),
    };

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The scales do not fit the cells.</exception>
    public static TableFeatures FromJson(JsonObject json, TableLayout layout, int dimension)
    {
        var features = new TableFeatures(layout, Floats(MeansKey), Floats(FactorsKey));
        var count = features.InputCount + dimension;
        if (features._means.Length != count || features._factors.Length != count || !features._means.All(float.IsFinite)
            || !features._factors.All(factor => factor >= 0 && float.IsFinite(factor)))
        {
            throw new FormatException($"The scales of the features must be {count} finite means and as many finite factors of at least 0.");
        }
        return features;

        float[] Floats(string key) => [.. json[key]!.AsArray().Select(value => (float)value!)];
    }

    private static double[] Doubles(Tensor values) => MemoryMarshal.Cast<byte, double>(values.contiguous().bytes).ToArray();
}
