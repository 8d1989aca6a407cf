using System.Runtime.InteropServices;
using Microsoft.ML;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on time series with TS2Vec: two overlapping stretches of a series are encoded alike where they overlap, on every scale.
/// </summary>
/// <remarks>
/// Yue et al., "TS2Vec: Towards Universal Representation of Time Series", 2022 (arXiv:2106.10466): hierarchical contrast between series
/// and between timestamps, with hidden timestamps and random crops as the views. Deviations: the weights are those of the last step,
/// not their running mean, since the learning rate ends at 0; a step looks at <see cref="Options.MaximumCropLength"/> timestamps of a
/// series at
/// most; stretches stay inside their series where they fit, and what reaches beyond its end does not count. N series, T timestamps, M
/// timestamps of the overlap, D the dimension.
/// </remarks>
/// <seealso cref="TemporalContextualContrastTrainer"/>
public sealed class Ts2VecTrainer : TimeSeriesPretrainingTrainer
{
    internal Ts2VecTrainer(MLContext mlContext, Options options) : base(mlContext, options, TimeSeriesEncoders.DilatedConvolution(),
        needsPatches: false)
    {
    }

    /// <summary>Settings of <see cref="Ts2VecTrainer"/>.</summary>
    public sealed class Options() : TimeSeriesPretrainingOptions(batchSize: 8, numberOfEpochs: 20, learningRate: 1e-3)
    {
        /// <summary>Share of the timestamps hidden from the encoder in training. In [0, 1).</summary>
        /// <value>The default value is 0.5.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.5f;

        /// <summary>Weight of the comparison with other series; the rest is that with other timestamps. In [0, 1].</summary>
        /// <value>The default value is 0.5.</value>
        [OptionRange(Minimum = 0, Maximum = 1)]
        public float InstanceWeight { get; set; } = 0.5f;

        /// <summary>
        /// Timestamps of a series that a training step looks at, at most: bounds memory, which grows with its square. At least 2.
        /// </summary>
        /// <value>The default value is 512.</value>
        [OptionRange(Minimum = 2)]
        public int MaximumCropLength { get; set; } = 512;

        /// <summary>
        /// Series that the encoder embeds at once in training, where a step has more: its loss still compares all of them, in the memory of so many (and of what
        /// is compared), for about half as much time again; the statistics of batch normalization are those of so many. Null embeds all of a step at once. At least 1.
        /// </summary>
        /// <remarks>
        /// Gradient caching: Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021 (arXiv:2101.06983).
        /// </remarks>
        /// <value>The default value is null.</value>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <inheritdoc/>
        protected internal override int MinimumBatchSize => 2;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Two overlapping stretches of a series, each with some timestamps hidden, shall be encoded alike where they overlap, timestamp by
    // timestamp and on every coarser scale.
    internal sealed class Method : PretrainingMethod
    {
        // The shortest overlap has two timestamps, so that there is something to tell apart.
        private const int LeastOverlap = 2;

        [ComponentName(Name = "encoder")]
        private readonly TimeSeriesEncoder _encoder;

        private readonly RandomStreams _streams;
        private readonly Options _options;

        public Method(TimeSeriesEncoder encoder, RandomStreams streams, Options options) : base("Ts2Vec", encoder)
        {
            _options = options;
            if (!encoder.EncodesTimestamps)
            {
                throw new ArgumentOutOfRangeException(nameof(encoder),
                    "Ts2Vec compares timestamps and needs an encoder with a vector for each, "
                    + "got one of longer steps. Use TimeSeriesEncoders.DilatedConvolution or an encoder of your own.");
            }
            (_encoder, _streams) = (encoder, streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var series = Column<SeriesBatch>(columns);
            var crop = DrawCrop(Math.Min(series.Length, _options.MaximumCropLength), _streams.Views);
            var starts = Starts(series.Mask, crop.OuterRight - crop.OuterLeft, _streams.Views);         // [N, 1]
            int before = (int)(crop.Left - crop.OuterLeft), overlap = (int)(crop.Right - crop.Left);
            // [N, M]
            var inside = series.Mask.gather(1, starts.add(Number(before), One)
                .add(arange(Number(0), Number(overlap), One, dtype: ScalarType.Int64, device: starts.device), One));
            var wholeFirst = Hide(series, starts, before + overlap);
            var wholeSecond = Hide(series, starts.add(Number(before), One), (int)(crop.OuterRight - crop.Left));
            // The overlap in either stretch, [N, M, D] twice.
            return GradientCache.Compute(series.Count, _options.EncoderBatchSize ?? series.Count, _streams, (first, count) =>
                [Encode(wholeFirst, first, count).narrow(1, before, overlap), Encode(wholeSecond, first, count).narrow(1, 0, overlap)], Compare);

            StepLoss Compare(Tensor[] steps)
            {
                var loss = HierarchicalContrastiveLoss.Compute(steps[0], steps[1], _options.InstanceWeight, Ranks.Count == 1 && IsWhole(series, inside) ? null : inside);
                return new StepLoss(loss, [("overlap", full([], Number((double)overlap), dtype: ScalarType.Float32, device: loss.device))],
                    TimeSeriesEncoder.Pool(steps[0].detach(), inside));
            }
        }

        // Whether no place of the overlap is padding. To look would wait for a GPU; there it is enough to know whether the batch has any.
        private static bool IsWhole(SeriesBatch series, Tensor inside)
            => inside.device_type == DeviceType.CPU ? inside.all().Value<bool>() : !series.HasPadding;

        /// <summary>Two stretches of a window and their overlap, all as places in the window.</summary>
        /// <param name="OuterLeft">Where the first stretch begins; it ends with the overlap.</param>
        /// <param name="Left">Where the overlap and the second stretch begin.</param>
        /// <param name="Right">The place behind the overlap and the first stretch.</param>
        /// <param name="OuterRight">The place behind the second stretch.</param>
        internal readonly record struct Crop(long OuterLeft, long Left, long Right, long OuterRight);

        /// <summary>Draws the stretches of a step, the same for all series of the batch.</summary>
        internal static Crop DrawCrop(long window, Generator generator)
        {
            using var scope = NewDisposeScope();
            // On the host, where the numbers are needed.
            var draws = MemoryMarshal.Cast<byte, float>(Draws.CommonUniform(4, generator).bytes).ToArray();
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

        // A stretch of every series, and which of its timestamps are hidden, [N, length].
        private (SeriesBatch Series, Tensor? Hidden) Hide(SeriesBatch series, Tensor starts, int length)
        {
            // [N, length]
            var places = starts.add(arange(Number(0), Number(length), One, dtype: ScalarType.Int64, device: starts.device), One);
            return (series.Take(places), _options.MaskRatio == 0 ? null : Draws.Uniform(places.shape, places.device, _streams.Masks).lt(Number(_options.MaskRatio)));
        }

        private Tensor Encode((SeriesBatch Series, Tensor? Hidden) stretch, long first, long count)
            => _encoder.EncodeSteps(stretch.Series.Part(first, count), stretch.Hidden?.narrow(0, first, count));
    }
}
