using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// TS2Vec's network: residual blocks of convolutions whose dilation doubles from block to block, so that every timestamp sees far to both
/// sides (Yue et al., 2022, arXiv:2106.10466).
/// </summary>
/// <remarks>
/// N series, T timestamps, H hidden width. A convolution of three taps is one matrix product over three shifted copies. Weights and biases
/// start as PyTorch's: without biases a network of one channel could only scale it.
/// </remarks>
internal sealed class DilatedConvolutionEncoder : TimeSeriesEncoder
{
    [ComponentName(Name = "input")]
    private readonly LinearLayer _input;

    [ComponentName(Name = "blocks")]
    private readonly ModuleList<DilatedBlock> _blocks;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    public DilatedConvolutionEncoder(DilatedConvolutionEncoderFactory sizes, SeriesLayout layout, RandomStreams streams)
        : base(nameof(DilatedConvolutionEncoder), sizes, layout)
    {
        _input = Initialization.UniformLinear(layout.Channels, sizes.HiddenDimension, streams.Weights);
        _blocks = Initialization.Blocks(sizes.Depth + 1, i => new DilatedBlock(sizes.HiddenDimension,
            i == sizes.Depth ? sizes.EmbeddingDimension : sizes.HiddenDimension, 1L << i, isLast: i == sizes.Depth, streams));
        _dropout = new SeededDropout(sizes.Dropout, streams.Dropout);
        RegisterComponents();
    }

    public override Tensor StepMask(SeriesBatch batch) => batch.Mask.alias();

    public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
    {
        using var scope = NewDisposeScope();
        var seen = hidden is null ? batch.Observed : batch.Observed.logical_and(hidden.logical_not());
        var steps = _input.Exact(batch.Values.transpose(1, 2)).masked_fill(seen.logical_not().unsqueeze(-1), Number(0)); // [N, T, H]
        steps = MixedPrecision.Round(steps);
        var inside = batch.Mask.unsqueeze(-1).to(steps.dtype);                                      // [N, T, 1]
        foreach (var block in _blocks)
            steps = block.call(steps, inside);
        return MixedPrecision.Widen(_dropout.call(steps)).MoveToOuterDisposeScope();
    }
}

/// <summary>Two dilated convolutions, each behind a GELU, added to their input.</summary>
internal sealed class DilatedBlock : nn.Module<Tensor, Tensor, Tensor>
{
    private const int Taps = 3;

    [ComponentName(Name = "conv1")]
    private readonly LinearLayer _first;

    [ComponentName(Name = "conv2")]
    private readonly LinearLayer _second;

    // As TS2Vec has it, the last block projects even where the widths are equal.
    [ComponentName(Name = "projector")]
    private readonly LinearLayer? _projector;

    private readonly long _dilation;

    public DilatedBlock(int inputs, int outputs, long dilation, bool isLast, RandomStreams streams) : base(nameof(DilatedBlock))
    {
        _dilation = dilation;
        _first = Initialization.UniformLinear(Taps * inputs, outputs, streams.Weights);
        _second = Initialization.UniformLinear(Taps * outputs, outputs, streams.Weights);
        _projector = isLast || inputs != outputs ? Initialization.UniformLinear(inputs, outputs, streams.Weights) : null;
        RegisterComponents();
    }

    /// <summary>One block.</summary>
    /// <param name="steps">[N, T, inputs].</param>
    /// <param name="inside">1 inside the series, 0 in the padding: [N, T, 1].</param>
    /// <returns>[N, T, outputs].</returns>
    public override Tensor forward(Tensor steps, Tensor inside)
    {
        using var scope = NewDisposeScope();
        var residual = _projector is null ? steps : _projector.call(steps);
        var hidden = _first.call(Neighbors(nn.functional.gelu(steps) * inside));
        hidden = _second.call(Neighbors(nn.functional.gelu(hidden) * inside));
        return hidden.add(residual, One).MoveToOuterDisposeScope();
    }

    // Every timestamp beside those a dilation before and behind it, zeros beyond the ends: [N, T, 3 x width].
    private Tensor Neighbors(Tensor steps)
    {
        long length = steps.shape[1];
        if (_dilation >= length)
        {
            var none = zeros_like(steps);
            return cat([none, steps, none], -1);
        }
        var edge = zeros([steps.shape[0], _dilation, steps.shape[2]], dtype: steps.dtype, device: steps.device);
        var before = cat([edge, steps.narrow(1, 0, length - _dilation)], 1);
        var behind = cat([steps.narrow(1, _dilation, length - _dilation), edge], 1);
        return cat([before, steps, behind], -1);
    }
}
