using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators;

/// <summary>The description of an image encoder.</summary>
public abstract class ImageEncoderFactory : EncoderFactory
{
    private const string ChannelsKey = "channels", HeightKey = "height", WidthKey = "width", MeanKey = "mean", DeviationKey = "deviation",
        InputHeightKey = "inputHeight", InputWidthKey = "inputWidth";

    /// <summary>A description for images of a size.</summary>
    /// <param name="shape">The images.</param>
    protected ImageEncoderFactory(ImageShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        new OptionFaults()
            .AtLeast(shape.Channels, 1, "channels")
            .AtLeast(shape.Height, 1, "height")
            .AtLeast(shape.Width, 1, "width")
            .ThrowIfAny();
        Shape = shape;
        NetworkShape = shape;
    }

    /// <summary>The images that the encoder takes.</summary>
    public ImageShape Shape { get; private set; }

    /// <summary>The images as the network sees them: of <see cref="Shape"/>, unless it resizes them first (<see cref="Resizing"/>).</summary>
    internal ImageShape NetworkShape { get; private set; }

    /// <summary>Mean and deviation of the pixels; <see langword="null"/> lets the trainer measure them on the training data.</summary>
    public ImageNormalization? Normalization { get; private set; }

    /// <summary>
    /// Whether a step takes statistics over the batch (batch normalization): such networks cannot learn from batches of one.
    /// </summary>
    public virtual bool UsesBatchStatistics => true;

    /// <summary>Whether the network is a <see cref="PatchEncoder"/>, which masked methods need.</summary>
    public virtual bool EncodesPatches => false;

    /// <summary>What describes the networks without the weights that they start from: itself, unless they start from some.</summary>
    internal virtual ImageEncoderFactory Architecture => this;

    /// <summary>The same architecture with fixed statistics of the pixels.</summary>
    /// <param name="normalization">One mean and deviation for each channel.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are more or fewer channels, or a deviation is not greater than 0.</exception>
    public ImageEncoderFactory WithNormalization(ImageNormalization normalization)
    {
        ArgumentNullException.ThrowIfNull(normalization);
        normalization.Require(Shape.Channels);
        var copy = (ImageEncoderFactory)MemberwiseClone();
        copy.Normalization = normalization;
        return copy;
    }

    /// <summary>The same network behind a resizing: it takes images of another height and width, and computes at its own.</summary>
    /// <param name="images">The images that it takes; with the same channels.</param>
    internal ImageEncoderFactory Resizing(ImageShape images)
    {
        if (images.Channels != Shape.Channels)
            throw new ArgumentException($"Resizing does not change channels: the network has {Shape}, the images {images}.", nameof(images));
        var copy = (ImageEncoderFactory)MemberwiseClone();
        copy.Shape = images;
        return copy;
    }

    /// <summary>A network with fresh weights, on the CPU.</summary>
    /// <param name="streams">Weights are drawn from its Weights.</param>
    public abstract ImageEncoder Create(RandomStreams streams);

    /// <summary>What the network standardizes with: <see cref="Normalization"/>, or neutral numbers where it is not set.</summary>
    protected ImageNormalization EffectiveNormalization => Normalization ?? ImageNormalization.Neutral(Shape.Channels);

    /// <inheritdoc/>
    public sealed override JsonObject ToJson()
    {
        var json = new JsonObject
        {
            [KindProperty] = Kind,
            [ChannelsKey] = NetworkShape.Channels,
            [HeightKey] = NetworkShape.Height,
            [WidthKey] = NetworkShape.Width,
        };
        if (Shape != NetworkShape)
            (json[InputHeightKey], json[InputWidthKey]) = (Shape.Height, Shape.Width);
        if (Normalization is { } n)
        {
            json[MeanKey] = new JsonArray([.. n.Mean.Select(v => (JsonNode)v)]);
            json[DeviationKey] = new JsonArray([.. n.Deviation.Select(v => (JsonNode)v)]);
        }
        Describe(json);
        return json;
    }

    /// <summary>Adds the architecture's own sizes to its JSON form.</summary>
    /// <param name="json">Has kind, shape and normalization already.</param>
    protected abstract void Describe(JsonObject json);

    /// <summary>The shape that <see cref="ToJson"/> wrote: the images as the network sees them.</summary>
    /// <param name="json">What <see cref="ToJson"/> gave.</param>
    /// <exception cref="FormatException">A number is missing.</exception>
    protected static ImageShape ReadShape(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new ImageShape(reader.Integer(ChannelsKey), reader.Integer(HeightKey), reader.Integer(WidthKey));
    }

    /// <summary>The factory with the normalization and the resizing that <see cref="ToJson"/> wrote, if any.</summary>
    /// <param name="factory">Of the architecture that was read.</param>
    /// <param name="json">What <see cref="ToJson"/> gave.</param>
    protected static ImageEncoderFactory WithNormalizationOf(ImageEncoderFactory factory, JsonObject json)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ArgumentNullException.ThrowIfNull(json);
        if (json.ContainsKey(InputHeightKey))
        {
            var reader = new EncoderJsonReader(json);
            factory = factory.Resizing(new ImageShape(factory.Shape.Channels, reader.Integer(InputHeightKey), reader.Integer(InputWidthKey)));
        }
        return json[MeanKey] is JsonArray mean && json[DeviationKey] is JsonArray deviation
            ? factory.WithNormalization(new ImageNormalization([.. mean.Select(v => (float)v!)], [.. deviation.Select(v => (float)v!)]))
            : factory;
    }
}
