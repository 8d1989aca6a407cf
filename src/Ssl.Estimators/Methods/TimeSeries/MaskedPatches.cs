using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Some patches of a series are hidden; the encoder sees the rest, and one linear layer rebuilds the hidden values.</summary>
/// <remarks>
/// <para>
/// Nie et al., "A Time Series is Worth 64 Words: Long-term Forecasting with Transformers" (PatchTST), 2023 (arXiv:2211.14730), its
/// self-supervised form: patches do not overlap, other ones are hidden in every channel, and the loss is the mean squared error of hidden,
/// observed values as the encoder sees them, normalised where it normalises. M series of one channel (or N of all, where the encoder takes
/// them together), S patches of P values.
/// </para>
/// </remarks>
public sealed class MaskedPatches : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly PatchTransformerEncoder _encoder;

    [ComponentName(Name = "output")]
    private readonly Linear _output;

    private readonly RandomStreams _streams;
    private readonly double _maskRatio;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">Of <see cref="TimeSeriesEncoders.PatchTransformer"/>.</param>
    /// <param name="streams">The output layer comes from <see cref="RandomStreams.Weights"/>, hidden patches from
    /// <see cref="RandomStreams.Masks"/>.</param>
    /// <param name="maskRatio">Share of a series' patches that are hidden. Between 0 and 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is out of range, or the encoder has no patches.</exception>
    public MaskedPatches(TimeSeriesEncoder encoder, RandomStreams streams, double maskRatio = 0.4) : base(nameof(MaskedPatches), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().Between(maskRatio, 0, 1).ThrowIfAny();
        _encoder = encoder as PatchTransformerEncoder ?? throw new ArgumentOutOfRangeException(nameof(encoder),
            $"MaskedPatches needs an encoder of patches, got {encoder.GetName()}. Use TimeSeriesEncoders.PatchTransformer.");
        (_streams, _maskRatio) = (streams, maskRatio);
        _output = Initialization.NormalLinear(_encoder.Dimension, _encoder.PatchSize, streams.Weights);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var series = _encoder.Prepare(SeriesColumn.Of(columns));
        var hidden = SeriesPatchMasker.Draw(_encoder.StepMask(series), _maskRatio, _streams.Masks); // [M, S]
        var rebuilt = _output.call(_encoder.EncodePrepared(series, hidden));                        // [M, S, P]
        var counted = _encoder.ObservedInPatches(series).logical_and(hidden.unsqueeze(-1)).to(rebuilt.dtype);
        var loss = ((rebuilt - _encoder.Patches(series)).pow(Number(2)) * counted).sum() / counted.sum().clamp_min(Number(1));
        return new StepLoss(loss, []);
    }
}
