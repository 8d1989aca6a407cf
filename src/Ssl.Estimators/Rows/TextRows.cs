using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>Text columns as tokens. A row in which any of the texts is empty is not learned from.</summary>
/// <param name="columns">The text columns.</param>
/// <param name="tokenizer">Cuts them.</param>
/// <param name="factory">The encoder, which says how long texts may be and whether they stand between special tokens.</param>
/// <param name="truncation">What is kept of longer ones.</param>
internal sealed class TextRowFormat(IReadOnlyList<string> columns, TextTokenizer tokenizer, TextEncoderFactory factory,
    TextTruncation truncation = TextTruncation.Head) : RowFormat(columns)
{
    public const string KindName = "text";

    private const string TokenizerKey = "tokenizer", TruncationKey = "truncation";

    public override string Kind => KindName;

    public override string Needed => "text";

    internal override bool RoundsToBFloat16 => factory.RoundsToBFloat16;

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

    /// <summary>What is kept of texts that are longer than the encoder takes.</summary>
    public TextTruncation Truncation => truncation;

    /// <summary>The format of a model, which has its own weights and none to start from.</summary>
    public TextRowFormat OfArchitecture() => new(Columns, tokenizer, factory.Architecture, truncation);

    public override RowStore NewStore() => new TextRows(Columns.Count, tokenizer, factory, truncation);

    internal override bool Truncates => true;

    internal override string? DescribeLoss(TruncationCounts counts) => TruncationCounter.Describe(counts, factory.MaximumTokens, truncation);

    public override Encoder CreateEncoder(RandomStreams streams) => factory.Create(tokenizer.Vocabulary, streams);

    internal override PlainEncoder? LearnPlain(RowStore rows, long seed)
    {
        if (LatentSemanticTextEncoder.Learn(((TextRows)rows).Texts, tokenizer.Vocabulary, factory.MaximumTokens, factory.UsesSpecialTokens, seed) is not var (sizes, network))
            return null;
        using (network)
        {
            var format = new TextRowFormat(Columns, tokenizer, sizes, truncation);
            return new PlainEncoder("words", EncoderModel.CopyOf(network, format, CPU, "Words", []), SuitsTrees: false);
        }
    }

    public override JsonObject ToJson()
    {
        var json = new JsonObject { [EncoderKey] = factory.ToJson(), [TokenizerKey] = tokenizer.ToJson() };
        if (truncation != TextTruncation.Head)          // what files without it mean
            json[TruncationKey] = truncation.ToString();
        return json;
    }

    public static TextRowFormat Read(JsonObject json, IReadOnlyList<string> columns) => new(columns,
        TextTokenizer.FromJson(json[TokenizerKey]!.AsObject()), ReadEncoder<TextEncoderFactory>(json, "texts"),
        json[TruncationKey] is { } truncation ? Enum.Parse<TextTruncation>((string)truncation!) : TextTruncation.Head);
}

/// <summary>The tokens of rows of one or several texts.</summary>
internal sealed class TextRows : RowStore
{
    // A large network: enough that reading its weights does not count, few enough to stay in a core's cache; a GPU wants more.
    private const int TokensAtOnceOnCpu = 1024, TokensAtOnceOnGpu = 1 << 14;

    private readonly TextTokenizer _tokenizer;
    private readonly TextEncoderFactory _factory;
    private readonly TokenRows[] _columns;
    private readonly List<int>[] _row;
    private readonly TextCutter _cutter;
    private TruncationCounts _truncation = TruncationCounts.None;

    public TextRows(int columns, TextTokenizer tokenizer, TextEncoderFactory factory, TextTruncation truncation)
    {
        (_tokenizer, _factory) = (tokenizer, factory);
        _cutter = new TextCutter(tokenizer, factory.MaximumTokens, factory.UsesSpecialTokens, truncation);
        _columns = [.. Enumerable.Range(0, columns).Select(_ => new TokenRows(tokenizer.Vocabulary.PaddingId))];
        _row = [.. _columns.Select(_ => new List<int>())];
    }

    /// <summary>Tokens that a transformer computes well together.</summary>
    internal static int TokensAtOnce(Device device) => device.type == TorchSharp.DeviceType.CPU ? TokensAtOnceOnCpu : TokensAtOnceOnGpu;

    public override int Count => _columns[0].Count;

    /// <summary>The tokens of every text of the first column.</summary>
    public IReadOnlyList<int[]> Texts => [.. Enumerable.Range(0, Count).Select(row => _columns[0][row].ToArray())];

    public override long Bytes => _columns.Sum(column => column.Bytes);

    public override bool IsFull => _columns.Any(column => column.IsFull);

    public override string Content => string.Join(" and ", _columns.Select(column => column.Content));

    public override int Length(int row) => _columns[0].Length(row);

    public override bool Add(RawRow row, bool keepsEmpty)
    {
        var (tokens, cut) = (0L, 0L);
        for (var i = 0; i < _columns.Length; i++)
        {
            if (!Cut(row.Texts.Span[i].Span, _row[i], keepsEmpty))
                return false;
            (tokens, cut) = (tokens + _cutter.Tokens, cut + _cutter.TokensCut);
        }
        Append(tokens, cut);
        return true;
    }

    /// <summary>Appends a row of one text, empty ones, too.</summary>
    /// <param name="text">Its memory is not kept.</param>
    public void Add(ReadOnlySpan<char> text)
    {
        Cut(text, _row[0], keepsEmpty: true);
        Append(_cutter.Tokens, _cutter.TokensCut);
    }

    private bool Cut(ReadOnlySpan<char> text, List<int> tokens, bool keepsEmpty)
    {
        tokens.Clear();
        if (_cutter.Encode(text, tokens) > 0)
            return true;
        if (keepsEmpty)
            _tokenizer.EncodeEmpty(tokens, _factory.UsesSpecialTokens);         // an empty text still has an embedding
        return keepsEmpty;
    }

    private void Append(long tokens, long cut)
    {
        for (var i = 0; i < _columns.Length; i++)
            _columns[i].Add(CollectionsMarshal.AsSpan(_row[i]));
        _truncation = new TruncationCounts(_truncation.Rows + 1, _truncation.RowsCut + (cut > 0 ? 1 : 0), _truncation.Tokens + tokens, _truncation.TokensCut + cut);
    }

    internal override TruncationCounts TakeTruncation()
    {
        var counts = _truncation;
        _truncation = TruncationCounts.None;
        return counts;
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

    internal override DeviceRows OnDevice(Device device) => new DeviceTexts([.. _columns.Select(column => column.OnDevice(device))], device);

    // Without padding where the encoder takes bags, else with little: texts of similar length together.
    internal override Tensor Encode(Encoder network, Device device)
    {
        if (network is ProjectedTextEncoder projected)
            return projected.Project(Encode(projected.Encoder, device));
        if (network is BagTextEncoder bag)
        {
            var (flat, offsets) = _columns[0].ToBags(_tokenizer.Vocabulary.SpecialCount);
            return bag.EncodeBags(flat.to(device), offsets.to(device));
        }
        if (device.type == TorchSharp.DeviceType.CPU && network is not BertTextEncoder)
            return LengthGroups.Of(_columns[0]).Encode(group => Encode(network, device, group));
        return LengthGroups.OfTokens(Count, Length, TokensAtOnce(device)).Encode(group => EncodeGroup(network, device, group));
    }

    internal override Tensor EncodeSome(Encoder network, Device device, int[] rows) => network is BertTextEncoder
        ? LengthGroups.OfTokens(rows.Length, i => Length(rows[i]), TokensAtOnce(device)).Encode(group =>
        {
            var members = new int[group.Length];
            for (var i = 0; i < members.Length; i++)
                members[i] = rows[group[i]];
            return EncodeGroup(network, device, members);
        })
        : base.EncodeSome(network, device, rows);

    private Tensor EncodeGroup(Encoder network, Device device, ReadOnlySpan<int> group)
    {
        if (network is not BertTextEncoder bert || device.type != TorchSharp.DeviceType.CPU || MixedPrecision.IsOn || !bert.Packs(_columns[0].Longest(group)))
            return Encode(network, device, group);
        var (ids, starts) = _columns[0].ToPacked(group);
        return bert.EncodePacked(ids, starts);
    }

    // Groups of similar length are small anyway.
    internal override Tensor EncodeAll(Encoder network, Device device) => Encode(network, device);

    private sealed class DeviceTexts(TokenRows.DeviceTokens[] columns, Device device) : DeviceRows(device)
    {
        public override IReadOnlyList<Batch> ToBatches(Tensor rows, ReadOnlySpan<int> numbers)
        {
            var batches = new Batch[columns.Length];
            for (var i = 0; i < batches.Length; i++)
                batches[i] = columns[i].ToBatch(rows, numbers);
            return batches;
        }

        public override void Dispose()
        {
            foreach (var column in columns)
                column.Dispose();
        }
    }
}
