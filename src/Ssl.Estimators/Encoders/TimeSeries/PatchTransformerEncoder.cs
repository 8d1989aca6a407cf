using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// A transformer over patches of neighboring timestamps, as PatchTST has it (Nie et al., 2023, arXiv:2211.14730). Deviations: positions
/// are sines, so that any length will do, and layer norms stand before the blocks instead of batch norms behind them.
/// </summary>
/// <remarks>
/// N series, C channels, S patches of L timestamps, D the dimension. Timestamps behind the last whole patch make a padded one. With
/// independent channels the network sees M = N x C series of one channel, else M = N of all.
/// </remarks>
internal sealed class PatchTransformerEncoder : TimeSeriesEncoder
{
    [ComponentName(Name = "input")]
    private readonly LinearLayer _input;

    [ComponentName(Name = "hidden_patch")]
    private readonly Parameter _hiddenPatch;

    [ComponentName(Name = "encoder")]
    private readonly TransformerStack _stack;

    private readonly bool _normalizes;
    private readonly bool _separates;

    public PatchTransformerEncoder(PatchTransformerEncoderFactory sizes, SeriesLayout layout, RandomStreams streams)
        : base(nameof(PatchTransformerEncoder), sizes, layout)
    {
        PatchLength = sizes.PatchLength;
        (_normalizes, _separates) = (sizes.InstanceNormalization, sizes.ChannelIndependence);
        Dimension = sizes.EmbeddingDimension;
        PatchSize = _separates ? sizes.PatchLength : checked(layout.Channels * sizes.PatchLength);
        _input = Initialization.Linear(PatchSize, sizes.EmbeddingDimension, streams.Weights);
        _hiddenPatch = Initialization.Weights(sizes.EmbeddingDimension);
        Initialization.Normal(_hiddenPatch, 0.02, streams.Weights);
        _stack = new TransformerStack(sizes.NumberOfLayers, sizes.EmbeddingDimension, sizes.NumberOfHeads, 4 * sizes.EmbeddingDimension,
            sizes.Dropout, streams);
        RegisterComponents();
    }

    /// <summary>Whether the network sees each channel on its own.</summary>
    public bool IsChannelIndependent => _separates;

    /// <summary>L, timestamps of a patch.</summary>
    public int PatchLength { get; }

    /// <summary>Values of a patch: L, or C x L where it holds all channels.</summary>
    public int PatchSize { get; }

    /// <summary>D, the length of a patch's vector.</summary>
    public int Dimension { get; }

    public override Tensor StepMask(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        return InPatches(batch.Mask.unsqueeze(1)).any(2).MoveToOuterDisposeScope();
    }

    public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
    {
        using var scope = NewDisposeScope();
        long n = batch.Count, channels = batch.Values.shape[1];
        if (_separates && hidden is not null)
            hidden = EachChannel(hidden, channels);
        var steps = EncodePrepared(Prepare(batch), hidden);                                         // [M, S, D]
        if (_separates && channels > 1)
            steps = steps.view(n, channels, -1, Dimension).transpose(1, 2).flatten(2);              // [N, S, C x D]
        return steps.MoveToOuterDisposeScope();
    }

    /// <summary>The series as the network sees them: M series, normalized where that is wanted.</summary>
    public SeriesBatch Prepare(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        var values = _normalizes ? Normalized(batch) : batch.Values.alias();
        long channels = values.shape[1];
        var prepared = _separates
            ? new SeriesBatch(values.reshape(-1, 1, values.shape[2]), EachChannel(batch.Mask, channels),
                EachChannel(batch.Observed, channels))
            : batch.WithValues(values);
        prepared.Values.MoveToOuterDisposeScope();
        prepared.Mask.MoveToOuterDisposeScope();
        prepared.Observed.MoveToOuterDisposeScope();
        return prepared;
    }

    /// <summary>A vector for every patch of prepared series: [M, S, D].</summary>
    /// <param name="prepared">Of <see cref="Prepare"/>.</param>
    /// <param name="hidden">Bool [M, S]: patches whose values are kept from the network; <see langword="null"/> hides none.</param>
    public Tensor EncodePrepared(SeriesBatch prepared, Tensor? hidden)
    {
        using var scope = NewDisposeScope();
        var steps = _input.Exact(Patches(prepared));                                                 // [M, S, D]
        if (hidden is not null)
            steps = where(hidden.unsqueeze(-1), _hiddenPatch.to(steps.dtype), steps);
        steps = steps.add(SinePositions.Of(steps.shape[1], steps.shape[2], steps.device), One);
        return _stack.call(steps, StepMask(prepared)).MoveToOuterDisposeScope();
    }

    // Mean 0 and deviation 1 over the observed timestamps of each channel of each series; 0 where nothing was observed.
    private static Tensor Normalized(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        var observed = batch.Observed.unsqueeze(1).to(batch.Values.dtype);                          // [N, 1, T]
        var count = observed.sum(2, keepdim: true).clamp_min(Number(1));
        var centered = (batch.Values - (batch.Values * observed).sum(2, keepdim: true) / count) * observed;
        return (centered / ((centered.pow(Number(2)).sum(2, keepdim: true) / count).add(Number(1e-5), One)).sqrt()).MoveToOuterDisposeScope();
    }

    // [N, X] to [N x C, X]: the same for each channel.
    private static Tensor EachChannel(Tensor rows, long channels)
        => rows.unsqueeze(1).expand(-1, channels, -1).reshape(-1, rows.shape[1]);

    /// <summary>The values of every patch of prepared series, channel by channel: [M, S, values of a patch].</summary>
    public Tensor Patches(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        return InPatches(batch.Values).MoveToOuterDisposeScope();
    }

    /// <summary>Which of them were observed: bool [M, S, values of a patch], the same for every channel.</summary>
    public Tensor ObservedInPatches(SeriesBatch batch)
    {
        using var scope = NewDisposeScope();
        return InPatches(batch.Observed.unsqueeze(1).expand(-1, batch.Values.shape[1], -1)).MoveToOuterDisposeScope();
    }

    // [M, channels, T] to [M, S, channels x L]; zeros fill the last patch.
    private Tensor InPatches(Tensor values)
    {
        long n = values.shape[0], channels = values.shape[1], length = values.shape[2];
        long steps = (length + PatchLength - 1) / PatchLength, missing = steps * PatchLength - length;
        if (missing > 0)
            values = cat([values, zeros([n, channels, missing], dtype: values.dtype, device: values.device)], 2);
        return values.reshape(n, channels, steps, PatchLength).transpose(1, 2).reshape(n, steps, channels * PatchLength);
    }
}
