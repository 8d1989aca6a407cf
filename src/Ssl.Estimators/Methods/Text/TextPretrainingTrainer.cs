using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Pretraining on text columns: trains the tokenizer if none is given, reads the tokens once, and lets the method learn.</summary>
public abstract class TextPretrainingTrainer : PretrainingTrainer
{
    private readonly TextPretrainingOptions _options;
    private readonly TextEncoderFactory _encoder;

    /// <summary>The estimator with its settings, which are checked and copied.</summary>
    protected TextPretrainingTrainer(MLContext mlContext, TextPretrainingOptions options, TextEncoderFactory defaultEncoder)
        : base(mlContext, options)
    {
        _options = (TextPretrainingOptions)Settings;
        _encoder = _options.Encoder ?? defaultEncoder;
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<string> TrainingColumns => [_options.InputColumnName];

    private protected sealed override IReadOnlyList<string> EmbeddedColumns => [_options.InputColumnName];

    /// <inheritdoc/>
    protected sealed override int EmbeddingDimension => _encoder.EmbeddingDimension;

    /// <inheritdoc/>
    protected sealed override string EmptyHint
        => $"Every row's text in column {string.Join(" and ", TrainingColumns.Select(c => $"'{c}'"))} is empty, or there are no rows.";

    /// <summary>The method around a new encoder.</summary>
    protected abstract PretrainingMethod CreateMethod(TextEncoder encoder, TextTokenizer tokenizer, RandomStreams streams);

    /// <inheritdoc/>
    protected sealed override void CheckColumn(string name, ColumnShape shape)
    {
        if (!shape.IsText)
            throw shape.Mismatch(name, "String", TextHint(shape));
    }

    /// <inheritdoc/>
    protected sealed override RowFormat LearnFormat(IDataView input, IChannel channel)
    {
        var start = _encoder as StartedTextEncoderFactory;
        return new TextRowFormat(TrainingColumns, start?.Tokenizer ?? _options.Tokenizer ?? TrainTokenizer(input, channel), _encoder,
            _options.Truncation ?? start?.Truncation ?? TextTruncation.Head);
    }

    /// <inheritdoc/>
    protected sealed override PretrainingMethod MethodFor(RowFormat format, Encoder encoder, RandomStreams streams)
        => CreateMethod((TextEncoder)encoder, ((TextRowFormat)format).Tokenizer, streams);

    private protected sealed override (RowFormat Format, Encoder Network) Kept(RowFormat format, PretrainingMethod method, BatchSource source,
        Device device) => (((TextRowFormat)format).OfArchitecture(), method.Encoder);

    private WordPieceTokenizer TrainTokenizer(IDataView input, IChannel channel)
        => TrainTokenizer(input, TrainingColumns, new WordPieceTokenizer.Options
        {
            VocabularySize = _options.VocabularySize,
            MinimumCount = _options.MinimumTokenCount,
            LowerCase = _options.LowerCase,
            Normalization = _options.Normalization,
            RequiredWords = _options.RequiredWords,
            CancellationToken = _options.CancellationToken,
        }, channel);

    internal static string TextHint(ColumnShape shape) => shape.Kind == SchemaShape.Column.VectorKind.Scalar
        ? "Load or convert it as text first: mlContext.Transforms.Conversion.ConvertType(…, DataKind.String)."
        : "Give one text a row: name a scalar text column.";
}
