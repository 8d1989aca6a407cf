using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>
/// A small encoder without training: an embedding is a table's row chosen by the text's hash, or a product with the numbers.
/// </summary>
internal static class TestEncoderModel
{
    public static EncoderModel Create(int dimension = 5, int seed = 1, int rows = 7, string output = "Features",
        bool readsNumbers = false,
        params string[] inputs)
    {
        var random = new Random(seed);
        var values = new float[rows * dimension];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        using var trained = new Network(tensor(values, [rows, dimension]), readsNumbers);
        return EncoderModel.CopyOf(trained, new Format(inputs.Length == 0 ? ["Text"] : inputs, rows, dimension, readsNumbers), CPU, output, []);
    }

    /// <summary>How many rows a model has embedded.</summary>
    public static int RowsEmbedded(EncoderModel model) => ((Network)model.Network).RowsEmbedded;

    [ModuleInitializer]
    internal static void Register() => RowFormat.Register("test", (json, columns)
        => new Format(columns, (int)json["rows"]!, (int)json["dimension"]!, (bool)json["numbers"]!));

    private sealed class Format(IReadOnlyList<string> columns, int rows, int dimension, bool readsNumbers) : RowFormat(columns)
    {
        public override string Kind => "test";

        public override string Needed => "value";

        public override int EmbeddingDimension => dimension;

        public override void CheckColumn(string name, ColumnShape shape)
        {
        }

        public override RowStore NewStore() => new Store(rows, readsNumbers);

        public override Encoder CreateEncoder(RandomStreams streams) => new Network(zeros(rows, dimension), readsNumbers);

        public override JsonObject ToJson() => new() { ["rows"] = rows, ["dimension"] = dimension, ["numbers"] = readsNumbers };
    }

    private sealed class Store(int width, bool readsNumbers) : RowStore
    {
        private List<(float[] Weights, float Squares)> _rows = [];

        public override int Count => _rows.Count;

        public override long Bytes => 4L * _rows.Count * width;

        public override string Content => $"{_rows.Count} rows";

        public override bool Add(RawRow row, bool keepsEmpty)
        {
            var (weights, squares) = (new float[width], 0f);
            for (var j = 0; j < (readsNumbers ? row.Numbers.Length : row.Texts.Length); j++)
            {
                weights[readsNumbers ? j % width : Hash(row.Texts.Span[j].Span) % width] += (j + 1) * (readsNumbers ? (float)row.Numbers.Span[j] : 1);
                squares += readsNumbers ? (float)(row.Numbers.Span[j] * row.Numbers.Span[j]) : 0;
            }
            _rows.Add((weights, squares));
            return true;
        }

        public override void KeepOnly(ReadOnlySpan<int> rows) => _rows = [.. rows.ToArray().Select(row => _rows[row])];

        public override Batch ToBatch(ReadOnlySpan<int> rows)
        {
            var (weights, squares) = (empty(rows.Length, width), empty(rows.Length));
            for (var i = 0; i < rows.Length; i++)
            {
                _rows[rows[i]].Weights.CopyTo(MemoryMarshal.Cast<byte, float>(weights.bytes)[(i * width)..]);
                MemoryMarshal.Cast<byte, float>(squares.bytes)[i] = _rows[rows[i]].Squares;
            }
            return new Weights(weights, squares);
        }

        private static int Hash(ReadOnlySpan<char> text)
        {
            var hash = 17;
            foreach (var c in text)
            {
                hash = hash * 31 + c;
            }

            return hash & 0x7FFFFFFF;
        }
    }

    private sealed class Weights(Tensor values, Tensor squares) : Batch
    {
        public Tensor Values => values;

        public Tensor Squares => squares;

        public override long Count => values.shape[0];

        public override Batch To(Device device)
            => device.type == values.device.type ? this : new Weights(values.to(device), squares.to(device));

        public override void Dispose()
        {
            values.Dispose();
            squares.Dispose();
        }
    }

    private sealed class Network : Encoder<Weights>, IReconstructsRows
    {
        private readonly bool _readsNumbers;
        private int _rowsEmbedded;

        public Network(Tensor table, bool readsNumbers) : base("Test")
        {
            _readsNumbers = readsNumbers;
            register_buffer("table", table);                    // [rows, dimension]
        }

        public int RowsEmbedded => Volatile.Read(ref _rowsEmbedded);

        public override int EmbeddingDimension => (int)get_buffer("table")!.shape[1];

        /// <summary>Numbers can be rebuilt, badly where they are large; texts cannot.</summary>
        public bool Reconstructs => _readsNumbers;

        public Tensor Errors(Batch batch) => ((Weights)batch).Squares.clone();

        protected override Tensor Encode(Weights batch)
        {
            Interlocked.Add(ref _rowsEmbedded, (int)batch.Count);
            return batch.Values.unsqueeze(-1).mul(get_buffer("table")!).sum(1);
        }
    }
}
