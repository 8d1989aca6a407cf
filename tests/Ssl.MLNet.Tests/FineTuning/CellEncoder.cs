using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Transformers;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.MLNet.Tests.FineTuning;

/// <summary>Cells of N rows, Single [N, C].</summary>
internal sealed class CellBatch(Tensor cells) : Batch
{
    public Tensor Cells => cells;

    public override long Count => cells.shape[0];

    public override Batch To(Device device) => cells.device.type == device.type ? this : new CellBatch(cells.to(device));

    public override void Dispose() => cells.Dispose();
}

/// <summary>One hidden layer over the cells of a row.</summary>
internal sealed class CellEncoder : Encoder<CellBatch>
{
    [ComponentName(Name = "hidden")]
    private readonly Linear _hidden;

    public CellEncoder(int cells, RandomStreams streams) : base(nameof(CellEncoder))
    {
        _hidden = Initialization.Linear(cells, EmbeddingDimension, streams.Weights);
        RegisterComponents();
    }

    public override int EmbeddingDimension => 12;

    protected override Tensor Encode(CellBatch batch) => nn.functional.gelu(_hidden.call(batch.Cells));
}

/// <summary>
/// An encoder of columns of any kind, the least that a modality has to write: numbers are cells as they are, a text or the value of a key
/// is its length and its first letter.
/// </summary>
internal sealed class CellEncoderModel : NetworkEncoderModel<CellEncoder>
{
    private readonly InputKind[] _kinds;
    private readonly int _width;

    private CellEncoderModel(Parts parts, InputKind[] kinds, int width) : base(parts) => (_kinds, _width) = (kinds, width);

    public override string Modality => "cells";

    public override int Dimension => 12;

    public override IReadOnlyList<InputKind> InputKinds => _kinds;

    /// <summary>An untrained model.</summary>
    public static CellEncoderModel Create(params (string Column, InputKind Kind)[] columns) => Create(1, columns);

    /// <summary>An untrained model whose number columns have several cells each.</summary>
    public static CellEncoderModel Create(int width, params (string Column, InputKind Kind)[] columns)
    {
        InputKind[] kinds = [.. columns.Select(c => c.Kind)];
        using var streams = new RandomStreams(3);
        using var network = new CellEncoder(Cells(kinds, width), streams);
        return new(Parts.Copy(network, s => new CellEncoder(Cells(kinds, width), s), CPU, [.. columns.Select(c => c.Column)], "Features",
            []),
            kinds, width);
    }

    [ModuleInitializer]
    internal static void Register() => EncoderModelReader.Register("cells", (content, fill) =>
    {
        InputKind[] kinds = [.. content["kinds"]!.AsArray().Select(kind => Enum.Parse<InputKind>((string)kind!))];
        var width = (int)content["width"]!;
        return new CellEncoderModel(Parts.Read(content, streams => new CellEncoder(Cells(kinds, width), streams), fill), kinds, width);
    });

    public override void CheckColumn(string name, ColumnShape shape)
    {
        var kind = _kinds[InputColumns.ToList().IndexOf(name)];
        if (kind == InputKind.Number && !NumberColumns.CanRead(shape.ItemType))
            throw Check.SchemaMismatch("input", name, "a number", shape.ToString());
    }

    public override RowFormat CreateFormat() => new Format(this);

    private protected override CellEncoder CreateNetwork(RandomStreams streams) => new(Cells(_kinds, _width), streams);

    private protected override CellEncoderModel With(Parts parts) => new(parts, _kinds, _width);

    private protected override JsonObject DescribePreprocessing()
        => new() { ["kinds"] = new JsonArray([.. _kinds.Select(kind => (JsonNode)kind.ToString())]), ["width"] = _width };

    private protected override Batch ToBatch(ReadOnlySpan<RawRow> rows)
    {
        var store = new Store(Cells(_kinds, _width));
        foreach (var row in rows)
            store.Add(row);
        return store.ToBatch([.. Enumerable.Range(0, rows.Length)]);
    }

    private static int Cells(InputKind[] kinds, int width) => kinds.Sum(kind => kind == InputKind.Number ? width : 2);

    private sealed class Store(int width) : RowStore
    {
        private List<float[]> _rows = [];

        public override int Count => _rows.Count;

        public override long Bytes => (long)_rows.Count * width * sizeof(float);

        public override bool IsFull => false;

        public override string Content => $"{_rows.Count * width} cells";

        public void Add(RawRow row)
        {
            var cells = row.Numbers.ToArray().ToList();
            foreach (var text in row.Texts.ToArray())
                cells.AddRange([text.Length / 10f, text.IsEmpty ? -1 : (text.Span[0] - 'a') / 10f]);
            Assert.HasCount(width, cells);
            _rows.Add([.. cells]);
        }

        public override void KeepOnly(ReadOnlySpan<int> rows) => _rows = [.. rows.ToArray().Select(row => _rows[row])];

        public override Batch ToBatch(ReadOnlySpan<int> rows)
        {
            var cells = empty(rows.Length, width);
            var target = MemoryMarshal.Cast<byte, float>(cells.bytes);
            for (var i = 0; i < rows.Length; i++)
                _rows[rows[i]].CopyTo(target[(i * width)..]);
            return new CellBatch(cells);
        }
    }

    private sealed class Format(CellEncoderModel model) : RowFormat
    {
        public override IReadOnlyList<string> Columns => model.InputColumns;

        public override string Needed => "value";

        public override RowStore[] NewStores() => [new Store(Cells(model._kinds, model._width))];

        public override Func<RowStore[], bool> Open(DataViewRow row)
        {
            var reader = RowReader.Open(row, model.InputColumns, model._kinds);
            return stores =>
            {
                ((Store)stores[0]).Add(reader.Read(new RowBuffer()));
                return true;
            };
        }
    }
}
