using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// wav2vec 2.0's network (Baevski et al., 2020, arXiv:2006.11477): convolutions turn the samples themselves into a latent vector every so many, and a
/// transformer looks at all of them.
/// </summary>
/// <remarks>
/// N sounds, C channels, T samples, S steps, W the width of the convolutions, D the dimension. The convolutions are those of the paper's large form,
/// with a layer norm behind each. Deviations: positions are sines instead of a wide convolution, and layer norms stand before the blocks.
/// </remarks>
internal sealed class SoundTransformerEncoder : TimeSeriesEncoder
{
    [ComponentName(Name = "convolutions")]
    private readonly ModuleList<SoundConvolution> _convolutions;

    [ComponentName(Name = "norm")]
    private readonly LayerNormalization _norm;

    [ComponentName(Name = "input")]
    private readonly LinearLayer _input;

    [ComponentName(Name = "hidden_step")]
    private readonly Parameter _hiddenStep;

    [ComponentName(Name = "encoder")]
    private readonly TransformerStack _stack;

    public SoundTransformerEncoder(SoundTransformerEncoderFactory sizes, SeriesLayout layout, RandomStreams streams)
        : base(nameof(SoundTransformerEncoder), sizes, layout)
    {
        LatentDimension = sizes.ConvolutionWidth;
        _convolutions = Initialization.Blocks(sizes.NumberOfConvolutions, i => new SoundConvolution(i == 0 ? layout.Channels : sizes.ConvolutionWidth,
            sizes.ConvolutionWidth, i, streams));
        _norm = Initialization.Norm(sizes.ConvolutionWidth);
        _input = Initialization.Linear(sizes.ConvolutionWidth, sizes.EmbeddingDimension, streams.Weights);
        _hiddenStep = Initialization.Weights(sizes.EmbeddingDimension);
        Initialization.Normal(_hiddenStep, 0.02, streams.Weights);
        _stack = new TransformerStack(sizes.NumberOfLayers, sizes.EmbeddingDimension, sizes.NumberOfHeads, 4 * sizes.EmbeddingDimension, sizes.Dropout, streams);
        RegisterComponents();
    }

    /// <summary>W, the length of a latent vector.</summary>
    public int LatentDimension { get; }

    public override Tensor StepMask(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        var inside = batch.Mask;
        foreach (var convolution in _convolutions)
            inside = convolution.Inside(inside);
        return inside.alias().MoveToOuterDisposeScope();
    }

    public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
    {
        using var scope = NewDisposeScope();
        return EncodeLatents(Latents(batch), StepMask(batch), hidden).MoveToOuterDisposeScope();
    }

    /// <summary>What the convolutions make of the samples, normalized: [N, S, W]. A step's vector depends on a stretch around it alone.</summary>
    public Tensor Latents(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        var (steps, inside) = (MixedPrecision.Round(batch.Values.transpose(1, 2)), batch.Mask);        // [N, T, C]
        foreach (var convolution in _convolutions)
        {
            inside = convolution.Inside(inside);
            steps = convolution.call(steps) * inside.unsqueeze(-1).to(steps.dtype);
        }
        return MixedPrecision.Widen(_norm.call(steps)).MoveToOuterDisposeScope();
    }

    /// <summary>What the transformer makes of latent vectors: [N, S, D].</summary>
    /// <param name="latents">Of <see cref="Latents"/>.</param>
    /// <param name="mask">Bool [N, S]: the steps inside the sounds.</param>
    /// <param name="hidden">Bool [N, S]: steps that are kept from it; <see langword="null"/> hides none.</param>
    public Tensor EncodeLatents(Tensor latents, Tensor mask, Tensor? hidden)
    {
        using var scope = NewDisposeScope();
        var steps = _input.Exact(latents);
        if (hidden is not null)
            steps = where(hidden.unsqueeze(-1), _hiddenStep.to(steps.dtype), steps);
        steps = steps.add(SinePositions.Of(steps.shape[1], steps.shape[2], steps.device), One);
        return _stack.call(steps, mask).MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution over time with a stride, a layer norm over the channels and a GELU.</summary>
internal sealed class SoundConvolution : nn.Module<Tensor, Tensor>
{
    /// <summary>The stride of the first; that of the others is 2.</summary>
    public const int FirstStride = 5;

    // wav2vec 2.0's: 10, then 3 four times, then 2.
    private const int FirstKernel = 10, FrontKernel = 3, BackKernel = 2, LastFront = 4;

    [ComponentName(Name = "linear")]
    private readonly LinearLayer _linear;

    [ComponentName(Name = "norm")]
    private readonly LayerNormalization _norm;

    private readonly int _kernel, _stride;

    public SoundConvolution(int inputs, int outputs, int index, RandomStreams streams) : base(nameof(SoundConvolution))
    {
        (_kernel, _stride) = index == 0 ? (FirstKernel, FirstStride) : (index <= LastFront ? FrontKernel : BackKernel, 2);
        _linear = Initialization.UniformLinear((long)inputs * _kernel, outputs, streams.Weights);
        _norm = Initialization.Norm(outputs);
        RegisterComponents();
    }

    /// <summary>Which steps lie inside, of those that were: [N, T] to [N, T / stride], rounded up.</summary>
    public Tensor Inside(Tensor inside)
    {
        using var scope = NewDisposeScope();
        long rest = -inside.shape[1] % _stride;
        if (rest != 0)
            inside = cat([inside, zeros(inside.shape[0], _stride + rest, dtype: ScalarType.Bool, device: inside.device)], 1);
        return inside.view(inside.shape[0], -1, _stride).any(2).MoveToOuterDisposeScope();
    }

    /// <summary>One layer.</summary>
    /// <param name="steps">[N, T, inputs], 0 outside of the sound; zeros follow the last.</param>
    /// <returns>[N, T / stride, outputs], rounded up.</returns>
    public override Tensor forward(Tensor steps)
    {
        using var scope = NewDisposeScope();
        long count = (steps.shape[1] + _stride - 1) / _stride, missing = (count - 1) * _stride + _kernel - steps.shape[1];
        if (missing > 0)
            steps = cat([steps, zeros([steps.shape[0], missing, steps.shape[2]], dtype: steps.dtype, device: steps.device)], 1);
        var windows = steps.unfold(1, _kernel, _stride).flatten(2);                                 // [N, T / stride, inputs x kernel]
        return nn.functional.gelu(_norm.call(_linear.call(windows))).MoveToOuterDisposeScope();
    }
}
