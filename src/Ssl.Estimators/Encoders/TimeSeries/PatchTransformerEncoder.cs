using Ssl.Estimators.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// A transformer over patches of neighbouring timestamps, as PatchTST has it (Nie et al., 2023, arXiv:2211.14730). Deviations: a patch
/// holds all channels, positions are sines, so that any length will do, and norms stand before the blocks.
/// </summary>
/// <remarks>
/// N series, C channels, S patches of L timestamps, D the dimension. Timestamps behind the last whole patch make a padded one.
/// </remarks>
internal sealed class PatchTransformerEncoder : TimeSeriesEncoder
{
    [ComponentName(Name = "input")]
    private readonly Linear _input;

    [ComponentName(Name = "hidden_patch")]
    private readonly Parameter _hiddenPatch;

    [ComponentName(Name = "encoder")]
    private readonly TransformerStack _stack;

    public PatchTransformerEncoder(PatchTransformerEncoderFactory sizes, SeriesLayout layout, RandomStreams streams)
        : base(nameof(PatchTransformerEncoder), sizes, layout)
    {
        PatchLength = sizes.PatchLength;
        PatchSize = layout.Channels * sizes.PatchLength;
        _input = Initialization.Linear(PatchSize, sizes.EmbeddingDimension, streams.Weights);
        _hiddenPatch = nn.Parameter(zeros(sizes.EmbeddingDimension));
        Initialization.Normal(_hiddenPatch, 0.02, streams.Weights);
        _stack = new TransformerStack(sizes.NumberOfLayers, sizes.EmbeddingDimension, sizes.NumberOfHeads, 4 * sizes.EmbeddingDimension,
            sizes.Dropout, streams);
        RegisterComponents();
    }

    /// <summary>L, timestamps of a patch.</summary>
    public int PatchLength { get; }

    /// <summary>Values of a patch, C x L.</summary>
    public int PatchSize { get; }

    public override Tensor StepMask(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        return InPatches(batch.Mask.unsqueeze(1)).any(2).MoveToOuterDisposeScope();
    }

    public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
    {
        using var scope = NewDisposeScope();
        var steps = _input.call(Patches(batch));                                                    // [N, S, D]
        if (hidden is not null)
            steps = where(hidden.unsqueeze(-1), _hiddenPatch.to(steps.dtype), steps);
        steps = steps + Positions(steps.shape[1], steps.shape[2], steps.device);
        return _stack.call(steps, StepMask(batch)).MoveToOuterDisposeScope();
    }

    /// <summary>The values of every patch, channel by channel: [N, S, C x L].</summary>
    public Tensor Patches(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        return InPatches(batch.Values).MoveToOuterDisposeScope();
    }

    /// <summary>Which of them were observed: bool [N, S, C x L], the same for every channel.</summary>
    public Tensor ObservedInPatches(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        return InPatches(batch.Observed.unsqueeze(1).expand(-1, batch.Values.shape[1], -1)).MoveToOuterDisposeScope();
    }

    // [N, C, T] to [N, S, C x L]; zeros fill the last patch.
    private Tensor InPatches(Tensor values)
    {
        long n = values.shape[0], channels = values.shape[1], length = values.shape[2];
        long steps = (length + PatchLength - 1) / PatchLength, missing = steps * PatchLength - length;
        if (missing > 0)
            values = cat([values, zeros([n, channels, missing], dtype: values.dtype, device: values.device)], 2);
        return values.reshape(n, channels, steps, PatchLength).transpose(1, 2).reshape(n, steps, channels * PatchLength);
    }

    // Sines and cosines of Vaswani et al., 2017: [S, D].
    private static Tensor Positions(long steps, long dimension, Device device)
    {
        using var scope = NewDisposeScope();
        long pairs = (dimension + 1) / 2;
        var rates = arange(pairs, dtype: ScalarType.Float32, device: device).mul(-2 * Math.Log(10_000) / dimension).exp();
        var angles = arange(steps, dtype: ScalarType.Float32, device: device).unsqueeze(1) * rates;             // [S, pairs]
        return cat([angles.sin(), angles.cos()], 1).narrow(1, 0, dimension).MoveToOuterDisposeScope();
    }
}
