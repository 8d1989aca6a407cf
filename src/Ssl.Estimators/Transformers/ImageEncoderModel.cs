using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A fitted image encoder: the scale of the pixels and the network.</summary>
internal sealed class ImageEncoderModel : NetworkEncoderModel<ImageEncoder>
{
    internal const string ModalityName = "image";

    private const string EncoderKey = "encoder", MaximumKey = "pixelMaximum", LoadedKey = "loadedImages";

    private readonly ImageEncoderFactory _factory;
    private readonly float _maximum;
    private readonly bool _loaded;

    private ImageEncoderModel(Parts parts, ImageEncoderFactory factory, float maximum, bool loaded) : base(parts)
        => (_factory, _maximum, _loaded) = (factory, maximum, loaded);

    public override string Modality => ModalityName;

    public override int Dimension => _factory.EmbeddingDimension;

    public override IReadOnlyList<InputKind> InputKinds => [_loaded ? InputKind.Image : InputKind.Number];

    /// <summary>The architecture, with the normalization that it was trained with.</summary>
    public ImageEncoderFactory Factory => _factory;

    public override ImageInput? Images => new(_factory.Shape, _maximum);

    /// <summary>A model with its own copy of the encoder's weights.</summary>
    /// <param name="encoder">The trained network.</param>
    /// <param name="factory">Its architecture, with the normalization that it was trained with.</param>
    /// <param name="maximum">The value of a white pixel in a Single column.</param>
    /// <param name="device">Where the model computes.</param>
    /// <param name="inputColumn">Name of the column of pixels.</param>
    /// <param name="outputColumn">Name of the embedding column.</param>
    /// <param name="trainingFacts">How it was trained.</param>
    /// <param name="loaded">Whether the column holds decoded images, not vectors.</param>
    public static ImageEncoderModel CopyOf(ImageEncoder encoder, ImageEncoderFactory factory, float maximum, Device device,
        string inputColumn, string outputColumn, JsonObject trainingFacts, bool loaded)
        => new(Parts.Copy(encoder, factory.Create, device, [inputColumn], outputColumn, trainingFacts), factory, maximum, loaded);

    public override void CheckColumn(string name, ColumnShape shape) => PixelColumn.Check(name, shape, _factory.Shape);

    public override RowFormat CreateFormat() => new ImageRowFormat(InputColumns[0], _factory.Shape, _maximum);

    private protected override ImageEncoder CreateNetwork(RandomStreams streams) => _factory.Create(streams);

    private protected override ImageEncoderModel With(Parts parts) => new(parts, _factory, _maximum, _loaded);

    private protected override JsonObject DescribePreprocessing() => new()
    {
        [EncoderKey] = _factory.ToJson(),
        [MaximumKey] = _maximum,
        [LoadedKey] = _loaded,
    };

    /// <summary>A model of what <see cref="EncoderModel.Describe"/> gave, on the CPU.</summary>
    /// <param name="content">The description.</param>
    /// <param name="fill">Fills the network's weights.</param>
    /// <exception cref="FormatException">The description is incomplete.</exception>
    public static ImageEncoderModel Create(JsonObject content, Action<IReadOnlyDictionary<string, Tensor>> fill)
    {
        try
        {
            var factory = EncoderFactory.FromJson(content[EncoderKey]!.AsObject()) as ImageEncoderFactory
                ?? throw new FormatException("The archive says it holds an image encoder, but describes an encoder of another kind.");
            return new ImageEncoderModel(Parts.Read(content, factory.Create, fill), factory, (float)content[MaximumKey]!,
                (bool?)content[LoadedKey] ?? false);
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException)
        {
            throw new FormatException($"The archive's description of the image encoder is incomplete: {e.Message}", e);
        }
    }

    /// <summary>Announces the modality, also in a process that only loads a saved model.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A process that only loads a model never names this type.")]
    internal static void Register() => EncoderModelReader.Register(ModalityName, Create);

    private protected override ImageBatch ToBatch(ReadOnlySpan<RawRow> rows)
    {
        var shape = _factory.Shape;
        var pixels = empty(rows.Length, shape.Channels, shape.Height, shape.Width, dtype: ScalarType.Byte);
        var target = pixels.bytes;
        for (var i = 0; i < rows.Length; i++)
            rows[i].Pixels.Span.CopyTo(target.Slice(i * shape.Length, shape.Length));
        return new ImageBatch(pixels);
    }
}
