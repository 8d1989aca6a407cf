using System.Text.Json.Nodes;
using Ssl.Estimators;
using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace OwnMethod;

/// <summary>The description of an encoder of one's own: what is saved, and what makes the network again.</summary>
public sealed class StridedConvNetFactory : ImageEncoderFactory
{
    private const string Name = "own.strided-convnet";

    /// <summary>An encoder for images of a size.</summary>
    public StridedConvNetFactory(ImageShape shape, int embeddingDimension) : base(shape) => EmbeddingDimension = embeddingDimension;

    /// <summary>Announces the encoder, so that saved models with it can be read. Call it before the first load.</summary>
    public static void Register() => Register(Name, json => WithNormalizationOf(
        new StridedConvNetFactory(ReadShape(json), (int)json["embeddingDimension"]!), json));

    /// <inheritdoc/>
    public override string Kind => Name;

    /// <inheritdoc/>
    public override int EmbeddingDimension { get; }

    /// <inheritdoc/>
    public override bool UsesBatchStatistics => false;

    /// <inheritdoc/>
    public override ImageEncoder Create(RandomStreams streams)
        => new StridedConvNet(Shape, EffectiveNormalization, EmbeddingDimension, streams);

    /// <inheritdoc/>
    protected override void Describe(JsonObject json) => json["embeddingDimension"] = EmbeddingDimension;
}

/// <summary>Two convolutions that skip every other pixel, and the mean over the places.</summary>
internal sealed class StridedConvNet : ImageEncoder
{
    [ComponentName(Name = "first")]
    private readonly Conv2d _first;

    [ComponentName(Name = "second")]
    private readonly Conv2d _second;

    public StridedConvNet(ImageShape shape, ImageNormalization normalization, int embeddingDimension, RandomStreams streams)
        : base("StridedConvNet", shape, normalization)
    {
        EmbeddingDimension = embeddingDimension;
        _first = nn.Conv2d(shape.Channels, embeddingDimension / 2, 3, stride: 2, padding: 1, dtype: ScalarType.Float32);
        _second = nn.Conv2d(embeddingDimension / 2, embeddingDimension, 3, stride: 2, padding: 1, dtype: ScalarType.Float32);
        RegisterComponents();
        // The weights come from the run's stream: the same seed gives the same network.
        using var noGrad = no_grad();
        foreach (var convolution in new[] { _first, _second })
        {
            var inputs = convolution.weight.shape[1] * 9;
            using var drawn = Draws.Normal(convolution.weight.shape, CPU, streams.Weights);
            convolution.weight.copy_(drawn.mul_((float)Math.Sqrt(2.0 / inputs)));
            convolution.bias!.zero_();
        }
    }

    public override int EmbeddingDimension { get; }

    public override bool TakesAnySize => true;

    protected override Tensor EncodePixels(Tensor pixels) => _second.call(_first.call(pixels).relu()).relu().mean([2L, 3L]);
}
