using System.Runtime.InteropServices;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
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
/// last step, not their running mean, since the learning rate ends at 0; series longer than <see cref="MaximumCropLength"/> are cut to
/// a random stretch of that length in every step. N series, T timestamps, M timestamps of the overlap, D the dimension.
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
    /// <param name="streams">Stretches come from <see cref="RandomStreams.Views"/>, hidden timestamps from <see cref="RandomStreams.Masks"/>.</param>
    /// <param name="maskRatio">Share of the timestamps hidden from the encoder. From 0 to less than 1.</param>
    /// <param name="instanceWeight">Weight of the comparison with other series, from 0 to 1; the rest is that with other timestamps.</param>
    /// <param name="maximumCropLength">Timestamps of a series that a step looks at, at most. At least 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range, or the encoder's steps are patches.</exception>
    public Ts2Vec(TimeSeriesEncoder encoder, RandomStreams streams, double maskRatio = 0.5, double instanceWeight = 0.5,
        int maximumCropLength = 512) : base(nameof(Ts2Vec), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .InHalfOpenRange(maskRatio, 0, 1)
            .InRange(instanceWeight, 0, 1)
            .AtLeast(maximumCropLength, LeastOverlap)
            .ThrowIfAny();
        if (encoder is PatchTransformerEncoder)
        {
            throw new ArgumentOutOfRangeException(nameof(encoder), "Ts2Vec compares timestamps and needs an encoder with a vector for each, "
                + "got one of patches. Use TimeSeriesEncoders.DilatedConvolution or an encoder of your own.");
        }
        (_encoder, _streams, _maskRatio, _instanceWeight, MaximumCropLength) = (encoder, streams, maskRatio, instanceWeight, maximumCropLength);
        RegisterComponents();
    }

    /// <summary>Timestamps of a series that a step looks at, at most.</summary>
    public int MaximumCropLength { get; }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var series = SeriesColumn.Of(columns);
        var crop = DrawCrop(series.Length, MaximumCropLength, series.Values.device, _streams.Views);
        var offsets = Offsets(series, crop);                                                        // [N, 1]
        var overlap = (int)(crop.Right - crop.Left);
        var first = Encode(series, offsets, crop.OuterLeft, crop.Right).narrow(1, crop.Left - crop.OuterLeft, overlap);     // [N, M, D]
        var second = Encode(series, offsets, crop.Left, crop.OuterRight).narrow(1, 0, overlap);
        var loss = HierarchicalContrastiveLoss.Compute(first, second, _instanceWeight);
        return new StepLoss(loss, [("overlap", tensor((float)overlap))], first.detach().amax(1));
    }

    /// <summary>Two stretches of a window and their overlap, all as places in the window.</summary>
    /// <param name="Start">Where the window begins.</param>
    /// <param name="Length">Timestamps of the window.</param>
    /// <param name="OuterLeft">Where the first stretch begins; it ends with the overlap.</param>
    /// <param name="Left">Where the overlap and the second stretch begin.</param>
    /// <param name="Right">The place behind the overlap and the first stretch.</param>
    /// <param name="OuterRight">The place behind the second stretch.</param>
    internal readonly record struct Crop(long Start, long Length, long OuterLeft, long Left, long Right, long OuterRight);

    /// <summary>Draws the stretches of a step, the same for all series of the batch.</summary>
    internal static Crop DrawCrop(long length, int maximum, Device device, Generator generator)
    {
        using var scope = NewDisposeScope();
        var draws = MemoryMarshal.Cast<byte, float>(rand(5, device: device, generator: generator).cpu().bytes).ToArray();
        long window = Math.Min(length, maximum);
        long start = Below(draws[0], length - window + 1);
        long least = Math.Min(LeastOverlap, window);
        long overlap = least + Below(draws[1], window - least + 1);
        long left = Below(draws[2], window - overlap + 1), right = left + overlap;
        return new Crop(start, window, Below(draws[3], left + 1), left, right, right + Below(draws[4], window - right + 1));
    }

    // A whole number from 0 to less than the limit.
    private static long Below(float draw, long limit) => Math.Min((long)(draw * limit), limit - 1);

    // Every series is moved against the others, as far as both stretches stay inside the window: [N, 1].
    private Tensor Offsets(SeriesBatch series, Crop crop)
    {
        long room = crop.Length - crop.OuterRight + crop.OuterLeft + 1;
        return rand([series.Count, 1], device: series.Values.device, generator: _streams.Views).mul(room).floor()
            .to(ScalarType.Int64).clamp_max(room - 1).add(crop.Start - crop.OuterLeft);
    }

    private Tensor Encode(SeriesBatch series, Tensor offsets, long left, long right)
    {
        var places = offsets + arange(left, right, dtype: ScalarType.Int64, device: offsets.device).unsqueeze(0);           // [N, length]
        var hidden = _maskRatio == 0 ? null
            : rand(places.shape, device: places.device, generator: _streams.Masks).lt(_maskRatio);
        return _encoder.EncodeSteps(series.Take(places), hidden);
    }
}
