using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Training.Checkpoints;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>Fine-tunes a copy of a pretrained text encoder to point at the answer to a question in a text, or to say that there is none.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | Question | Text | what is asked; where it takes more than half of what the encoder reads, its end is cut off |
/// | Context | Text | where the answer may stand; of any length |
/// | TrainingAnswer | Text | the answer as it stands in the context; empty for none. Only for `Fit` |
/// | AnswerIndex | whole number | where it begins, in UTF-16 code units from 0; less than 0 for none. Only for `Fit` |
/// | Answer | vector of Text | up to TopK answers, the likeliest first; the empty text says that there is none |
/// | Score | vector of Single | the probability of each, from 0 to 1 |
/// | AnswerStart, AnswerLength | vectors of Int32 | where each stands in the context, in UTF-16 code units, as `string.Substring` counts; -1 and 0 for none |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | Yes |
/// | Needs normalization | No |
/// | Benefits from caching | No: rows are kept in memory |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes |
///
/// ### Algorithm
/// Question and context stand in one text, and two softmax distributions over the words of the context tell where the answer begins and ends,
/// the class token in place of none, as Devlin et al., "BERT", 2019, do it for SQuAD 2.0 (Rajpurkar et al., 2018). Contexts that are longer
/// than the encoder takes are read in windows that overlap; an answer has its probability in the window that is surest of it, none the one that
/// it has in the window that is least sure of it. Answers begin and end at words and punctuation.
/// ]]></format>
/// </remarks>
public sealed class QuestionAnsweringTrainer : TokenTaskTrainer<QuestionAnsweringTransformer>
{
    internal QuestionAnsweringTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(QuestionAnsweringTrainer), options)
    {
    }

    /// <summary>The defaults, which are those of ML.NET's own trainer.</summary>
    internal static class Defaults
    {
        public const string QuestionColumnName = "Question", ContextColumnName = "Context", AnswerColumnName = "TrainingAnswer", AnswerIndexColumnName = "AnswerIndex";
        public const int TopK = 3;
        public const int MaximumAnswerWords = 30;
    }

    /// <summary>Settings of <see cref="QuestionAnsweringTrainer"/>; <see cref="FineTuningOptions.LabelColumnName"/> names the column of answers and is
    /// "TrainingAnswer" unless set.</summary>
    public sealed class Options : TokenTaskOptions
    {
        /// <summary>Options with their defaults.</summary>
        public Options() => LabelColumnName = Defaults.AnswerColumnName;

        /// <summary>Name of the column of questions.</summary>
        /// <value>The default value is "Question".</value>
        [NotEmpty]
        public string QuestionColumnName { get; set; } = Defaults.QuestionColumnName;

        /// <summary>Name of the column of texts in which the answers stand.</summary>
        /// <value>The default value is "Context".</value>
        [NotEmpty]
        public string ContextColumnName { get; set; } = Defaults.ContextColumnName;

        /// <summary>Name of the column that says where the answer begins in the context. Null takes the first place where the answer stands.</summary>
        /// <value>The default value is "AnswerIndex".</value>
        [NotEmpty(AllowsNull = true)]
        public string? AnswerIndexColumnName { get; set; } = Defaults.AnswerIndexColumnName;

        /// <summary>Answers that the model gives a question at most. At least 1.</summary>
        /// <value>The default value is 3.</value>
        [OptionRange(Minimum = 1)]
        [NotPartOfIdentity("It decides what is shown, not what is learned.")]
        public int TopK { get; set; } = Defaults.TopK;

        /// <summary>Words and punctuation marks that an answer of the model has at most. At least 1.</summary>
        /// <value>The default value is 30.</value>
        [OptionRange(Minimum = 1)]
        [NotPartOfIdentity("It decides what is searched, not what is learned.")]
        public int MaximumAnswerWords { get; set; } = Defaults.MaximumAnswerWords;
    }

    private Options Own => (Options)Settings;

    // Half for the question, and a few words of context in between its three special tokens.
    private protected override int LeastTokens => 16;

    // Questions and contexts have columns of their own.
    private protected override bool ReadsEncoderColumns => false;

    private protected override void CheckLabels(Func<string, string, ColumnShape> find)
    {
        foreach (var (role, name) in new[] { ("question", Own.QuestionColumnName), ("context", Own.ContextColumnName), ("label", Settings.LabelColumnName) })
        {
            var shape = find(name, role);
            if (!shape.IsText)
                throw Check.SchemaMismatch(role, name, "String", shape.ToString());
        }
        if (Own.AnswerIndexColumnName is { } index && find(index, "answer index") is var place
            && (place.Kind != SchemaShape.Column.VectorKind.Scalar || place.IsKey || place.ItemType is not NumberDataViewType))
        {
            throw Check.SchemaMismatch("answer index", index, "Int32", place.ToString(), "Set AnswerIndexColumnName to null to take the first place.");
        }
    }

    private protected override SchemaShape AppendOutput(SchemaShape inputSchema) => AnswerColumns.Append(inputSchema);

    private protected override QuestionAnsweringTransformer Fit(IDataView input, EncoderModel encoder, TaskRun run)
    {
        var format = FormatOf(encoder);
        var texts = new WindowedText.Reader(format, UnitKind.Pieces, Overlap, hasQuestion: true);
        var reader = new AnsweredTextReader(texts, new TokenWindows(format.Tokenizer.Vocabulary.PaddingId, Settings.BatchSize, run.Streams.Shuffle));
        List<IReadOnlyList<string>> columns = [[Own.QuestionColumnName], [Own.ContextColumnName], [Settings.LabelColumnName]];
        if (Own.AnswerIndexColumnName is { } index)
            columns.Add([index]);
        var areAll = ReadRows(input, columns, run, reader.Add);
        if (reader.Rows.Count == 0)
        {
            throw !areAll ? Canceled() : new InvalidOperationException("Training set has 0 instances, aborting training. "
                + (reader.LeftOut + reader.Misplaced == 0 ? "There are no rows."
                    : $"Of {reader.LeftOut + reader.Misplaced} rows {reader.LeftOut} have no context and {reader.Misplaced} an answer that does not stand where they say."));
        }
        run.Inform(FormattableString.Invariant($"{reader.Rows.Count:N0} rows, {reader.Unanswered:N0} of them without an answer, in memory, ")
            + FormattableString.Invariant($"{reader.Windows.TokenCount:N0} tokens in {reader.Windows.Count:N0} windows"));
        if (reader.LeftOut > 0)
            run.Warn($"{reader.LeftOut} rows are left out: they lack a context.");
        if (reader.Misplaced > 0)
        {
            run.Warn($"{reader.Misplaced} rows are left out, the first of them row {reader.FirstMisplaced} (from 0): the answer does not stand in the context"
                + (Own.AnswerIndexColumnName is null ? "." : $" where column '{Own.AnswerIndexColumnName}' says."));
        }
        if (texts.QuestionsCut > 0)
            run.Warn($"{texts.QuestionsCut} questions are longer than half of the {format.Factory.MaximumTokens} tokens that the encoder takes, and lose their ends.");
        var parts = Train(encoder, reader.Windows, reader.Rows, areAll, AnswerSpans.Outputs,
            (network, head) => new AnswerSpans(network, head, Settings.Tuning), run);
        return new QuestionAnsweringTransformer(Context, new AnswerModel(parts, new AnswerSettings(Own.QuestionColumnName, Own.ContextColumnName, Overlap,
            Own.TopK, Own.MaximumAnswerWords)));
    }
}
