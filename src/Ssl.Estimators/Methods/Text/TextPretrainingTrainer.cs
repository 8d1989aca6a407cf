using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

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

    private protected override IReadOnlyList<string> TrainingColumns => [_options.InputColumnName];

    private protected sealed override int EmbeddingDimension => _encoder.EmbeddingDimension;

    /// <summary>
    /// Texts of similar length in one batch: less padding, but also easier negatives, so contrastive methods leave it off.
    /// </summary>
    protected virtual bool GroupByLength => false;

    /// <summary>The method around a new encoder.</summary>
    protected abstract PretrainingMethod CreateMethod(TextEncoder encoder, TextTokenizer tokenizer, RandomStreams streams);

    private protected sealed override void CheckColumn(string name, ColumnShape shape)
    {
        if (!shape.IsText)
            throw Check.SchemaMismatch("input", name, "String", shape.ToString(), TextHint(shape));
    }

    private protected sealed override PretrainingRun Prepare(IDataView input, RandomStreams streams, IChannel channel)
    {
        var tokenizer = (_encoder as StartedTextEncoderFactory)?.Tokenizer ?? _options.Tokenizer ?? TrainTokenizer(input, channel);
        var columns = string.Join(" and ", TrainingColumns.Select(c => $"'{c}'"));
        var format = new TextRowFormat(TrainingColumns, tokenizer, _encoder.MaximumTokens, _encoder.UsesSpecialTokens);
        var source = ReadRows(input, format, streams, channel,
            $"Every row's text in column {columns} is empty, or there are no rows.", GroupByLength);
        var encoder = _encoder.Create(tokenizer.Vocabulary, streams);
        var method = CreateMethod(encoder, tokenizer, streams);
        return new PretrainingRun(method, source, CreateModel,
            new Dictionary<string, JsonNode>
            {
                [nameof(_options.Encoder)] = _encoder.ToJson(), [nameof(_options.Tokenizer)] = tokenizer.ToJson(),
            });

        EncoderModel CreateModel(Device device, TrainingResult? result) => TextEncoderModel.CopyOf(
            encoder, _encoder.Architecture, tokenizer, device, [_options.InputColumnName], _options.OutputColumnName,
                TrainingFacts.Of(GetType().Name, result));
    }

    private WordPieceTokenizer TrainTokenizer(IDataView input, IChannel channel)
    {
        var started = TimeProvider.System.GetTimestamp();
        var tokenizer = WordPieceTokenizer.Train(TextColumns.Read(input, TrainingColumns, _options.CancellationToken),
            new WordPieceTokenizer.Options
        {
            VocabularySize = _options.VocabularySize,
            MinimumCount = _options.MinimumTokenCount,
            LowerCase = _options.LowerCase,
            RequiredWords = _options.RequiredWords,
        });
        channel.Info(MessageSensitivity.None, "tokenizer trained: {0:N0} tokens in {1:0.0} s", tokenizer.VocabularySize,
            TimeProvider.System.GetElapsedTime(started).TotalSeconds);
        return tokenizer;
    }

    private static string TextHint(ColumnShape shape) => shape.Kind == SchemaShape.Column.VectorKind.Scalar
        ? "Load or convert it as text first: mlContext.Transforms.Conversion.ConvertType(…, DataKind.String)."
        : "Give one text a row: name a scalar text column.";
}
