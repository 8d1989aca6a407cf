using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>
/// A small encoder without training: an embedding is a table's row chosen by the text's hash, or a product with the numbers.
/// </summary>
internal sealed class TestEncoderModel : EncoderModel
{
    private readonly Tensor _table;     // [rows, Dimension]
    private readonly float[] _values;
    private int _rowsEmbedded;

    public TestEncoderModel(Tensor table, string output = "Features", bool readsNumbers = false, params string[] inputs)
    {
        _table = table.DetachFromDisposeScope();
        _values = table.data<float>().ToArray();
        OutputColumn = output;
        ReadsNumbers = readsNumbers;
        InputColumns = inputs.Length == 0 ? ["Text"] : inputs;
    }

    /// <summary>How many rows this model has embedded.</summary>
    public int RowsEmbedded => Volatile.Read(ref _rowsEmbedded);

    public override string Modality => "test";

    public override int Dimension => (int)_table.shape[1];

    public override IReadOnlyList<string> InputColumns { get; }

    public override string OutputColumn { get; }

    public bool ReadsNumbers { get; }

    public override IReadOnlyList<InputKind> InputKinds => [.. InputColumns.Select(_ => ReadsNumbers ? InputKind.Number : InputKind.Text)];

    public static TestEncoderModel Create(int dimension = 5, int seed = 1, int rows = 7, string output = "Features",
        bool readsNumbers = false,
        params string[] inputs)
    {
        var random = new Random(seed);
        var values = new float[rows * dimension];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        return new TestEncoderModel(tensor(values, [rows, dimension]), output, readsNumbers, inputs);
    }

    public override JsonObject Describe() => new()
    {
        ["inputs"] = new JsonArray([.. InputColumns.Select(c => JsonValue.Create(c))]),
        ["output"] = OutputColumn,
        ["numbers"] = ReadsNumbers,
        ["shape"] = new JsonArray([.. _table.shape.Select(c => JsonValue.Create(c))]),
    };

    public override IReadOnlyDictionary<string, Tensor> GetWeights()
    {
        Lifetime.ThrowIfClosed();
        return new Dictionary<string, Tensor> { ["table"] = _table };
    }

    public override void CheckColumn(string name, ColumnShape shape)
    {
    }

    public override RowFormat CreateFormat() => throw new NotSupportedException();

    public override Encoder CreateTrainable(RandomStreams streams) => throw new NotSupportedException();

    public override Encoder CreateUntrained(RandomStreams streams) => throw new NotSupportedException();

    public override EncoderModel WithWeightsOf(Encoder trained, Device device, JsonObject trainingFacts)
        => throw new NotSupportedException();

    public override Tensor Encode(ReadOnlySpan<RawRow> rows)
    {
        var embeddings = new float[rows.Length * Dimension];
        Embed(rows, embeddings);
        return tensor(embeddings, [rows.Length, Dimension]);
    }

    public override void Embed(ReadOnlySpan<RawRow> rows, Span<float> embeddings)
    {
        using var use = Lifetime.Enter();
        Interlocked.Add(ref _rowsEmbedded, rows.Length);
        var count = _values.Length / Dimension;
        for (var i = 0; i < rows.Length; i++)
        {
            var target = embeddings.Slice(i * Dimension, Dimension);
            target.Clear();
            for (var j = 0; j < (ReadsNumbers ? rows[i].Numbers.Length : rows[i].Texts.Length); j++)
            {
                var row = ReadsNumbers ? j % count : Hash(rows[i].Texts.Span[j].Span) % count;
                for (var d = 0; d < Dimension; d++)
                {
                    target[d] += (j + 1) * (ReadsNumbers ? rows[i].Numbers.Span[j] : 1) * _values[row * Dimension + d];
                }
            }
        }
    }

    /// <summary>Numbers can be rebuilt, badly where they are large; texts cannot.</summary>
    public override bool Reconstructs => ReadsNumbers;

    public override float[] ReconstructionErrors(ReadOnlySpan<RawRow> rows)
    {
        if (!Reconstructs)
            return base.ReconstructionErrors(rows);
        var errors = new float[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            foreach (var number in rows[i].Numbers.Span)
                errors[i] += number * number;
        return errors;
    }

    public override EncoderModel WithColumns(IReadOnlyList<string> inputColumns, string outputColumn) =>
        new TestEncoderModel(_table.alias(), outputColumn, ReadsNumbers, [.. inputColumns]);

    public override void MoveTo(Device device) => Assert.AreEqual(CPU.type, device.type);

    protected override void Free() => _table.Dispose();

    [ModuleInitializer]
    internal static void Register() => EncoderModelReader.Register("test", Read);

    private static TestEncoderModel Read(JsonObject content, Action<IReadOnlyDictionary<string, Tensor>> fill)
    {
        var table = zeros([.. content["shape"]!.AsArray().Select(v => v!.GetValue<long>())]);
        fill(new Dictionary<string, Tensor> { ["table"] = table });
        return new TestEncoderModel(table, content["output"]!.GetValue<string>(), content["numbers"]!.GetValue<bool>(),
            [.. content["inputs"]!.AsArray().Select(v => v!.GetValue<string>())]);
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
