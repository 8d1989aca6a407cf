using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// BYOL-A's network (Niizumi et al., 2021, arXiv:2103.06695): convolutions over frequencies and time, then two layers over what is left of the
/// bands of each step; mean plus maximum over the steps.
/// </summary>
/// <remarks>
/// N series, C channels (bands), T timestamps, S steps, W maps, D the dimension. What lies behind the end of a series takes no part in the batch
/// normalization, nor in mean and maximum.
/// </remarks>
internal sealed class SpectrogramConvolutionEncoder : TimeSeriesEncoder
{
    [ComponentName(Name = "blocks")]
    private readonly ModuleList<SpectrogramBlock> _blocks;

    [ComponentName(Name = "hidden")]
    private readonly LinearLayer _hidden;

    [ComponentName(Name = "output")]
    private readonly LinearLayer _output;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    public SpectrogramConvolutionEncoder(SpectrogramConvolutionEncoderFactory sizes, SeriesLayout layout, RandomStreams streams)
        : base(nameof(SpectrogramConvolutionEncoder), sizes, layout)
    {
        _blocks = Initialization.Blocks(SpectrogramConvolutionEncoderFactory.NumberOfBlocks, block =>
            new SpectrogramBlock(block == 0 ? 1 : sizes.Width, sizes.Width, streams));
        var bands = layout.Channels / SpectrogramConvolutionEncoderFactory.StepLength;
        _hidden = Initialization.Linear((long)sizes.Width * bands, sizes.EmbeddingDimension, streams.Weights);
        _output = Initialization.Linear(sizes.EmbeddingDimension, sizes.EmbeddingDimension, streams.Weights);
        _dropout = new SeededDropout(sizes.Dropout, streams.Dropout);
        RegisterComponents();
    }

    public override Tensor StepMask(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        return Steps(Whole(batch.Mask)).any(2).MoveToOuterDisposeScope();
    }

    public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
    {
        using var scope = NewDisposeScope();
        var maps = Whole(batch.Values).unsqueeze(1);                                                // [N, 1, C, T]
        if (hidden is not null)
        {
            var places = hidden.repeat_interleave(SpectrogramConvolutionEncoderFactory.StepLength, 1);              // [N, T]
            maps = maps.masked_fill(places.unsqueeze(1).unsqueeze(1), Number(0));
        }
        var inside = batch.HasPadding || batch.Length % SpectrogramConvolutionEncoderFactory.StepLength > 0 ? Whole(batch.Mask) : null;
        foreach (var block in _blocks)
        {
            // Behind the end all is 0, which is no more than anything after ReLU: the maximum does not see it.
            maps = nn.functional.max_pool2d(block.call(maps, inside), [2L, 2L]);
            inside = inside?.view(inside.shape[0], -1, 2).any(2);
        }
        var steps = maps.permute(0, 3, 1, 2).flatten(2);                                            // [N, S, W C / 8]
        steps = _output.call(_dropout.Pass(_hidden.call(steps).relu())).relu();
        return MixedPrecision.Widen(steps).MoveToOuterDisposeScope();                               // [N, S, D]
    }

    private protected override Tensor Summarize(Tensor steps, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var inside = mask.unsqueeze(-1).to(steps.dtype);                                            // [N, S, 1]
        var mean = (steps * inside).sum(1) / inside.sum(1);
        return mean.add(Pool(steps, mask), One).MoveToOuterDisposeScope();
    }

    // Filled up behind the end, so that halves are whole.
    private static Tensor Whole(Tensor values)
    {
        long rest = -values.shape[^1] % SpectrogramConvolutionEncoderFactory.StepLength;
        return rest == 0 ? values : nn.functional.pad(values, [0, SpectrogramConvolutionEncoderFactory.StepLength + rest]);
    }

    private static Tensor Steps(Tensor places) => places.view(places.shape[0], -1, SpectrogramConvolutionEncoderFactory.StepLength);
}

/// <summary>A convolution of side 3, batch normalization and ReLU; 0 outside of the series.</summary>
internal sealed class SpectrogramBlock : nn.Module<Tensor, Tensor?, Tensor>
{
    [ComponentName(Name = "convolution")]
    private readonly ImageConvolution _convolution;

    [ComponentName(Name = "norm")]
    private readonly BatchNorm _norm;

    public SpectrogramBlock(int inputs, int outputs, RandomStreams streams) : base(nameof(SpectrogramBlock))
    {
        _convolution = new ImageConvolution(inputs, outputs, 3, 1, streams);
        _norm = new BatchNorm(outputs);
        RegisterComponents();
    }

    /// <summary>One block.</summary>
    /// <param name="maps">[N, inputs, C, T], 0 outside of the series.</param>
    /// <param name="inside">Bool [N, T]: which lie inside; null for all.</param>
    /// <returns>[N, outputs, C, T].</returns>
    public override Tensor forward(Tensor maps, Tensor? inside)
    {
        using var scope = NewDisposeScope();
        if (inside is null)
            return _convolution.Normalized(_norm, maps).relu().MoveToOuterDisposeScope();
        var points = _convolution.call(maps).permute(0, 2, 3, 1);                                   // [N, C, T, outputs], as they lie
        var places = inside.unsqueeze(1).unsqueeze(-1);
        var real = points.masked_select(places).view(-1, points.shape[3]);                          // [points inside of all series, outputs]
        return zeros_like(points).masked_scatter(places, _norm.call(real).relu()).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}
