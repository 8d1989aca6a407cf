using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace OwnMethod;

/// <summary>
/// A kind of column of one's own: sets of points in the plane, as many as there are, x and y of one point after the other, in a vector of
/// <see cref="float"/>. Points without a number count as missing; a row without any point is not learned from.
/// </summary>
/// <param name="column">The column.</param>
/// <param name="factory">The encoder.</param>
/// <param name="center">What the points' x and y are measured from.</param>
/// <param name="scale">What they are divided by. Greater than 0.</param>
public sealed class PointSetFormat(string column, PointSetEncoderFactory factory, (double X, double Y) center, double scale) : RowFormat([column])
{
    private const string Name = "own.points";

    /// <summary>Announces the kind and its encoder, so that saved models can be read. Call it before the first load.</summary>
    public static void Register()
    {
        PointSetEncoderFactory.Register();
        Register(Name, (json, columns) => new PointSetFormat(columns[0],
            (PointSetEncoderFactory)EncoderFactory.FromJson(json[EncoderKey]!.AsObject()), ((double)json["x"]!, (double)json["y"]!),
            (double)json["scale"]! is > 0 and var scale ? scale : throw new FormatException("The scale of points must be greater than 0.")));
    }

    /// <inheritdoc/>
    public override string Kind => Name;

    /// <inheritdoc/>
    public override string Needed => "point";

    /// <inheritdoc/>
    public override int EmbeddingDimension => factory.EmbeddingDimension;

    /// <summary>Whether a column can hold sets of points: what is asked before training and whenever rows are embedded.</summary>
    public static void Check(string name, ColumnShape shape)
    {
        if (shape.Kind == SchemaShape.Column.VectorKind.Scalar || shape.ItemType != NumberDataViewType.Single)
            throw shape.Mismatch(name, "Vector<Single> or VarVector<Single>", "Give a set of points as one vector: x, y, x, y and so on.");
    }

    /// <inheritdoc/>
    public override void CheckColumn(string name, ColumnShape shape) => Check(name, shape);

    /// <inheritdoc/>
    public override RowStore NewStore() => new PointSetRows(Columns[0], center, scale);

    /// <inheritdoc/>
    public override Encoder CreateEncoder(RandomStreams streams) => factory.Create(streams);

    /// <inheritdoc/>
    public override JsonObject ToJson()
        => new() { [EncoderKey] = factory.ToJson(), ["x"] = center.X, ["y"] = center.Y, ["scale"] = scale };
}

/// <summary>What rows are stored as: the points of all sets, one after the other, already in their scale, and where each set ends.</summary>
internal sealed class PointSetRows(string column, (double X, double Y) center, double scale) : RowStore
{
    private List<float> _values = [];
    private List<int> _ends = [];

    public override int Count => _ends.Count;

    public override long Bytes => sizeof(float) * ((long)_values.Count + _ends.Count);

    public override bool IsFull => _values.Count > Array.MaxLength / 2;

    public override string Content => string.Create(CultureInfo.InvariantCulture, $"{_values.Count / 2:N0} points");

    public override int Length(int row) => Values(row).Length / 2;

    public override bool Add(RawRow row, bool keepsEmpty)
    {
        var raw = row.Numbers.Span;
        if (raw.Length % 2 != 0)
        {
            throw new InvalidOperationException($"A set in column '{column}' has {raw.Length} numbers, which is no whole number of points. "
                + "Give x and y of each.");
        }
        var first = _values.Count;
        for (var i = 0; i < raw.Length; i += 2)
        {
            if (double.IsFinite(raw[i]) && double.IsFinite(raw[i + 1]))
                _values.AddRange([(float)((raw[i] - center.X) / scale), (float)((raw[i + 1] - center.Y) / scale)]);
        }
        if (_values.Count == first)
        {
            if (!keepsEmpty)
                return false;
            _values.AddRange([0, 0]);           // an empty set still has an embedding: that of a point in the middle
        }
        _ends.Add(_values.Count);
        return true;
    }

    public override void KeepOnly(ReadOnlySpan<int> rows)
    {
        var (values, ends) = (new List<float>(), new List<int>(rows.Length));
        foreach (var row in rows)
        {
            values.AddRange(Values(row));
            ends.Add(values.Count);
        }
        (_values, _ends) = (values, ends);
    }

    public override Batch ToBatch(ReadOnlySpan<int> rows)
    {
        var longest = 1;
        foreach (var row in rows)
            longest = Math.Max(longest, Length(row));
        var (points, mask) = (zeros(rows.Length, longest, 2, dtype: ScalarType.Float32), zeros(rows.Length, longest, dtype: ScalarType.Bool));
        var cells = MemoryMarshal.Cast<byte, float>(points.bytes);
        var maskCells = mask.bytes;
        for (var i = 0; i < rows.Length; i++)
        {
            Values(rows[i]).CopyTo(cells[(2 * i * longest)..]);
            maskCells.Slice(i * longest, Length(rows[i])).Fill(1);
        }
        return new PointSetBatch(points, mask);
    }

    private ReadOnlySpan<float> Values(int row) => CollectionsMarshal.AsSpan(_values)[(row == 0 ? 0 : _ends[row - 1]).._ends[row]];
}

/// <summary>N sets of at most P points.</summary>
/// <param name="points">Single [N, P, 2].</param>
/// <param name="mask">Bool [N, P]: which of them are there.</param>
public sealed class PointSetBatch(Tensor points, Tensor mask) : Batch
{
    /// <summary>Single [N, P, 2].</summary>
    public Tensor Points => points;

    /// <summary>Bool [N, P]: which of them are there, at least one a set.</summary>
    public Tensor Mask => mask;

    /// <inheritdoc/>
    public override long Count => points.shape[0];

    /// <inheritdoc/>
    public override Batch To(Device device)
        => points.device.type == device.type && points.device.index == device.index ? this : new PointSetBatch(points.to(device), mask.to(device));

    /// <inheritdoc/>
    public override void Dispose()
    {
        points.Dispose();
        mask.Dispose();
    }
}
