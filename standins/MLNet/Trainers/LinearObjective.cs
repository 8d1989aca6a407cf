using System.Numerics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Numeric;

/// <summary>
/// Turns the scores of one row into its loss and, in place, the derivatives of the loss by the scores.
/// </summary>
internal delegate float RowLoss(Span<float> scores, float label);

/// <summary>
/// The loss of a linear model over rows in memory, with its gradient and the L2 term (which spares the biases), divided by the sum of
/// weights. Parameters: one bias for each output, then one row of weights for each output.
/// Rows are cut into parts that do not depend on the machine, and the parts are added up in order: the result is the same for any
/// number of processors.
/// </summary>
internal sealed class LinearObjective
{
    private readonly TrainingRows _rows;
    private readonly int _outputs;
    private readonly float _l2Weight;
    private readonly RowLoss _rowLoss;
    private readonly float _scale;
    private readonly int _parts;
    private readonly float[][] _gradients;
    private readonly float[] _transposed;
    private readonly ParallelOptions _parallel;

    public LinearObjective(TrainingRows rows, int outputs, float l2Weight, RowLoss rowLoss, int? threads)
    {
        (_rows, _outputs, _l2Weight, _rowLoss) = (rows, outputs, l2Weight, rowLoss);
        _parallel = new ParallelOptions { MaxDegreeOfParallelism = threads ?? -1 };
        _scale = 1 / (float)(rows.Weights == null ? rows.Count : rows.Weights.Sum(weight => (double)weight));

        // A part must be worth its own gradient.
        var size = outputs * (rows.FeatureCount + 1);
        _parts = Math.Clamp(rows.Count / 256, 1, size > 1_000_000 ? 2 : 8);
        _gradients = [.. Enumerable.Range(0, _parts).Select(_ => new float[size])];
        _transposed = rows.IsDense ? null : new float[size];
    }

    public float Evaluate(float[] point, float[] gradient)
    {
        if (!_rows.IsDense)
        {
            Transpose(point, _transposed, _outputs, _rows.FeatureCount);
        }

        var losses = new double[_parts];
        Parallel.For(0, _parts, _parallel, part =>
        {
            var first = (int)((long)_rows.Count * part / _parts);
            var last = (int)((long)_rows.Count * (part + 1) / _parts);
            Array.Clear(_gradients[part]);
            losses[part] = _rows.IsDense ? DensePart(point, _gradients[part], first, last) : SparsePart(_gradients[part], first, last);
        });
        var total = _gradients[0];
        foreach (var part in _gradients.AsSpan(1))
        {
            FloatMath.AddScaled(total, part, 1);
        }

        if (_rows.IsDense)
        {
            total.CopyTo(gradient, 0);
        }
        else
        {
            Transpose(total, gradient, _rows.FeatureCount, _outputs);
        }

        var norm = 0d;
        if (_l2Weight > 0)
        {
            var weights = point.AsSpan(_outputs);
            norm = FloatMath.Dot(weights, weights);
            FloatMath.AddScaled(gradient.AsSpan(_outputs), weights, _l2Weight);
        }

        FloatMath.Scale(gradient, _scale);
        return ((float)losses.Sum() + (float)(norm * _l2Weight * 0.5)) * _scale;
    }

    // Biases stay in front; the matrix behind them is turned from [rows, columns] into [columns, rows].
    private void Transpose(float[] source, float[] destination, int rows, int columns)
    {
        Array.Copy(source, destination, _outputs);
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                destination[_outputs + (column * rows) + row] = source[_outputs + (row * columns) + column];
            }
        }
    }

    private double DensePart(float[] point, float[] gradient, int first, int last)
    {
        // Four rows at a time: each row of weights and of the gradient is read once for four samples.
        const int block = 4;
        var size = _rows.FeatureCount;
        var loss = 0d;
        Span<float> scores = new float[block * _outputs];
        for (var row = first; row < last; row += block)
        {
            var count = Math.Min(block, last - row);
            if (count < block)
            {
                for (var i = 0; i < count; i++)
                {
                    var one = scores[.._outputs];
                    var features = _rows.Row(row + i);
                    for (var c = 0; c < _outputs; c++)
                    {
                        one[c] = point[c] + FloatMath.Dot(point.AsSpan(_outputs + (c * size), size), features);
                    }

                    loss += Derive(one, row + i);
                    for (var c = 0; c < _outputs; c++)
                    {
                        gradient[c] += one[c];
                        FloatMath.AddScaled(gradient.AsSpan(_outputs + (c * size), size), features, one[c]);
                    }
                }

                break;
            }

            var x0 = _rows.Row(row);
            var x1 = _rows.Row(row + 1);
            var x2 = _rows.Row(row + 2);
            var x3 = _rows.Row(row + 3);
            for (var c = 0; c < _outputs; c++)
            {
                Dot4(point.AsSpan(_outputs + (c * size), size), x0, x1, x2, x3, point[c], scores[c..], _outputs);
            }

            for (var i = 0; i < block; i++)
            {
                loss += Derive(scores.Slice(i * _outputs, _outputs), row + i);
            }

            for (var c = 0; c < _outputs; c++)
            {
                var (d0, d1, d2, d3) = (scores[c], scores[_outputs + c], scores[(2 * _outputs) + c], scores[(3 * _outputs) + c]);
                gradient[c] += d0 + d1 + d2 + d3;
                Add4(gradient.AsSpan(_outputs + (c * size), size), x0, x1, x2, x3, d0, d1, d2, d3);
            }
        }

        return loss;
    }

    // Weights and gradient lie transposed here: all outputs of one feature side by side.
    private double SparsePart(float[] gradient, int first, int last)
    {
        var loss = 0d;
        Span<float> scores = new float[_outputs];
        for (var row = first; row < last; row++)
        {
            var values = _rows.SparseValues(row);
            var indices = _rows.SparseIndices(row);
            _transposed.AsSpan(0, _outputs).CopyTo(scores);
            for (var i = 0; i < values.Length; i++)
            {
                FloatMath.AddScaled(scores, _transposed.AsSpan(_outputs * (1 + indices[i]), _outputs), values[i]);
            }

            loss += Derive(scores, row);
            FloatMath.AddScaled(gradient.AsSpan(0, _outputs), scores, 1);
            for (var i = 0; i < values.Length; i++)
            {
                FloatMath.AddScaled(gradient.AsSpan(_outputs * (1 + indices[i]), _outputs), scores, values[i]);
            }
        }

        return loss;
    }

    private float Derive(Span<float> scores, int row)
    {
        var weight = _rows.Weight(row);
        var loss = weight * _rowLoss(scores, _rows.Labels[row]);
        if (weight != 1)
        {
            FloatMath.Scale(scores, weight);
        }

        return loss;
    }

    private static void Dot4(
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> x0,
        ReadOnlySpan<float> x1,
        ReadOnlySpan<float> x2,
        ReadOnlySpan<float> x3,
        float bias,
        Span<float> scores,
        int stride)
    {
        var width = Vector<float>.Count;
        Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
        var i = 0;
        for (; i <= weights.Length - width; i += width)
        {
            var w = new Vector<float>(weights[i..]);
            s0 = Vector.FusedMultiplyAdd(w, new Vector<float>(x0[i..]), s0);
            s1 = Vector.FusedMultiplyAdd(w, new Vector<float>(x1[i..]), s1);
            s2 = Vector.FusedMultiplyAdd(w, new Vector<float>(x2[i..]), s2);
            s3 = Vector.FusedMultiplyAdd(w, new Vector<float>(x3[i..]), s3);
        }

        var (r0, r1, r2, r3) = (Vector.Sum(s0), Vector.Sum(s1), Vector.Sum(s2), Vector.Sum(s3));
        for (; i < weights.Length; i++)
        {
            r0 += weights[i] * x0[i];
            r1 += weights[i] * x1[i];
            r2 += weights[i] * x2[i];
            r3 += weights[i] * x3[i];
        }

        scores[0] = bias + r0;
        scores[stride] = bias + r1;
        scores[2 * stride] = bias + r2;
        scores[3 * stride] = bias + r3;
    }

    private static void Add4(
        Span<float> destination,
        ReadOnlySpan<float> x0,
        ReadOnlySpan<float> x1,
        ReadOnlySpan<float> x2,
        ReadOnlySpan<float> x3,
        float d0,
        float d1,
        float d2,
        float d3)
    {
        var width = Vector<float>.Count;
        var (v0, v1, v2, v3) = (new Vector<float>(d0), new Vector<float>(d1), new Vector<float>(d2), new Vector<float>(d3));
        var i = 0;
        for (; i <= destination.Length - width; i += width)
        {
            var slot = destination.Slice(i, width);
            var sum = Vector.FusedMultiplyAdd(v0, new Vector<float>(x0[i..]), new Vector<float>(slot));
            sum = Vector.FusedMultiplyAdd(v1, new Vector<float>(x1[i..]), sum);
            sum = Vector.FusedMultiplyAdd(v2, new Vector<float>(x2[i..]), sum);
            Vector.FusedMultiplyAdd(v3, new Vector<float>(x3[i..]), sum).CopyTo(slot);
        }

        for (; i < destination.Length; i++)
        {
            destination[i] += (d0 * x0[i]) + (d1 * x1[i]) + (d2 * x2[i]) + (d3 * x3[i]);
        }
    }
}
