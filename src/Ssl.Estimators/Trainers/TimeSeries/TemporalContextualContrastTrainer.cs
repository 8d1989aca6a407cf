using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;

namespace Ssl.Estimators.Trainers;

/// <summary>
/// Pretrains on time series with TS-TCC: the past of a lightly changed copy predicts the future of a strongly changed one, and the other
/// way round, and their contexts attract each other.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | input | vector of Single, of one length or of differing lengths | a series, channel by channel; NaN where a value is missing |
/// | output | known-size vector of Single | the embedding of the series, or one vector a step (`PerTimestamp`) |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | No |
/// | Needs normalisation | No: channels are standardised inside |
/// | Benefits from caching | No: values are kept in memory when they fit |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes, with the scale of the channels |
///
/// ### Algorithm
/// Eldele et al., "Time-Series Representation Learning via Temporal and Contextual Contrasting", 2021 (arXiv:2106.14112). Deviations:
/// `docs/numerics.md`.
/// ]]></format>
/// </remarks>
/// <seealso cref="Ts2VecTrainer"/>
public sealed class TemporalContextualContrastTrainer : TimeSeriesPretrainingTrainer
{
    private readonly Options _options;

    internal TemporalContextualContrastTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(TemporalContextualContrastTrainer), options, TimeSeriesEncoders.PooledConvolution(), needsPatches: null)
        => _options = (Options)Settings;

    /// <summary>The defaults of <see cref="Options"/> and of the short overload.</summary>
    internal static class Defaults
    {
        public const int BatchSize = 32;
        public const int NumberOfEpochs = 40;
        public const double LearningRate = 1e-3;
        public const float Temperature = 0.2f;
        public const float TemporalWeight = 1;
        public const float ContextualWeight = 0.7f;
        public const int FutureSections = 4;
    }

    /// <summary>Settings of <see cref="TemporalContextualContrastTrainer"/>.</summary>
    public sealed class Options : TimeSeriesPretrainingOptions
    {
        /// <summary>Settings with their defaults.</summary>
        public Options()
        {
            BatchSize = Defaults.BatchSize;
            NumberOfEpochs = Defaults.NumberOfEpochs;
            LearningRate = Defaults.LearningRate;
        }

        /// <summary>Divides cosine similarities of the contexts. Greater than 0.</summary>
        /// <value>The default value is 0.2.</value>
        public float Temperature { get; set; } = Defaults.Temperature;

        /// <summary>Weight of the prediction of the future. At least 0; not both weights 0.</summary>
        /// <value>The default value is 1.</value>
        public float TemporalWeight { get; set; } = Defaults.TemporalWeight;

        /// <summary>Weight of the contrast between contexts. At least 0; not both weights 0.</summary>
        /// <value>The default value is 0.7.</value>
        public float ContextualWeight { get; set; } = Defaults.ContextualWeight;

        /// <summary>Sections that are predicted, of the at most 16 into which a series is cut. From 1 to 15.</summary>
        /// <value>The default value is 4.</value>
        public int FutureSections { get; set; } = Defaults.FutureSections;

        /// <summary>The light change of a series; null takes <see cref="SeriesViews.Weak"/>.</summary>
        public SeriesView? WeakView { get; set; }

        /// <summary>The strong change of a series; null takes <see cref="SeriesViews.Strong"/>.</summary>
        public SeriesView? StrongView { get; set; }

        internal override int MinimumBatchSize => 2;

        internal override void Validate(OptionFaults faults)
        {
            base.Validate(faults);
            faults.Positive(Temperature);
            faults.NotNegative(TemporalWeight);
            faults.NotNegative(ContextualWeight);
            faults.InRange(FutureSections, 1, 15);
            if (TemporalWeight == 0 && ContextualWeight == 0)
                faults.Add(nameof(ContextualWeight), "TemporalWeight and ContextualWeight must not both be 0: nothing would be learnt.");
        }
    }

    private protected override PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams)
        => new TemporalContextualContrast(encoder, streams, _options.WeakView, _options.StrongView, _options.Temperature,
            _options.TemporalWeight, _options.ContextualWeight, _options.FutureSections);
}
