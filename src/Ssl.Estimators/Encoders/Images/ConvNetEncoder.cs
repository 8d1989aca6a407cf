using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Stages of 3x3 convolutions with batch normalization, each half as large and twice as wide as the one before.</summary>
internal sealed class ConvNetEncoder : ImageEncoder
{
    [ComponentName(Name = "stages")]
    private readonly ModuleList<ConvNetStage> _stages;

    public ConvNetEncoder(ConvNetEncoderFactory sizes, ImageNormalization normalization, RandomStreams streams)
        : base(nameof(ConvNetEncoder), sizes, normalization)
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        _stages = Initialization.Blocks(sizes.NumberOfStages, i =>
            new ConvNetStage(i == 0 ? sizes.Shape.Channels : sizes.Width << (i - 1), sizes.Width << i, streams));
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    public override bool TakesAnySize => true;

    protected override Tensor EncodePixels(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var maps = pixels;
        foreach (var stage in _stages)
            maps = stage.call(maps);
        return maps.mean([2L, 3L]).MoveToOuterDisposeScope();                                       // [N, D]
    }
}

/// <summary>A convolution of stride 2 and one of stride 1, the second added to its input.</summary>
internal sealed class ConvNetStage : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "down")]
    private readonly ImageConvolution _down;

    [ComponentName(Name = "down_norm")]
    private readonly BatchNorm _downNorm;

    [ComponentName(Name = "refine")]
    private readonly ImageConvolution _refine;

    [ComponentName(Name = "refine_norm")]
    private readonly BatchNorm _refineNorm;

    public ConvNetStage(int inputs, int outputs, RandomStreams streams) : base(nameof(ConvNetStage))
    {
        _down = new ImageConvolution(inputs, outputs, 3, 2, streams);
        _downNorm = new BatchNorm(outputs);
        _refine = new ImageConvolution(outputs, outputs, 3, 1, streams);
        _refineNorm = new BatchNorm(outputs);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var maps = _downNorm.call(_down.call(input)).relu_();                                       // [N, C, H / 2, W / 2]
        return _refineNorm.call(_refine.call(maps)).add_(maps, One).relu_().MoveToOuterDisposeScope();
    }
}
