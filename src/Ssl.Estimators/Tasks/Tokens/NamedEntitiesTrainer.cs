using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>Fine-tunes a copy of a pretrained text encoder to find entities in texts: names, places, dates, amounts.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | the encoder's input column | Text | the text, which stays as it is |
/// | label | vector of Key of UInt32 | a value a word (what stands between white space): "B-Kind", "I-Kind" and "O", or the bare kind and "O" or "0"; with StartColumnName and LengthColumnName a kind an entity. A row without values is left out, but not where entities are given by their places: there it has none |
/// | PredictedLabel | vector of Key of UInt32, with the label's values | a value a word; not where entities are given by their places |
/// | EntityText, EntityLabel | vectors of Text | what was found, as it stands in the text, and its kind |
/// | EntityStart, EntityLength | vectors of Int32 | where it stands, in UTF-16 code units, as `string.Substring` counts |
/// | EntityScore | vector of Single | the mean probability of its words' tags, from 0 to 1 |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | Yes |
/// | Needs normalization | No |
/// | Benefits from caching | No: rows and labels are kept in memory |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes |
///
/// ### Algorithm
/// Softmax cross-entropy over tags (Ramshaw and Marcus, 1995) on the vector of each word's first token, as Devlin et al., "BERT", 2019, do it;
/// the likeliest sequence in which nothing goes on that has not begun is predicted. Texts that are longer than the encoder takes are read
/// in windows that overlap, and a word counts where it stands farthest from a cut. Words are cut by white space; where entities are given by
/// their places, by white space and punctuation, and an entity that begins or ends within a word is widened to it. A linear model on the letters of
/// a word and of its neighbors is solved first, its penalty by cross-validation; the encoder learns what is to be added to what it says of texts that
/// it did not see (stacking; Wolpert, 1992).
/// ]]></format>
/// </remarks>
public sealed class NamedEntitiesTrainer : TokenTaskTrainer<NamedEntitiesTransformer>
{
    internal NamedEntitiesTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(NamedEntitiesTrainer), options)
    {
    }

    /// <summary>Settings of <see cref="NamedEntitiesTrainer"/>.</summary>
    public sealed class Options : TokenTaskOptions
    {
        /// <summary>
        /// Name of a column of vectors of whole numbers: where each entity of <see cref="FineTuningOptions.LabelColumnName"/> begins, in UTF-16
        /// code units from 0. Null where labels are given a word. Set both or neither of this and <see cref="LengthColumnName"/>.
        /// </summary>
        /// <value>The default value is null.</value>
        [NotEmpty(AllowsNull = true)]
        public string? StartColumnName { get; set; }

        /// <summary>Name of a column of vectors of whole numbers: how long each entity is, in UTF-16 code units.</summary>
        /// <value>The default value is null.</value>
        [NotEmpty(AllowsNull = true)]
        public string? LengthColumnName { get; set; }

        /// <summary>Share of the target that is spread over all tags, against overconfidence. In [0, 1).</summary>
        /// <value>The default value is 0.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public double LabelSmoothing { get; set; }

        /// <summary>
        /// Whether a word's own letters count beside what the encoder says: features of the word and of its two neighbors on each side (the word without
        /// case, its shape, beginning and end) have weights of a linear model, to which the encoder's own are added. It pays where labels are few, or the
        /// encoder's tokenizer makes everything lower case.
        /// </summary>
        /// <value>The default value is true.</value>
        public bool UsesWordFeatures { get; set; } = true;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Require((StartColumnName is null) == (LengthColumnName is null), nameof(LengthColumnName),
                StartColumnName is null ? "must be null where StartColumnName is" : "must be set where StartColumnName is", LengthColumnName ?? "null");
        }
    }

    private Options Own => (Options)Settings;

    private UnitKind Kind => Own.StartColumnName is null ? UnitKind.Words : UnitKind.Pieces;

    private protected override void CheckLabels(Func<string, string, ColumnShape> find)
    {
        var shape = find(Settings.LabelColumnName, "label");
        var raw = shape.ItemType is KeyDataViewType key ? key.RawType : shape.ItemType.RawType;
        if (shape.Kind == SchemaShape.Column.VectorKind.Scalar || !shape.IsKey || raw != typeof(uint))
            throw Check.SchemaMismatch("label", Settings.LabelColumnName, "VarVector<Key<UInt32>>", shape.ToString(),
                "Map its values to keys first: mlContext.Transforms.Conversion.MapValueToKey(…).");
        foreach (var (role, name) in new[] { ("start", Own.StartColumnName), ("length", Own.LengthColumnName) })
        {
            if (name is not null && find(name, role) is var place
                && (place.Kind == SchemaShape.Column.VectorKind.Scalar || place.IsKey || place.ItemType is not NumberDataViewType))
            {
                throw Check.SchemaMismatch(role, name, "VarVector<Int32>", place.ToString());
            }
        }
    }

    private protected override void CheckEncoder(EncoderModel encoder)
    {
        base.CheckEncoder(encoder);
        if (encoder.InputColumns.Count != 1)
        {
            throw new InvalidOperationException($"{nameof(NamedEntitiesTrainer)} finds entities in one text, and this encoder reads {encoder.InputColumns.Count} "
                + $"columns ({string.Join(", ", encoder.InputColumns)}). Embed one of them with it first (Embed), and give that encoder.");
        }
    }

    private protected override SchemaShape AppendOutput(SchemaShape inputSchema)
        => NamedEntitiesColumns.Append(inputSchema, Kind, Settings.LabelColumnName);

    private protected override NamedEntitiesTransformer Fit(IDataView input, EncoderModel encoder, TaskRun run)
    {
        var format = FormatOf(encoder);
        var tags = new EntityTags(ClassValues.Of(input.Schema[Settings.LabelColumnName]));
        var words = Own.UsesWordFeatures ? new WordTagger(tags.Count) : null;
        var reader = new TaggedTextReader(tags, new WindowedText.Reader(format, Kind, Overlap, hasQuestion: false), Kind, format.Columns[0],
            new TokenWindows(format.Tokenizer.Vocabulary.PaddingId, Settings.BatchSize, run.Streams.Shuffle, words is not null), words);
        IReadOnlyList<string>[] columns = Own.StartColumnName is { } start
            ? [[format.Columns[0], Settings.LabelColumnName], [start], [Own.LengthColumnName!]] : [[format.Columns[0], Settings.LabelColumnName]];
        var areAll = ReadRows(input, columns, run, reader.Add);
        if (reader.Rows.Count == 0)
        {
            throw !areAll ? Canceled() : new InvalidOperationException("Training set has 0 instances, aborting training. "
                + (reader.LeftOut == 0 ? "There are no rows." : $"All {reader.LeftOut} rows lack a text or labels."));
        }
        if (reader.Entities == 0 && areAll)
            throw new InvalidOperationException($"None of {reader.Rows.Count} rows has an entity in column '{Settings.LabelColumnName}': there is nothing to find.");
        run.Inform(FormattableString.Invariant(
            $"{reader.Rows.Count:N0} rows with {reader.Entities:N0} entities in memory, {reader.Windows.TokenCount:N0} tokens in {reader.Windows.Count:N0} windows"));
        if (reader.LeftOut > 0)
            run.Warn($"{reader.LeftOut} of {reader.Rows.Count + reader.LeftOut} rows are left out: they lack a text or labels.");
        if (reader.Widened > 0)
            run.Warn($"{reader.Widened} of {reader.Entities} entities begin or end within a word and were widened to it.");
        var byLetters = words?.Fit(run.Streams.Shuffle, run.Inform, Settings.CancellationToken);
        var parts = Train(encoder, reader.Windows, reader.Rows, areAll, tags.Count,
            (network, head) => new TokenClassification(network, head, Settings.Tuning, Own.LabelSmoothing, byLetters?.Scores), run, byLetters?.Table);
        return new NamedEntitiesTransformer(Context, new NamedEntitiesModel(parts, tags, Kind, Overlap));
    }
}
