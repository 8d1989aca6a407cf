using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>Table columns as scaled numbers and codes. A row of which every cell is missing is not learned from.</summary>
/// <param name="names">The columns in the data, in the order of <paramref name="columns"/>.</param>
/// <param name="columns">What was learned of them.</param>
/// <param name="factory">The encoder.</param>
/// <param name="reconstruction">How the error of told cells is taken; null where the method did not learn to tell them.</param>
/// <param name="features">Puts the cells before the embedding; null leaves them out.</param>
internal sealed class TableRowFormat(IReadOnlyList<string> names, TableColumns columns, TabularEncoderFactory factory,
    TableRowFormat.Reconstruction? reconstruction = null, TableFeatures? features = null) : RowFormat(names)
{
    public const string KindName = "table";

    private const string ColumnsKey = "columns", ReconstructionKey = "reconstruction", HiddenShareKey = "hiddenShare", FeaturesKey = "features";

    /// <summary>How the error of told cells is taken.</summary>
    /// <param name="HiddenShare">Share of the cells that are hidden at a time; null tells all cells from the whole row.</param>
    public sealed record Reconstruction(double? HiddenShare);

    public override string Kind => KindName;

    public override string Needed => "value";

    /// <summary>What was learned of the columns, in the order of their names.</summary>
    public TableColumns Table => columns;

    /// <summary>The encoder's description.</summary>
    public TabularEncoderFactory Factory => factory;

    /// <summary>Puts the cells before the embedding; null leaves them out.</summary>
    public TableFeatures? Features => features;

    internal override bool RoundsToBFloat16 => factory.RoundsToBFloat16;

    public override int EmbeddingDimension => factory.EmbeddingDimension;

    internal override DataViewType ColumnType
        => TableColumnKinds.IsText(columns.Columns[0].Kind) ? TextDataViewType.Instance : base.ColumnType;

    public override void CheckColumn(string name, ColumnShape shape)
    {
        var fitted = columns.Columns[Columns.ToList().IndexOf(name)];
        if (TableColumnKinds.Of(shape) != fitted.Kind
            || (fitted.Size is null) != (shape.Kind == SchemaShape.Column.VectorKind.Scalar))
        {
            throw shape.Mismatch(name, TableColumnKinds.Name(fitted.Kind, fitted.Size is not null),
                "The encoder was fitted on a column of that type.");
        }
        if (shape.Dimensions is { } dimensions && dimensions.Aggregate(1, (a, b) => a * b) is var size && size != fitted.Size)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, $"a vector of {fitted.Size} slots", $"one of {size}",
                "The encoder was fitted on vectors of that size.");
        }
    }

    public override RowStore NewStore() => new TableRows(columns);

    public override Encoder CreateEncoder(RandomStreams streams) => factory.Create(columns.Layout, streams);

    internal override Encoder CreateNetwork(RandomStreams streams)
    {
        var encoder = factory.Create(columns.Layout, streams);
        return new TabularNetwork(encoder, reconstruction is null ? null : CellHead.Create(encoder, streams), reconstruction?.HiddenShare);
    }

    /// <summary>The format of a model that keeps the head that tells cells.</summary>
    public TableRowFormat With(Reconstruction? kept) => new(Columns, columns, factory, kept);

    /// <summary>The format of a model whose column holds the cells before their embedding, at scales that are learned here.</summary>
    /// <param name="source">Rows of the training data.</param>
    /// <param name="encoder">Trained; in evaluation mode afterwards.</param>
    /// <param name="device">Where it computes.</param>
    public TableRowFormat WithFeaturesOf(BatchSource source, Encoder encoder, Device device)
    {
        encoder.eval();
        if (source.RowCount == 0)       // canceled before the first row
            return new TableRowFormat(Columns, columns, factory, reconstruction, TableFeatures.Unscaled(columns.Layout, EmbeddingDimension));
        var learned = TableFeatures.Learn(columns.Layout, source.Epoch(0, CancellationToken.None).Select(batch => (TableBatch)batch[0]),
            batch =>
        {
            using (batch)
                return Embed(encoder, batch, device);
        });
        return new TableRowFormat(Columns, columns, factory, reconstruction, learned);
    }

    internal override int InputSlots => features?.InputCount ?? 0;

    internal override IEnumerable<string> InputSlotNames => features?.InputNames ?? [];

    internal override Tensor Output(RowStore rows, Encoder network, Device device)
    {
        if (features is null)
            return base.Output(rows, network, device);
        using var batch = ((TableRows)rows).ToBatch(rows.AllRows);
        return features.Scale(features.Inputs(batch), Embed(network, batch, device).cpu());
    }

    private static Tensor Embed(Encoder network, TableBatch batch, Device device) => network.call(batch.To(device)).to(ScalarType.Float32);

    public override JsonObject ToJson() => new()
    {
        [EncoderKey] = factory.ToJson(),
        [ColumnsKey] = columns.ToJson(),
        [ReconstructionKey] = reconstruction is null ? null : new JsonObject { [HiddenShareKey] = reconstruction.HiddenShare },
        [FeaturesKey] = features?.ToJson(),
    };

    public static TableRowFormat Read(JsonObject json, IReadOnlyList<string> names)
    {
        var columns = TableColumns.FromJson(json[ColumnsKey]!.AsArray());
        var factory = ReadEncoder<TabularEncoderFactory>(json, "table rows");
        return new(names, columns, factory, json[ReconstructionKey] is { } kept ? new Reconstruction((double?)kept[HiddenShareKey]) : null,
            json[FeaturesKey] is { } features ? TableFeatures.FromJson(features.AsObject(), columns.Layout, factory.EmbeddingDimension) : null);
    }
}

/// <summary>The cells of many table rows, one row after the other: four bytes a cell.</summary>
internal sealed class TableRows(TableColumns columns) : RowStore
{
    private readonly int _numeric = columns.Layout.NumericCount;
    private readonly int _categorical = columns.Layout.CategoricalCount;
    private float[] _numbers = [];
    private int[] _codes = [];
    private int _count;

    public override int Count => _count;

    public override long Bytes => 4L * _count * (_numeric + _categorical);

    public override bool IsFull => (long)(_count + 1) * Math.Max(_numeric, _categorical) > Array.MaxLength;

    public override string Content => string.Create(CultureInfo.InvariantCulture, $"{(long)_count * (_numeric + _categorical):N0} cells");

    public override bool Add(RawRow row, bool keepsEmpty)
    {
        _numbers = Grown(_numbers, _numeric);
        _codes = Grown(_codes, _categorical);
        var numbers = _numbers.AsSpan(_count * _numeric, _numeric);
        var codes = _codes.AsSpan(_count * _categorical, _categorical);
        columns.Encode(row, numbers, codes, Notices);
        Notices?.CountRow();
        if (!keepsEmpty && codes.IndexOfAnyExcept(TableLayout.MissingCode) < 0 && AreMissing(numbers))
            return false;
        _count++;
        return true;
    }

    public override void Clear() => _count = 0;

    public override void KeepOnly(ReadOnlySpan<int> rows)
    {
        var (numbers, codes) = (new float[rows.Length * _numeric], new int[rows.Length * _categorical]);
        for (var i = 0; i < rows.Length; i++)
        {
            _numbers.AsSpan(rows[i] * _numeric, _numeric).CopyTo(numbers.AsSpan(i * _numeric));
            _codes.AsSpan(rows[i] * _categorical, _categorical).CopyTo(codes.AsSpan(i * _categorical));
        }
        (_numbers, _codes, _count) = (numbers, codes, rows.Length);
    }

    public override TableBatch ToBatch(ReadOnlySpan<int> rows)
    {
        RequireFits(rows.Length, Math.Max(_numeric, _categorical), sizeof(long), $"row of {_numeric + _categorical} columns");
        var numbers = empty(rows.Length, _numeric, dtype: ScalarType.Float32);
        var missing = empty(rows.Length, _numeric, dtype: ScalarType.Bool);
        var codes = empty(rows.Length, _categorical, dtype: ScalarType.Int64);
        var numberCells = MemoryMarshal.Cast<byte, float>(numbers.bytes);
        var missingCells = missing.bytes;
        var codeCells = MemoryMarshal.Cast<byte, long>(codes.bytes);
        for (var i = 0; i < rows.Length; i++)
        {
            var from = _numbers.AsSpan(rows[i] * _numeric, _numeric);
            for (var j = 0; j < from.Length; j++)
            {
                var isMissing = float.IsNaN(from[j]);
                numberCells[i * _numeric + j] = isMissing ? 0 : from[j];
                missingCells[i * _numeric + j] = isMissing ? (byte)1 : (byte)0;
            }
            var entries = _codes.AsSpan(rows[i] * _categorical, _categorical);
            for (var j = 0; j < entries.Length; j++)
                codeCells[i * _categorical + j] = entries[j];
        }
        return new TableBatch(numbers, missing, codes);
    }

    internal override DeviceRows OnDevice(Device device) => new DeviceCells(this, device);

    private static bool AreMissing(ReadOnlySpan<float> numbers)
    {
        foreach (var number in numbers)
        {
            if (!float.IsNaN(number))
                return false;
        }
        return true;
    }

    private T[] Grown<T>(T[] cells, int width)
    {
        var needed = (long)(_count + 1) * width;
        if (needed <= cells.Length)
            return cells;
        Array.Resize(ref cells, (int)Math.Min(Array.MaxLength, Math.Max(needed, 2L * cells.Length)));
        return cells;
    }

    /// <summary>The cells in a device's memory: numbers, which of them are missing, and codes in the smallest type that holds them.</summary>
    private sealed class DeviceCells : DeviceRows
    {
        private readonly Tensor _numbers, _missing, _codes; // [rows, C], [rows, C], [rows, K]

        public DeviceCells(TableRows rows, Device device) : base(device)
        {
            var numbers = rows._numbers.AsSpan(0, rows._count * rows._numeric).ToArray();
            var missing = new bool[numbers.Length];
            for (var i = 0; i < numbers.Length; i++)
            {
                missing[i] = float.IsNaN(numbers[i]);
                if (missing[i])
                    numbers[i] = 0;
            }
            _numbers = Upload<float>(numbers, ScalarType.Float32, device, rows._count, rows._numeric);
            _missing = Upload<bool>(missing, ScalarType.Bool, device, rows._count, rows._numeric);
            var codes = rows._codes.AsSpan(0, rows._count * rows._categorical);
            var highest = 0;
            foreach (var code in codes)
                highest = Math.Max(highest, code);
            var type = highest <= byte.MaxValue ? ScalarType.Byte : highest <= short.MaxValue ? ScalarType.Int16 : ScalarType.Int32;
            using var scope = NewDisposeScope();
            var whole = Upload<int>(codes, ScalarType.Int32, CPU, rows._count, rows._categorical);
            _codes = whole.to(type).to(device, copy: true).DetachFromDisposeScope();
            whole.Dispose();
        }

        public override IReadOnlyList<Batch> ToBatches(Tensor rows, ReadOnlySpan<int> numbers)
        {
            using var scope = NewDisposeScope();
            return [new TableBatch(_numbers.index_select(0, rows).DetachFromDisposeScope(), _missing.index_select(0, rows).DetachFromDisposeScope(),
                _codes.index_select(0, rows).to(ScalarType.Int64).DetachFromDisposeScope())];
        }

        public override void Dispose()
        {
            _numbers.Dispose();
            _missing.Dispose();
            _codes.Dispose();
        }
    }
}
