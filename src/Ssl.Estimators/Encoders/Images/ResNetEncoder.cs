using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// A residual network without its classifier (He et al., 2016, arXiv:1512.03385); parameters are named as in torchvision.
/// </summary>
/// <remarks>The stride of a bottleneck is on its 3x3 convolution, as in torchvision (ResNet v1.5), unless the factory says the paper's place.</remarks>
internal sealed class ResNetEncoder : ImageEncoder
{
    [ComponentName(Name = "conv1")]
    private readonly ImageConvolution _stem;

    [ComponentName(Name = "bn1")]
    private readonly BatchNorm _stemNorm;

    [ComponentName(Name = "layer1")]
    private readonly ModuleList<ResNetBlock> _stage1;

    [ComponentName(Name = "layer2")]
    private readonly ModuleList<ResNetBlock> _stage2;

    [ComponentName(Name = "layer3")]
    private readonly ModuleList<ResNetBlock> _stage3;

    [ComponentName(Name = "layer4")]
    private readonly ModuleList<ResNetBlock> _stage4;

    private readonly bool _pools;

    public ResNetEncoder(ResNetEncoderFactory sizes, ImageNormalization normalization, RandomStreams streams)
        : base(nameof(ResNetEncoder), sizes, normalization)
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        _pools = sizes.Stem == ImageStem.Large;
        _stem = new ImageConvolution(sizes.Shape.Channels, sizes.Width, _pools ? 7 : 3, sizes.Stem == ImageStem.Small ? 1 : 2, streams);
        _stemNorm = new BatchNorm(sizes.Width);
        int inputs = sizes.Width;
        _stage1 = Stage(0);
        _stage2 = Stage(1);
        _stage3 = Stage(2);
        _stage4 = Stage(3);
        RegisterComponents();

        ModuleList<ResNetBlock> Stage(int index)
        {
            int width = sizes.Width << index;
            return Initialization.Blocks(sizes.BlocksPerStage[index], i =>
            {
                var block = new ResNetBlock(inputs, width, i == 0 && index > 0 ? 2 : 1, sizes.IsBottleneck, sizes.StridesFirst, streams);
                inputs = block.Outputs;
                return block;
            });
        }
    }

    public override int EmbeddingDimension { get; }

    public override bool TakesAnySize => true;

    // The stem counts with the first block.
    public override IReadOnlyList<string> Blocks => [.. new[] { _stage1, _stage2, _stage3, _stage4 }
        .SelectMany((stage, s) => Enumerable.Range(0, stage.Count).Select(block => $"layer{s + 1}.{block}"))];

    protected override Tensor EncodePixels(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var maps = _stem.Normalized(_stemNorm, pixels).relu_();              // [N, W, H', W']
        if (_pools)
            maps = nn.functional.max_pool2d(maps, 3, 2, 1);
        foreach (var stage in (ModuleList<ResNetBlock>[])[_stage1, _stage2, _stage3, _stage4])
            foreach (var block in stage)
                maps = block.call(maps);
        return maps.mean([2L, 3L]).MoveToOuterDisposeScope();                                       // [N, D]
    }
}

/// <summary>
/// Two 3x3 convolutions, or a 3x3 between two 1x1 ones that is four times narrower than what comes out; added to the input.
/// </summary>
internal sealed class ResNetBlock : nn.Module<Tensor, Tensor>
{
    private const int Expansion = 4;

    [ComponentName(Name = "conv1")]
    private readonly ImageConvolution _first;

    [ComponentName(Name = "bn1")]
    private readonly BatchNorm _firstNorm;

    [ComponentName(Name = "conv2")]
    private readonly ImageConvolution _second;

    [ComponentName(Name = "bn2")]
    private readonly BatchNorm _secondNorm;

    [ComponentName(Name = "conv3")]
    private readonly ImageConvolution? _third;

    [ComponentName(Name = "bn3")]
    private readonly BatchNorm? _thirdNorm;

    [ComponentName(Name = "downsample")]
    private readonly Sequential? _shortcut;

    // Its parts; in a field of their own kind they would be registered twice.
    private readonly (ImageConvolution Convolution, BatchNorm Norm)? _shortcutParts;

    public ResNetBlock(int inputs, int width, int stride, bool isBottleneck, bool stridesFirst, RandomStreams streams)
        : base(nameof(ResNetBlock))
    {
        var (first, second) = !isBottleneck || stridesFirst ? (stride, 1) : (1, stride);
        Outputs = isBottleneck ? Expansion * width : width;
        _first = new ImageConvolution(inputs, width, isBottleneck ? 1 : 3, first, streams);
        _firstNorm = new BatchNorm(width);
        _second = new ImageConvolution(width, width, 3, second, streams);
        _secondNorm = new BatchNorm(width);
        if (isBottleneck)
        {
            _third = new ImageConvolution(width, Outputs, 1, 1, streams);
            _thirdNorm = new BatchNorm(Outputs);
        }
        if (stride != 1 || inputs != Outputs)
        {
            var (convolution, norm) = (new ImageConvolution(inputs, Outputs, 1, stride, streams), new BatchNorm(Outputs));
            _shortcut = nn.Sequential(("0", convolution), ("1", norm));
            _shortcutParts = (convolution, norm);
        }
        RegisterComponents();
    }

    /// <summary>Channels that come out.</summary>
    public int Outputs { get; }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var maps = _first.Normalized(_firstNorm, input).relu_();
        maps = _second.Normalized(_secondNorm, maps);
        if (_third is not null)
            maps = _third.Normalized(_thirdNorm!, maps.relu_());
        var shortcut = _shortcutParts is var (convolution, norm) ? convolution.Normalized(norm, input) : input;
        return maps.add_(shortcut, One).relu_().MoveToOuterDisposeScope();
    }
}
