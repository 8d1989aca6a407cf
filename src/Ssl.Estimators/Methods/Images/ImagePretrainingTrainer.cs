using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretraining on a column of images: reads the pixels once, as bytes, measures mean and deviation, and lets the method learn.
/// </summary>
public abstract class ImagePretrainingTrainer : PretrainingTrainer
{
    private readonly ImagePretrainingOptions _options;

    /// <summary>The estimator with its settings, which are checked and copied.</summary>
    protected ImagePretrainingTrainer(MLContext mlContext, ImagePretrainingOptions options) : base(mlContext, options)
    {
        var name = GetType().Name;
        _options = (ImagePretrainingOptions)Settings;
        if (_options.View is not null && !LearnsViews)
            _ = ImageViews.RequireFixed(_options.View, name);
        if (RequiresPatches && _options.Encoder is { EncodesPatches: false } encoder)
        {
            throw new ArgumentOutOfRangeException(nameof(_options.Encoder), $"Encoder must be one of patches for {name}, such as "
                + $"{nameof(ImageEncoders)}.{nameof(ImageEncoders.VisionTransformer)}, got '{encoder.Kind}', which sees images whole.");
        }
    }

    /// <inheritdoc/>
    protected sealed override IReadOnlyList<string> TrainingColumns => [_options.InputColumnName];

    // The default encoders have the same embedding whatever the image's size.
    /// <inheritdoc/>
    protected sealed override int EmbeddingDimension
        => (_options.Encoder ?? DefaultEncoder(new ImageShape(1, 8, 8))).EmbeddingDimension;

    /// <summary>Whether the method learns from patches, so that the encoder must be a <see cref="PatchEncoder"/>.</summary>
    protected virtual bool RequiresPatches => false;

    /// <summary>Whether the method learns the strengths of a <see cref="LearnableImageView"/>.</summary>
    protected virtual bool LearnsViews => false;

    /// <summary>The encoder where none is given. Its embedding must not depend on the images' size.</summary>
    protected virtual ImageEncoderFactory DefaultEncoder(ImageShape shape)
        => RequiresPatches ? SmallTransformer(shape) : new ConvNetEncoderFactory(shape, numberOfStages: 4, width: 32);

    /// <summary>The method around a new encoder.</summary>
    /// <param name="encoder">With fresh weights.</param>
    /// <param name="factory">Makes further networks of the encoder's architecture, such as a target network.</param>
    /// <param name="streams">Weights, views, masks.</param>
    protected abstract PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams);

    /// <inheritdoc/>
    protected sealed override void CheckColumn(string name, ColumnShape shape)
    {
        ImageColumnReading.Check(name, shape, _options.Encoder?.Shape, _options.PixelMaximum);
    }

    /// <inheritdoc/>
    protected sealed override string EmptyHint => $"Every image in column '{_options.InputColumnName}' is missing, cannot be decoded or has "
        + "pixels that are not numbers, or there are no rows.";

    /// <inheritdoc/>
    protected sealed override RowFormat LearnFormat(IDataView input, IChannel channel)
    {
        var factory = _options.Encoder ?? DefaultEncoder(PixelColumn.ShapeOf(ColumnShape.Find(input.Schema, _options.InputColumnName))!);
        return ImageColumnReading.Learn(input, _options.InputColumnName, factory, _options.PixelMaximum, _options.SkipUnreadableImages, channel,
            _options.CancellationToken);
    }

    /// <inheritdoc/>
    protected sealed override PretrainingMethod MethodFor(RowFormat format, Encoder encoder, RandomStreams streams)
        => CreateMethod((ImageEncoder)encoder, ((ImageRowFormat)format).Factory, streams);

    private protected sealed override (RowFormat Format, Encoder Network) Kept(RowFormat format, PretrainingMethod method, BatchSource source,
        Device device)
    {
        if (_options.RecomputesBatchStatistics)
            RecomputeStatistics(method, source, device);
        return (((ImageRowFormat)format).OfArchitecture(), method.Encoder);
    }

    // Width 96: what a CPU trains in minutes. Of the patch sizes that divide the image the one nearest to so many a side.
    internal static VisionTransformerEncoderFactory SmallTransformer(ImageShape shape, int numberOfLayers = 4, int patchesPerSide = 8)
    {
        double wanted = Math.Min(shape.Height, shape.Width) / (double)patchesPerSide;
        int patch = Enumerable.Range(1, Math.Min(shape.Height, shape.Width))
            .Where(size => shape.Height % size == 0 && shape.Width % size == 0)
            .MinBy(size => Math.Abs(Math.Log(size / wanted)));
        return new VisionTransformerEncoderFactory(shape, patch, numberOfLayers, dimension: 96, numberOfHeads: 4, ImagePooling.Mean);
    }
}
