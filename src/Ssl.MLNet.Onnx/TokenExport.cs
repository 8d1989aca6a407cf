using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Inputs;
using Ssl.MLNet.Onnx.Networks;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx;

/// <summary>A model that says something of every token: its inputs are windows of texts, and what is made of its scores is the program's.</summary>
/// <param name="parts">Encoder and head.</param>
/// <param name="columns">The columns of texts that are read.</param>
internal abstract class TokenExport(HeadedEncoder parts, IReadOnlyList<string> columns) : ModelExport
{
    /// <summary>The side that counts tokens.</summary>
    protected const string Length = "length";

    private const int MadeUpRows = 16;

    private readonly TextInput _input = new((TextRowFormat)parts.Encoder.Format);

    public override IEnumerable<Lifetime> Lifetimes => [parts.Lifetime];

    public override IReadOnlyList<(string Name, Action<Stream> Write)> Files => _input.Files;

    /// <summary>How the encoder reads texts.</summary>
    protected TextRowFormat Format => (TextRowFormat)parts.Encoder.Format;

    /// <summary>What is common to the sentences of both.</summary>
    protected string Tokens => $"{TextInput.Ids} holds at most {Format.Factory.MaximumTokens} token ids, padded with {Format.Tokenizer.Vocabulary.PaddingId} to the longest; "
        + $"{TextInput.Mask} is 1 where there is a token and 0 in the padding. The vocabulary stands beside the model: {Format.Tokenizer.Vocabulary.ClassId} is the class token, "
        + $"{Format.Tokenizer.Vocabulary.SeparatorId} the separator";

    public override void CheckColumns(DataViewSchema schema)
    {
        foreach (var name in columns)
        {
            var shape = ColumnShape.Find(schema, name);
            if (!shape.IsText)
                throw shape.Mismatch(name, "String");
        }
    }

    /// <summary>What the head says of every token: [N, L, outputs].</summary>
    protected OnnxValue Scores(OnnxBuilder graph)
    {
        var (ids, mask) = _input.Tokens(graph);
        return FineTunedExport.Predict(parts.Head, TextGraphs.Tokens(Format.Factory, ModelInput.WeightsOf(parts.Encoder, graph), ids, mask));
    }

    /// <summary>Cuts a row's texts into windows.</summary>
    protected abstract WindowedText Cut(string[] texts);

    /// <summary>Adds what a window's rows have beside tokens, and what comes of it, to what is compared.</summary>
    /// <param name="row">Its texts.</param>
    /// <param name="text">Its windows.</param>
    /// <param name="tokens">Of the longest window.</param>
    /// <param name="check">With the scores of the head, [windows, tokens, outputs].</param>
    protected abstract OnnxCheck Complete(string[] row, WindowedText text, int tokens, OnnxCheck check);

    public override IEnumerable<OnnxCheck> Checks(IDataView? data, int most)
    {
        var rows = CutAll(data is null ? [] : Read(data).Take(most));
        // Also where all texts of the data are empty: something is compared in any case.
        if (rows.Length == 0)
        {
            var random = new Random(0);
            rows = CutAll(Enumerable.Range(0, MadeUpRows).Select(_ => columns.Select(_ => _input.MadeUp(random).Texts.Span[0].ToString()).ToArray()));
        }
        using var exact = EncoderExport.Exact(parts.Encoder);
        foreach (var (row, text) in rows)
            yield return Check(exact, row, text);
    }

    // What has no words has no windows.
    private (string[] Row, WindowedText Text)[] CutAll(IEnumerable<string[]> rows)
        => [.. rows.Select(row => (Row: row, Text: Cut(row))).Where(item => item.Text.Windows.Count > 0)];

    private OnnxCheck Check(EncoderModel exact, string[] row, WindowedText text)
    {
        var windows = new TokenRows(Format.Tokenizer.Vocabulary.PaddingId);
        for (var window = 0; window < text.Windows.Count; window++)
            windows.Add(text.Ids(window));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var batch = windows.ToBatch([.. Enumerable.Range(0, windows.Count)]);
        using var moved = batch.To(parts.Device);
        var scores = parts.Head.call(((Estimators.TextEncoder)exact.Network).EncodeTokens(moved)).cpu().contiguous();
        var (tokens, outputs) = ((int)scores.shape[1], (int)scores.shape[2]);
        return Complete(row, text, tokens, new OnnxCheck(TextInput.Values(batch), MemoryMarshal.Cast<byte, float>(scores.bytes).ToArray(), 1)
        {
            Compared = [.. Enumerable.Range(0, windows.Count * tokens * outputs).Select(i => i / outputs % tokens < windows.Length(i / outputs / tokens))],
        });
    }

    private IEnumerable<string[]> Read(IDataView data)
    {
        using var cursor = data.GetRowCursor(columns.Distinct().Select(name => data.Schema[name]));
        ValueGetter<ReadOnlyMemory<char>>[] getters = [.. columns.Select(name => cursor.GetGetter<ReadOnlyMemory<char>>(data.Schema[name]))];
        while (cursor.MoveNext())
        {
            yield return Array.ConvertAll(getters, getter =>
            {
                var text = default(ReadOnlyMemory<char>);
                getter(ref text);
                return text.ToString();
            });
        }
    }
}

/// <summary>A model that answers questions: where an answer may begin and end, as the libraries of other languages name it.</summary>
internal sealed class AnswerExport(AnswerModel model) : TokenExport(model.Parts, model.InputColumns)
{
    private const string Starts = "start_logits", Ends = "end_logits";

    private readonly WindowedText.Reader _reader = new((TextRowFormat)model.Parts.Encoder.Format, UnitKind.Pieces, model.Settings.Overlap, hasQuestion: true);

    public override string Description => "Answers questions: scores of where an answer begins and ends";

    public override string Preparation => $"{Tokens}. A row is the class token, the question (at most {Format.Factory.MaximumTokens / 2} tokens), a separator, as much of the context as fits, "
        + $"a separator; what does not fit goes into further rows that overlap. {Starts} and {Ends} are the scores of each place, before a softmax over the first tokens of the context's words and "
        + "punctuation marks and the class token, which stands for no answer";

    public override IReadOnlyList<string> ComparedOutputs => [Starts, Ends];

    public override void Build(OnnxBuilder graph)
    {
        var scores = Scores(graph);
        graph.Output(Starts, scores.Select(2, 0), DataType.Float, "Scores of the places where an answer may begin.", ModelInput.Rows, Length);
        graph.Output(Ends, scores.Select(2, 1), DataType.Float, "Scores of the places where an answer may end.", ModelInput.Rows, Length);
    }

    protected override WindowedText Cut(string[] texts) => _reader.Read(texts[1], texts[0]);

    // All beginnings, then all ends.
    protected override OnnxCheck Complete(string[] row, WindowedText text, int tokens, OnnxCheck check)
        => check with
        {
            Expected = [.. check.Expected.Where((_, i) => i % 2 == 0), .. check.Expected.Where((_, i) => i % 2 == 1)],
            Compared = [.. check.Compared!.Where((_, i) => i % 2 == 0), .. check.Compared!.Where((_, i) => i % 2 == 1)],
        };
}

/// <summary>A model that finds entities: scores of the tags.</summary>
internal sealed class EntityExport(NamedEntitiesModel model) : TokenExport(model.Parts, model.InputColumns)
{
    private const string Features = "word_features", Output = "logits";

    private readonly WindowedText.Reader _reader = new((TextRowFormat)model.Parts.Encoder.Format, model.Kind, model.Overlap, hasQuestion: false);

    // Row after row; read once for all texts.
    private readonly float[]? _table = model.Parts.Words?.Weight.data<float>().ToArray();

    public override string Description => $"Finds entities: {string.Join(", ", model.Tags.Kinds)}";

    public override string Preparation => $"{Tokens}. A row is the class token, as many whole words as fit, a separator; what does not fit goes into further rows that overlap. "
        + (HasFeatures ? $"{Features} holds at the first token of each word the {WordFeatures.Count} numbers of its letters (docs/onnx.md says how they are made) and 0 elsewhere. " : "")
        + $"{Output} are the scores of the tags (metadata: tags) at each place, before a softmax; those at the first token of a word are the word's";

    public override IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>
    {
        ["tags"] = JsonSerializer.Serialize(model.Tags.Kinds.SelectMany(kind => (string[])[$"B-{kind}", $"I-{kind}"]).Prepend("O")),
    };

    public override IReadOnlyList<string> ComparedOutputs => [Output];

    private bool HasFeatures => model.Parts.Words is not null;

    public override void Build(OnnxBuilder graph)
    {
        var scores = Scores(graph);
        if (model.Parts.Words is { } words)
        {
            var features = graph.Input(Features, DataType.Int64, "The numbers of each word's letters at its first token.", ModelInput.Rows, Length, WordFeatures.Count);
            var table = graph.Weight(words.Weight, "words.weight");
            // Its first row is of every word.
            scores += table.Gather(features).Sum(false, 2) + graph.Weight(words.Weight.select(0, 0), "words.bias");
        }
        graph.Output(Output, scores, DataType.Float, "Scores of the tags.", ModelInput.Rows, Length, model.Tags.Count);
    }

    protected override WindowedText Cut(string[] texts) => _reader.Read(texts[0]);

    protected override OnnxCheck Complete(string[] row, WindowedText text, int tokens, OnnxCheck check)
    {
        if (_table is not { } table)
            return check;
        var (features, count) = (WordFeatures.Of(row[0], text.Units), model.Tags.Count);
        var numbers = new long[text.Windows.Count * tokens * WordFeatures.Count];
        for (var window = 0; window < text.Windows.Count; window++)
        {
            for (var unit = text.Windows[window].First; unit < text.Windows[window].End; unit++)
            {
                for (var i = 0; i < WordFeatures.Count; i++)
                    numbers[(window * tokens + text.Position(unit, window)) * WordFeatures.Count + i] = features[unit * WordFeatures.Count + i];
            }
        }
        float[] expected = [.. check.Expected];
        for (var place = 0; place < text.Windows.Count * tokens; place++)
        {
            var own = expected.AsSpan(place * count, count);
            TensorPrimitives.Add(own, table.AsSpan(0, count), own);
            foreach (var feature in numbers.AsSpan(place * WordFeatures.Count, WordFeatures.Count))
                TensorPrimitives.Add(own, table.AsSpan((int)feature * count, count), own);
        }
        check.Inputs.Add(Features, OrtValue.CreateTensorValueFromMemory(numbers, [text.Windows.Count, tokens, WordFeatures.Count]));
        return check with { Expected = expected };
    }
}
