using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Tasks;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>An answer to a question.</summary>
/// <param name="Text">As it stands in the context; empty for none.</param>
/// <param name="Start">Characters before it; -1 for none.</param>
/// <param name="Score">Its probability.</param>
internal readonly record struct FoundAnswer(string Text, int Start, float Score);

/// <summary>What an answering model reads, and what it gives.</summary>
/// <param name="QuestionColumn">Name of the column of questions.</param>
/// <param name="ContextColumn">Name of the column of contexts.</param>
/// <param name="Overlap">Share of a window that the next one has, too.</param>
/// <param name="TopK">Answers at most.</param>
/// <param name="MaximumWords">Units of an answer at most.</param>
internal sealed record AnswerSettings(string QuestionColumn, string ContextColumn, double Overlap, int TopK, int MaximumWords);

/// <summary>A tuned encoder that answers questions: everything that is saved, and nothing of a pipeline.</summary>
/// <param name="parts">Encoder and head.</param>
/// <param name="settings">What it reads and gives.</param>
internal sealed class AnswerModel(HeadedEncoder parts, AnswerSettings settings) : FindingComputation, IDisposable
{
    /// <summary>Kind of the archive.</summary>
    public const string ArchiveKind = "question-answering";

    private const string QuestionKey = "questionColumn", ContextKey = "contextColumn", OverlapKey = "windowOverlap", TopKKey = "topK", WordsKey = "maximumAnswerWords";

    /// <summary>Encoder and head.</summary>
    public HeadedEncoder Parts => parts;

    /// <summary>What it reads and gives.</summary>
    public AnswerSettings Settings => settings;

    public override IReadOnlyList<string> InputColumns => [settings.QuestionColumn, settings.ContextColumn];

    public override Lifetime Lifetime => parts.Lifetime;

    public override void Find(RowBatch rows, Span<object?> found)
    {
        using var use = Lifetime.Enter();
        var reader = new WindowedText.Reader((TextRowFormat)parts.Encoder.Format, UnitKind.Pieces, settings.Overlap, hasQuestion: true);
        var texts = new WindowedText[rows.Count];
        for (var row = 0; row < texts.Length; row++)
        {
            var cells = rows.Rows[row].Texts.Span;
            texts[row] = reader.Read(cells[1].Span, cells[0].Span);
        }
        var scores = TokenScores.Compute(parts, texts);
        for (var row = 0; row < texts.Length; row++)
            found[row] = Find(rows.Rows[row].Texts.Span[1].Span, texts[row], scores[row]);
    }

    public override Delegate CreateGetter(int output, Func<object> row) => AnswerColumns.Names[output] switch
    {
        AnswerColumns.Answer => VectorGetter<ReadOnlyMemory<char>>(() => [.. Of(row).Select(answer => answer.Text.AsMemory())]),
        AnswerColumns.Start => VectorGetter<int>(() => [.. Of(row).Select(answer => answer.Start)]),
        AnswerColumns.Length => VectorGetter<int>(() => [.. Of(row).Select(answer => answer.Text.Length)]),
        _ => VectorGetter<float>(() => [.. Of(row).Select(answer => answer.Score)]),
    };

    /// <summary>Writes description and weights; <see cref="Read"/> reads them back.</summary>
    public void WriteArchive(Stream stream) => parts.Write(stream, ArchiveKind, new JsonObject
    {
        [QuestionKey] = settings.QuestionColumn, [ContextKey] = settings.ContextColumn, [OverlapKey] = settings.Overlap,
        [TopKKey] = settings.TopK, [WordsKey] = settings.MaximumWords,
    });

    /// <summary>Reads what <see cref="WriteArchive"/> wrote; the model is on the CPU.</summary>
    /// <exception cref="FormatException">The archive holds something else, or is damaged.</exception>
    public static AnswerModel Read(ArchiveManifest manifest, SafeTensorsReader tensors)
    {
        AnswerSettings? settings = null;
        var parts = HeadedEncoder.Read(manifest, tensors, ArchiveKind, nameof(QuestionAnsweringTransformer), content =>
        {
            settings = new AnswerSettings(content.Name(QuestionKey), content.Name(ContextKey), WindowSettings.Overlap(content, OverlapKey),
                AtLeastOne(content, TopKKey), AtLeastOne(content, WordsKey));
            return AnswerSpans.Outputs;
        });
        return new AnswerModel(WindowSettings.RequireText(parts), settings!);
    }

    /// <summary>Brings the networks to a device. Not while another thread computes.</summary>
    public void MoveTo(Device device) => parts.MoveTo(device);

    public void Dispose() => Lifetime.Close();

    private static int AtLeastOne(JsonObject content, string key) => (int)content[key]! is var number && number >= 1 ? number
        : throw new FormatException($"The archive's {key} is {number}, which must be at least 1.");

    private static IReadOnlyList<FoundAnswer> Of(Func<object> row) => (IReadOnlyList<FoundAnswer>)row();

    // The likeliest answers, none among them.
    private List<FoundAnswer> Find(ReadOnlySpan<char> context, WindowedText text, ReadOnlySpan<float[]> scores)
    {
        var windows = new List<AnswerWindow>();
        for (var window = 0; window < text.Windows.Count; window++)
        {
            var (first, count) = (text.Windows[window].First, text.Windows[window].Count);
            float[] begins = new float[count + 1], ends = new float[count + 1];         // of the class token and of each unit
            for (var place = 0; place <= count; place++)
            {
                var position = place == 0 ? 0 : text.Position(first + place - 1, window);
                (begins[place], ends[place]) = (scores[window][2 * position], scores[window][2 * position + 1]);
            }
            TokenScores.LogSoftmax(begins);
            TokenScores.LogSoftmax(ends);
            windows.Add(new AnswerWindow(first, begins, ends));
        }
        var answers = new List<FoundAnswer>();
        foreach (var (first, last, score) in AnswerSearch.Best(windows, settings.TopK, settings.MaximumWords))
        {
            var (start, end) = first < 0 ? (-1, -1) : (text.Units[first].Start, text.Units[last].End);
            answers.Add(new FoundAnswer(first < 0 ? "" : context[start..end].ToString(), start, (float)score));
        }
        return answers;
    }
}

/// <summary>The output columns of answers: ML.NET's own trainer has the first two.</summary>
internal static class AnswerColumns
{
    public const string Answer = "Answer", Score = "Score", Start = "AnswerStart", Length = "AnswerLength";

    /// <summary>Their names, in their order.</summary>
    public static IReadOnlyList<string> Names { get; } = [Answer, Score, Start, Length];

    /// <summary>The input's columns and these.</summary>
    public static DataViewSchema Append(DataViewSchema input)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input);
        foreach (var name in Names)
            schema.AddColumn(name, new VectorDataViewType(TypeOf(name)));
        return schema.ToSchema();
    }

    /// <summary>The same before Fit.</summary>
    public static SchemaShape Append(SchemaShape input)
        => SchemaShapes.Append(input, [.. Names.Select(name => SchemaShapes.VariableVector(name, TypeOf(name)))]);

    private static PrimitiveDataViewType TypeOf(string name) => name switch
    {
        Answer => TextDataViewType.Instance,
        Score => NumberDataViewType.Single,
        _ => NumberDataViewType.Int32,
    };
}
