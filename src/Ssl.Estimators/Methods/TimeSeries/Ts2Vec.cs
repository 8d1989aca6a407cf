using System.Runtime.InteropServices;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// Two overlapping stretches of a series, each with some timestamps hidden, shall be encoded alike where they overlap, timestamp by
/// timestamp and on every coarser scale.
/// </summary>
/// <remarks>
/// <para>
/// Yue et al., "TS2Vec: Towards Universal Representation of Time Series", 2022 (arXiv:2106.10466). Deviations: the weights are those of the
/// last step, not their running mean, since the learning rate ends at 0; a step looks at <see cref="MaximumCropLength"/> timestamps of a
/// series at most; stretches stay inside their series where they fit, and what reaches beyond its end does not count. N series,
/// T timestamps, M timestamps of the overlap, D the dimension.
/// </para>
/// </remarks>
public sealed class Ts2Vec : PretrainingMethod
{
    // The shortest overlap has two timestamps, so that there is something to tell apart.
    private const int LeastOverlap = 2;

    [ComponentName(Name = "encoder")]
    private readonly TimeSeriesEncoder _encoder;

    private readonly RandomStreams _streams;
    private readonly double _maskRatio;
    private readonly double _instanceWeight;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">With one step a timestamp, as <see cref="TimeSeriesEncoders.DilatedConvolution"/>.</param>
    /// <param name="streams">Stretches come from <see cref="RandomStreams.Views"/>, hidden timestamps from
    /// <see cref="RandomStreams.Masks"/>.</param>
    /// <param name="maskRatio">Share of the timestamps hidden from the encoder. From 0 to less than 1.</param>
    /// <param name="instanceWeight">Weight of the comparison with other series, from 0 to 1; the rest is that with other
    /// timestamps.</param>
    /// <param name="maximumCropLength">Timestamps of a series that a step looks at, at most. At least 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range, or the encoder's steps are longer than a timestamp.</exception>
    public Ts2Vec(TimeSeriesEncoder encoder, RandomStreams streams, double maskRatio = 0.5, double instanceWeight = 0.5,
        int maximumCropLength = 512) : base(nameof(Ts2Vec), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .InHalfOpenRange(maskRatio, 0, 1)
            .InRange(instanceWeight, 0, 1)
            .AtLeast(maximumCropLength, LeastOverlap)
            .ThrowIfAny();
        if (!encoder.EncodesTimestamps)
        {
            throw new ArgumentOutOfRangeException(nameof(encoder),
                "Ts2Vec compares timestamps and needs an encoder with a vector for each, "
                + "got one of longer steps. Use TimeSeriesEncoders.DilatedConvolution or an encoder of your own.");
        }
        (_encoder, _streams, _maskRatio, _instanceWeight, MaximumCropLength) = (encoder, streams, maskRatio, instanceWeight,
            maximumCropLength);
        RegisterComponents();
    }

    /// <summary>Timestamps of a series that a step looks at, at most.</summary>
    public int MaximumCropLength { get; }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var series = SeriesColumn.Of(columns);
        var crop = DrawCrop(Math.Min(series.Length, MaximumCropLength), series.Values.device, _streams.Views);
        var starts = Starts(series.Mask, crop.OuterRight - crop.OuterLeft, _streams.Views);         // [N, 1]
        int before = (int)(crop.Left - crop.OuterLeft), overlap = (int)(crop.Right - crop.Left);
        var wholeFirst = Encode(series, starts, before + overlap);
        var wholeSecond = Encode(series, starts.add(Number(before), One), (int)(crop.OuterRight - crop.Left));
        var first = wholeFirst.narrow(1, before, overlap);                                          // [N, M, D]
        var second = wholeSecond.narrow(1, 0, overlap);
        var inside = series.Mask.gather(1, starts.add(Number(before), One).add(arange(Number(0), Number(overlap), One, dtype: ScalarType.Int64, device: starts.device), One)); // [N, M]
        var loss = HierarchicalContrastiveLoss.Compute(first, second, _instanceWeight, inside.all().cpu().item<bool>() ? null : inside);
        return new StepLoss(loss, [("overlap", tensor((float)overlap))], TimeSeriesEncoder.Pool(first.detach(), inside));
    }

    /// <summary>Two stretches of a window and their overlap, all as places in the window.</summary>
    /// <param name="OuterLeft">Where the first stretch begins; it ends with the overlap.</param>
    /// <param name="Left">Where the overlap and the second stretch begin.</param>
    /// <param name="Right">The place behind the overlap and the first stretch.</param>
    /// <param name="OuterRight">The place behind the second stretch.</param>
    internal readonly record struct Crop(long OuterLeft, long Left, long Right, long OuterRight);

    /// <summary>Draws the stretches of a step, the same for all series of the batch.</summary>
    internal static Crop DrawCrop(long window, Device device, Generator generator)
    {
        using var scope = NewDisposeScope();
        var draws = MemoryMarshal.Cast<byte, float>(Draws.Uniform([4], device, generator).cpu().bytes).ToArray();
        long least = Math.Min(LeastOverlap, window);
        long overlap = least + Below(draws[0], window - least + 1);
        long left = Below(draws[1], window - overlap + 1), right = left + overlap;
        return new Crop(Below(draws[2], left + 1), left, right, right + Below(draws[3], window - right + 1));
    }

    // A whole number from 0 to less than the limit.
    private static long Below(float draw, long limit) => Math.Min((long)(draw * limit), limit - 1);

    /// <summary>Where both stretches together begin in every series: inside it wherever they fit, else at its start. [N, 1].</summary>
    /// <param name="mask">Bool [N, T], true up to the end of the series.</param>
    /// <param name="span">Timestamps of both stretches together, at most T.</param>
    /// <param name="generator">On the device of the mask.</param>
    internal static Tensor Starts(Tensor mask, long span, Generator generator)
    {
        using var scope = NewDisposeScope();
        var choices = mask.sum(1, keepdim: true).sub(Number(span - 1)).clamp_min(Number(1));        // [N, 1]
        var draws = Draws.Uniform(choices.shape, mask.device, generator).mul(choices).floor().to(ScalarType.Int64);
        return torch.minimum(draws, choices - Number(1)).MoveToOuterDisposeScope();
    }

    private Tensor Encode(SeriesBatch series, Tensor starts, int length)
    {
        var places = starts.add(arange(Number(0), Number(length), One, dtype: ScalarType.Int64, device: starts.device), One); // [N, length]
        var hidden = _maskRatio == 0 ? null
            : Draws.Uniform(places.shape, places.device, _streams.Masks).lt(Number(_maskRatio));
        return _encoder.EncodeSteps(series.Take(places), hidden);
    }
}
