using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// An encoder of time series: a vector for every step (a timestamp, or a patch of several), and of these one for the series, their maximum.
/// Padding changes no vector of a real step.
/// </summary>
/// <remarks>N series, C channels, T timestamps, S steps, D the length of a step's vector.</remarks>
public abstract class TimeSeriesEncoder : Encoder<SeriesBatch>
{
    private readonly SeriesLayout _layout;
    private readonly TimeSeriesEncoderFactory _factory;

    /// <summary>An encoder of this name; the derived class registers its components.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="factory">Its sizes.</param>
    /// <param name="layout">The series.</param>
    protected TimeSeriesEncoder(string name, TimeSeriesEncoderFactory factory, SeriesLayout layout) : base(name)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ArgumentNullException.ThrowIfNull(layout);
        (_factory, _layout) = (factory, layout);
    }

    /// <summary>D, the length of a step's vector.</summary>
    public int StepDimension => _factory.StepDimensionFor(_layout);

    /// <inheritdoc/>
    public sealed override int EmbeddingDimension => _factory.DimensionFor(_layout);

    internal bool EncodesTimestamps => _factory.EncodesTimestamps;

    /// <summary>A further network of the same architecture with weights of its own, such as a target network.</summary>
    /// <param name="streams">Weights are drawn from its Weights now, dropout from its Dropout in training.</param>
    public TimeSeriesEncoder CreateAnother(RandomStreams streams) => _factory.Create(_layout, streams);

    /// <summary>A vector for every step: [N, S, D].</summary>
    /// <param name="batch">On the encoder's device.</param>
    /// <param name="hidden">Bool [N, S]: steps whose values are kept from the encoder; <see langword="null"/> hides none.</param>
    public abstract Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null);

    /// <summary>Which steps lie inside the series: bool [N, S].</summary>
    /// <param name="batch">On the encoder's device.</param>
    public abstract Tensor StepMask(SeriesBatch batch);

    /// <summary>The vectors of the series: the largest entry over their steps, [N, D].</summary>
    /// <param name="steps">[N, S, D].</param>
    /// <param name="mask">Bool [N, S]; a series has at least one step.</param>
    public static Tensor Pool(Tensor steps, Tensor mask)
    {
        ArgumentNullException.ThrowIfNull(steps);
        ArgumentNullException.ThrowIfNull(mask);
        using var scope = NewDisposeScope();
        return steps.masked_fill(mask.logical_not().unsqueeze(-1), Number(float.NegativeInfinity)).amax(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected sealed override Tensor Encode(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        var steps = EncodeSteps(batch);
        return (_layout.PerTimestamp ? steps.flatten(1) : Summarize(steps, StepMask(batch))).MoveToOuterDisposeScope();
    }

    /// <summary>The vectors of the series, whatever an embedding holds: [N, D].</summary>
    internal Tensor EncodeWhole(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        return MixedPrecision.Widen(Summarize(EncodeSteps(batch), StepMask(batch))).MoveToOuterDisposeScope();
    }

    // The vectors of the series, [N, D].
    private protected virtual Tensor Summarize(Tensor steps, Tensor mask) => Pool(steps, mask);
}

/// <summary>The description of an encoder of time series.</summary>
public abstract class TimeSeriesEncoderFactory : EncoderFactory
{
    /// <summary>The fewest timestamps that a series must have; shorter ones are padded when they are embedded.</summary>
    public virtual int MinimumLength => 1;

    /// <summary>Whether the network encodes patches, which masked patches need.</summary>
    public virtual bool EncodesPatches => false;

    /// <summary>Whether a step is a single timestamp, which TS2Vec needs.</summary>
    internal bool EncodesTimestamps => !EncodesPatches && Steps(2 * MinimumLength) == 2 * MinimumLength;

    /// <summary>Steps of a series of this many timestamps.</summary>
    public virtual int Steps(int length) => length;

    /// <summary>Length of a step's vector for such series; an encoder that takes each channel on its own has a part for each.</summary>
    public virtual int StepDimensionFor(SeriesLayout layout) => EmbeddingDimension;

    /// <summary>Length of the embeddings of such series.</summary>
    public int DimensionFor(SeriesLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        var step = StepDimensionFor(layout);
        return layout.PerTimestamp && layout.Length is { } length ? checked(Steps(length) * step) : step;
    }

    /// <summary>A network with fresh weights, on the CPU.</summary>
    /// <param name="layout">The series.</param>
    /// <param name="streams">Weights are drawn from its Weights now, dropout from its Dropout in training.</param>
    public abstract TimeSeriesEncoder Create(SeriesLayout layout, RandomStreams streams);
}
