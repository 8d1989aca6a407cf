using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>Text columns as tokens. A row in which any of the texts is empty is not learned from.</summary>
/// <param name="columns">The text columns.</param>
/// <param name="tokenizer">Cuts them.</param>
/// <param name="factory">The encoder, which says how long texts may be and whether they stand between special tokens.</param>
internal sealed class TextRowFormat(IReadOnlyList<string> columns, TextTokenizer tokenizer, TextEncoderFactory factory)
    : RowFormat(columns)
{
    public const string KindName = "text";

    private const string TokenizerKey = "tokenizer";

    public override string Kind => KindName;

    public override string Needed => "text";

    public override int EmbeddingDimension => factory.EmbeddingDimension;

    internal override DataViewType ColumnType => TextDataViewType.Instance;

    public override void CheckColumn(string name, ColumnShape shape)
    {
        if (!shape.IsText)
            throw shape.Mismatch(name, "String");
    }

    /// <summary>Cuts the texts.</summary>
    public TextTokenizer Tokenizer => tokenizer;

    /// <summary>The encoder's description.</summary>
    public TextEncoderFactory Factory => factory;

    /// <summary>The format of a model, which has its own weights and none to start from.</summary>
    public TextRowFormat OfArchitecture() => new(Columns, tokenizer, factory.Architecture);

    public override RowStore NewStore() => new TextRows(Columns.Count, tokenizer, factory);

    public override Encoder CreateEncoder(RandomStreams streams) => factory.Create(tokenizer.Vocabulary, streams);

    public override JsonObject ToJson() => new() { [EncoderKey] = factory.ToJson(), [TokenizerKey] = tokenizer.ToJson() };

    public static TextRowFormat Read(JsonObject json, IReadOnlyList<string> columns) => new(columns,
        TextTokenizer.FromJson(json[TokenizerKey]!.AsObject()), ReadEncoder<TextEncoderFactory>(json, "texts"));
}

/// <summary>The tokens of rows of one or several texts.</summary>
internal sealed class TextRows : RowStore
{
    // A large network: enough that reading its weights does not count, few enough to stay in a core's cache; a GPU wants more.
    private const int TokensAtOnce = 1024, TokensAtOnceOnGpu = 1 << 14;

    private readonly TextTokenizer _tokenizer;
    private readonly TextEncoderFactory _factory;
    private readonly TokenRows[] _columns;
    private readonly List<int>[] _row;

    public TextRows(int columns, TextTokenizer tokenizer, TextEncoderFactory factory)
    {
        (_tokenizer, _factory) = (tokenizer, factory);
        _columns = [.. Enumerable.Range(0, columns).Select(_ => new TokenRows(tokenizer.Vocabulary.PaddingId))];
        _row = [.. _columns.Select(_ => new List<int>())];
    }

    public override int Count => _columns[0].Count;

    public override long Bytes => _columns.Sum(column => column.Bytes);

    public override bool IsFull => _columns.Any(column => column.IsFull);

    public override string Content => string.Join(" and ", _columns.Select(column => column.Content));

    public override int Length(int row) => _columns[0].Length(row);

    public override bool Add(RawRow row, bool keepsEmpty)
    {
        for (var i = 0; i < _columns.Length; i++)
        {
            _row[i].Clear();
            if (_tokenizer.Encode(row.Texts.Span[i].Span, _row[i], _factory.MaximumTokens, _factory.UsesSpecialTokens) > 0)
                continue;
            if (!keepsEmpty)
                return false;
            _tokenizer.EncodeEmpty(_row[i], _factory.UsesSpecialTokens);        // an empty text still has an embedding
        }
        for (var i = 0; i < _columns.Length; i++)
            _columns[i].Add(CollectionsMarshal.AsSpan(_row[i]));
        return true;
    }

    public override void KeepOnly(ReadOnlySpan<int> rows)
    {
        foreach (var column in _columns)
            column.KeepOnly(rows);
    }

    public override void Clear()
    {
        foreach (var column in _columns)
            column.Clear();
    }

    public override TokenBatch ToBatch(ReadOnlySpan<int> rows) => _columns[0].ToBatch(rows);

    internal override IReadOnlyList<Batch> ToBatches(ReadOnlySpan<int> rows)
    {
        var batches = new Batch[_columns.Length];
        for (var i = 0; i < batches.Length; i++)
            batches[i] = _columns[i].ToBatch(rows);
        return batches;
    }

    // Without padding where the encoder takes bags, else with little: texts of similar length together.
    internal override Tensor Encode(Encoder network, Device device)
    {
        if (network is BagTextEncoder bag)
        {
            var (flat, offsets) = _columns[0].ToBags(_tokenizer.Vocabulary.SpecialCount);
            return bag.EncodeBags(flat.to(device), offsets.to(device));
        }
        var isCpu = device.type == TorchSharp.DeviceType.CPU;
        var bert = network as BertTextEncoder;
        var groups = bert is null ? LengthGroups.Of(_columns[0]) : LengthGroups.OfTokens(_columns[0], isCpu ? TokensAtOnce : TokensAtOnceOnGpu);
        return groups.Encode(EncodeGroup);

        Tensor EncodeGroup(ReadOnlySpan<int> group)
        {
            if (bert is null || !isCpu || !bert.Packs(_columns[0].Longest(group)))
                return Encode(network, device, group);
            var (ids, starts) = _columns[0].ToPacked(group);
            return bert.EncodePacked(ids, starts);
        }
    }

    // Groups of similar length are small anyway.
    internal override Tensor EncodeAll(Encoder network, Device device) => Encode(network, device);
}
