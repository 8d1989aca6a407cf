using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// TS-TCC's network: blocks of a convolution, batch normalization and ReLU, each behind a maximum over pairs of neighbors and twice as
/// wide as the one before (Eldele et al., 2021, arXiv:2106.14112; the network is that of Wang et al., 2017, arXiv:1611.06455).
/// </summary>
/// <remarks>
/// N series, C channels, T timestamps, S steps, D the dimension. Deviations: a convolution gives as many steps as it gets, and what lies
/// behind the end of a series takes no part in the batch normalization.
/// </remarks>
internal sealed class PooledConvolutionEncoder : TimeSeriesEncoder
{
    [ComponentName(Name = "blocks")]
    private readonly ModuleList<PooledConvolutionBlock> _blocks;

    [ComponentName(Name = "dropout")]
    private readonly SeededDropout _dropout;

    private readonly int _stepLength;

    public PooledConvolutionEncoder(PooledConvolutionEncoderFactory sizes, SeriesLayout layout, RandomStreams streams)
        : base(nameof(PooledConvolutionEncoder), sizes, layout)
    {
        _stepLength = sizes.StepLength;
        int Width(int block) => Math.Max(1, sizes.EmbeddingDimension >> (sizes.NumberOfBlocks - 1 - block));
        _blocks = Initialization.Blocks(sizes.NumberOfBlocks, block =>
            new PooledConvolutionBlock(block == 0 ? layout.Channels : Width(block - 1), Width(block), sizes.KernelSize, streams));
        _dropout = new SeededDropout(sizes.Dropout, streams.Dropout);
        RegisterComponents();
    }

    public override Tensor StepMask(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        var inside = batch.Mask;
        for (var length = 1; length < _stepLength; length *= 2)
            inside = Pairs(inside.unsqueeze(-1)).any(2).squeeze(-1);
        return inside.MoveToOuterDisposeScope();
    }

    public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
    {
        using var scope = NewDisposeScope();
        var inside = batch.Mask.unsqueeze(-1);                                                      // [N, T, 1]
        var steps = batch.Values.transpose(1, 2);                                                   // [N, T, C]
        if (hidden is not null)
        {
            var places = hidden.repeat_interleave(_stepLength, 1).narrow(1, 0, steps.shape[1]);     // [N, T]
            steps = steps.masked_fill(places.unsqueeze(-1), Number(0));
        }
        foreach (var (index, block) in _blocks.Index())
        {
            // Behind the end all is 0, which is no more than any step after ReLU: the maximum does not see it.
            steps = Pairs(block.call(steps, inside)).amax(2);
            inside = Pairs(inside).any(2);
            if (index == 0)
                steps = _dropout.call(steps);
        }
        return MixedPrecision.Widen(steps).MoveToOuterDisposeScope();
    }

    // Neighbors two by two, zeros behind the last where there is an odd one: [N, T, D] to [N, T / 2, 2, D].
    private static Tensor Pairs(Tensor steps)
    {
        if (steps.shape[1] % 2 == 1)
            steps = cat([steps, zeros_like(steps.narrow(1, 0, 1))], 1);
        return steps.reshape(steps.shape[0], -1, 2, steps.shape[2]);
    }
}

/// <summary>A convolution without bias, batch normalization and ReLU; 0 outside of the series.</summary>
internal sealed class PooledConvolutionBlock : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "norm")]
    private readonly BatchNorm _norm;

    private readonly long[] _edges;

    public PooledConvolutionBlock(int inputs, int outputs, int kernelSize, RandomStreams streams) : base(nameof(PooledConvolutionBlock))
    {
        _edges = [0, 0, kernelSize / 2, (kernelSize - 1) / 2];
        _weight = Initialization.Weights(outputs, inputs, kernelSize);
        Initialization.Uniform(_weight, 1 / Math.Sqrt((double)inputs * kernelSize), streams.Weights);
        _norm = new BatchNorm(outputs);
        RegisterComponents();
    }

    /// <summary>One block.</summary>
    /// <param name="steps">[N, T, inputs], 0 outside of the series.</param>
    /// <param name="inside">Bool [N, T, 1]: which lie inside.</param>
    /// <returns>[N, T, outputs].</returns>
    public override Tensor forward(Tensor steps, Tensor inside)
    {
        using var scope = NewDisposeScope();
        var line = MemoryLayout.ChannelsLast(nn.functional.pad(steps, _edges).unsqueeze(1).permute(0, 3, 1, 2));    // [N, inputs, 1, T + kernel - 1]
        var maps = nn.functional.conv2d(MixedPrecision.Round(line), MixedPrecision.Round(MemoryLayout.ChannelsLast(_weight.unsqueeze(2)))).permute(0, 2, 3, 1).squeeze(1);
        var real = maps.masked_select(inside).view(-1, maps.shape[2]);                              // [timestamps of all series, outputs]
        return zeros_like(maps).masked_scatter(inside, _norm.call(real).relu()).MoveToOuterDisposeScope();
    }
}
