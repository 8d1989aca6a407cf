using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A network of the user's; made by <see cref="ImageEncoders.OfModule"/>.</summary>
internal sealed class ModuleEncoderFactory : ImageEncoderFactory
{
    private readonly Func<nn.Module<Tensor, Tensor>> _create;

    public ModuleEncoderFactory(string kind, ImageShape shape, int embeddingDimension, Func<nn.Module<Tensor, Tensor>> create) : base(shape)
    {
        ArgumentNullException.ThrowIfNull(create);
        new OptionFaults()
            .NotEmpty(kind)
            .AtLeast(embeddingDimension, 1)
            .ThrowIfAny();
        (Kind, EmbeddingDimension, _create) = (kind, embeddingDimension, create);
        Register(kind, json => WithNormalizationOf(new ModuleEncoderFactory(kind, ReadShape(json), embeddingDimension, create), json));
    }

    public override string Kind { get; }

    public override int EmbeddingDimension { get; }

    public override ImageEncoder Create(RandomStreams streams)
        => new ModuleEncoder(this, EffectiveNormalization, _create());

    protected override void Describe(JsonObject json)
    {
        // The kind says all: the sizes are the user's own.
    }
}

/// <summary>A network of the user's as an encoder.</summary>
internal sealed class ModuleEncoder : ImageEncoder
{
    [ComponentName(Name = "module")]
    private readonly nn.Module<Tensor, Tensor> _module;

    public ModuleEncoder(ModuleEncoderFactory factory, ImageNormalization normalization, nn.Module<Tensor, Tensor> module)
        : base(factory.Kind, factory, normalization)
    {
        _module = module;
        EmbeddingDimension = factory.EmbeddingDimension;
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    public override bool TakesAnySize => true;

    protected override Tensor EncodePixels(Tensor pixels)
    {
        var output = _module.call(pixels);
        if (output.dim() == 2 && output.shape[1] == EmbeddingDimension)
            return output;
        throw new InvalidOperationException($"The module of encoder '{GetName()}' must give [N, {EmbeddingDimension}], got "
            + $"[{string.Join(", ", output.shape)}]. Flatten or pool its output, or state its length as embeddingDimension.");
    }
}
