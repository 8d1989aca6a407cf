using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// What the values of a series say without a network: of every channel the means of as many equal segments (Keogh et al., "Dimensionality
/// Reduction for Fast Similarity Search in Large Time Series Databases", 2001; as many as timestamps are the values themselves), and its
/// mean, deviation, smallest and largest value and mean step. Nothing of it is learned.
/// </summary>
/// <remarks>N series, C channels, T timestamps, S segments. A missing value counts as the mean of its channel in the training data.</remarks>
internal sealed class SeriesSummaryEncoder(SeriesSummaryEncoderFactory sizes, SeriesLayout layout) : TimeSeriesEncoder(nameof(SeriesSummaryEncoder), sizes, layout)
{
    /// <summary>Statistics of a channel.</summary>
    public const int NumberOfStatistics = 5;

    // Segments of all channels together, and of one at least.
    private const int SegmentsOfAll = 128, FewestSegments = 4;

    /// <summary>Segments for series of so many timestamps at most.</summary>
    public static int SegmentsFor(int channels, int longest) => Math.Clamp(SegmentsOfAll / channels, FewestSegments, Math.Max(FewestSegments, longest));

    public override Tensor StepMask(SeriesBatch batch) => ones([batch.Count, 1], ScalarType.Bool, batch.Mask.device);

    public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
    {
        using var scope = NewDisposeScope();
        var inside = batch.Mask.unsqueeze(1);                                                                               // [N, 1, T]
        var values = batch.Values.to(ScalarType.Float64).mul(inside);                                                       // [N, C, T]
        var lengths = inside.sum(2L, keepdim: true);                                                                        // [N, 1, 1]
        var (mean, square) = (values.sum(2L, keepdim: true).div(lengths), values.mul(values).sum(2L, keepdim: true).div(lengths));
        var deviation = square.sub(mean.mul(mean)).clamp_min(Number(0.0)).sqrt();
        var outside = inside.logical_not();
        var (lowest, highest) = (Extreme(double.PositiveInfinity).amin([2L], keepdim: true), Extreme(double.NegativeInfinity).amax([2L], keepdim: true));
        // The last step of a shorter series, into its padding, is none.
        var steps = values.narrow(2, 1, batch.Length - 1).sub(values.narrow(2, 0, batch.Length - 1)).abs().mul(inside.narrow(2, 1, batch.Length - 1)).sum(2L, keepdim: true).div(lengths.sub(One).clamp_min(One));
        return cat([Segments(values, lengths), mean, deviation, lowest, highest, steps], 2).to(ScalarType.Float32).flatten(1).unsqueeze(1).MoveToOuterDisposeScope();

        Tensor Extreme(double otherwise) => values.masked_fill(outside, Number(otherwise));
    }

    // [N, C, S], from sums up to every timestamp; where there are fewer timestamps than segments, some stand in several.
    private Tensor Segments(Tensor values, Tensor lengths)
    {
        var sums = nn.functional.pad(values.cumsum(2), [1L, 0L]);                                                           // [N, C, T + 1]
        var bounds = arange(Number(0), Number(sizes.NumberOfSegments + 1), One, ScalarType.Int64, values.device).mul(lengths).div(Number(sizes.NumberOfSegments), RoundingMode.floor);  // [N, 1, S + 1]
        var starts = bounds.narrow(2, 0, sizes.NumberOfSegments);
        var ends = bounds.narrow(2, 1, sizes.NumberOfSegments).maximum(starts.add(One, One));
        return At(ends).sub(At(starts)).div(ends.sub(starts));

        Tensor At(Tensor places) => sums.gather(2, places.expand(-1, values.shape[1], -1));
    }
}
