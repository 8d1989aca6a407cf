using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Pretraining on a column of images and one of their texts.</summary>
public abstract class ImageTextPretrainingTrainer : PretrainingTrainer
{
    private readonly ImageTextPretrainingOptions _options;

    /// <summary>The estimator with its settings, which are checked and copied.</summary>
    protected ImageTextPretrainingTrainer(MLContext mlContext, ImageTextPretrainingOptions options) : base(mlContext, options)
    {
        _options = (ImageTextPretrainingOptions)Settings;
        if (_options.View is not null)
            _ = ImageViews.RequireFixed(_options.View, GetType().Name);
    }

    /// <inheritdoc/>
    protected sealed override IReadOnlyList<string> TrainingColumns => [_options.ImageColumnName, _options.TextColumnName];

    /// <inheritdoc/>
    protected sealed override string EmptyHint => $"Every row lacks an image in column '{_options.ImageColumnName}' or a text in column "
        + $"'{_options.TextColumnName}', or there are no rows.";

    /// <inheritdoc/>
    protected sealed override void CheckColumn(string name, ColumnShape shape)
    {
        if (name == _options.ImageColumnName)
            ImageColumnReading.Check(name, shape, _options.ImageEncoder?.Shape, _options.PixelMaximum);
        else if (!shape.IsText)
            throw shape.Mismatch(name, "String", TextPretrainingTrainer.TextHint(shape));
    }

    /// <summary>The encoders of a run, the one of images made for their size, and how they become one network.</summary>
    private protected abstract (ImageEncoderFactory Images, TextEncoderFactory Texts, ImageTextNetwork Network) Encoders(ImageShape shape);

    /// <inheritdoc/>
    protected sealed override RowFormat LearnFormat(IDataView input, IChannel channel)
    {
        var column = ColumnShape.Find(input.Schema, _options.ImageColumnName);
        var (images, texts, network) = Encoders(_options.ImageEncoder?.Shape ?? PixelColumn.ShapeOf(column)!);
        var start = _options.TextEncoder as StartedTextEncoderFactory;
        var imageFormat = ImageColumnReading.Learn(input, _options.ImageColumnName, images, _options.PixelMaximum, _options.SkipUnreadableImages, channel,
            _options.CancellationToken);
        return new ImageTextRowFormat(imageFormat, new TextRowFormat([_options.TextColumnName],
            start?.Tokenizer ?? _options.Tokenizer ?? TrainTokenizer(input, channel), texts, start?.Truncation ?? TextTruncation.Head), network);
    }

    private WordPieceTokenizer TrainTokenizer(IDataView input, IChannel channel)
        => TrainTokenizer(input, [_options.TextColumnName], new WordPieceTokenizer.Options
        {
            VocabularySize = _options.VocabularySize,
            MinimumCount = _options.MinimumTokenCount,
            CancellationToken = _options.CancellationToken,
        }, channel);

    private protected sealed override (RowFormat Format, Encoder Network) Kept(RowFormat format, PretrainingMethod method, BatchSource source,
        Device device)
    {
        if (_options.RecomputesBatchStatistics)
            RecomputeStatistics(method, source, device);
        return (((ImageTextRowFormat)format).OfArchitecture(), method.Encoder);
    }
}
