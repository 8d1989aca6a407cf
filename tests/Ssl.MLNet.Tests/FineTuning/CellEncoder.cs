using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
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
    private readonly LinearLayer _hidden;

    public CellEncoder(int cells, RandomStreams streams) : base(nameof(CellEncoder))
    {
        _hidden = Initialization.Linear(cells, EmbeddingDimension, streams.Weights);
        RegisterComponents();
    }

    public override int EmbeddingDimension => 12;

    protected override Tensor Encode(CellBatch batch) => nn.functional.gelu(_hidden.call(batch.Cells));
}

/// <summary>
/// An encoder of columns of any kind, the least that a kind of column has to write: numbers are cells as they are, a text or the value of a
/// key is its length and its first letter.
/// </summary>
internal static class CellEncoderModel
{
    /// <summary>An untrained model.</summary>
    public static EncoderModel Create(params (string Column, TableColumnKind Kind)[] columns) => Create(1, columns);

    /// <summary>An untrained model whose number columns have several cells each.</summary>
    public static EncoderModel Create(int width, params (string Column, TableColumnKind Kind)[] columns)
    {
        var format = new Format([.. columns.Select(c => c.Column)], [.. columns.Select(c => c.Kind)], width);
        using var streams = new RandomStreams(3);
        using var network = format.CreateEncoder(streams);
        return EncoderModel.CopyOf(network, format, CPU, "Features", []);
    }

    [ModuleInitializer]
    internal static void Register() => RowFormat.Register("cells", (json, columns) => new Format(columns,
        [.. json["kinds"]!.AsArray().Select(kind => Enum.Parse<TableColumnKind>((string)kind!))], (int)json["width"]!));

    private sealed class Format(IReadOnlyList<string> columns, TableColumnKind[] kinds, int width) : RowFormat(columns)
    {
        private int Cells => kinds.Sum(kind => kind == TableColumnKind.Number ? width : 2);

        public override string Kind => "cells";

        public override string Needed => "value";

        public override int EmbeddingDimension => 12;

        public override void CheckColumn(string name, ColumnShape shape)
        {
            if (kinds[Columns.ToList().IndexOf(name)] == TableColumnKind.Number && !NumberColumns.CanRead(shape.ItemType))
                throw shape.Mismatch(name, "a number");
        }

        public override RowStore NewStore() => new Store(Cells);

        public override Encoder CreateEncoder(RandomStreams streams) => new CellEncoder(Cells, streams);

        public override JsonObject ToJson()
            => new() { ["kinds"] = new JsonArray([.. kinds.Select(kind => (JsonNode)kind.ToString())]), ["width"] = width };
    }

    private sealed class Store(int width) : RowStore
    {
        private List<float[]> _rows = [];

        public override int Count => _rows.Count;

        public override long Bytes => (long)_rows.Count * width * sizeof(float);

        public override string Content => $"{_rows.Count * width} cells";

        public override bool Add(RawRow row, bool keepsEmpty)
        {
            var cells = row.Numbers.ToArray().Select(number => (float)number).ToList();
            foreach (var text in row.Texts.ToArray())
                cells.AddRange([text.Length / 10f, text.IsEmpty ? -1 : (text.Span[0] - 'a') / 10f]);
            Assert.HasCount(width, cells);
            _rows.Add([.. cells]);
            return true;
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
}
