using System.ComponentModel;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>Pretraining methods for time series. Each has a short form and one that takes all its options.</summary>
    /// <remarks>
    /// A series is a vector of <see cref="float"/>, channel by channel, of one length or of differing lengths; NaN where a value is
    /// missing.
    /// </remarks>
    public sealed class TimeSeriesMethods
    {
        private readonly MLContext _mlContext;

        internal TimeSeriesMethods(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>The context, for entries of other assemblies, which are extension methods of this group.</summary>
        [EditorBrowsable(EditorBrowsableState.Advanced)]
        public MLContext Context => _mlContext;

        /// <summary>
        /// Pretrains with TS2Vec: overlapping stretches of a series agree at every timestamp and on every scale. The first to try.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of series to learn from and embed.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TimeSeriesEncoders.DilatedConvolution"/>.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="numberOfChannels">Channels of a series; null takes them from a type of [channels, time], and else one.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public Ts2VecTrainer Ts2Vec(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Series,
            TimeSeriesEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            int? numberOfChannels = null)
        {
            var options = new Ts2VecTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                NumberOfChannels = numberOfChannels,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            return Ts2Vec(options);
        }

        /// <inheritdoc cref="Ts2Vec(string, string, TimeSeriesEncoderFactory, int?, int?, double?, int?)"/>
        /// <param name="options">All settings of the method.</param>
        public Ts2VecTrainer Ts2Vec(Ts2VecTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains with masked patches, as PatchTST does: hidden stretches are rebuilt from the others. To be fine-tuned.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of series to learn from and embed.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TimeSeriesEncoders.PatchTransformer"/>.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="maskRatio">Share of a series' patches that are hidden. In (0, 1).</param>
        /// <param name="numberOfChannels">Channels of a series; null takes them from a type of [channels, time], and else one.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MaskedPatchesTrainer MaskedPatches(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Series,
            TimeSeriesEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? maskRatio = null, int? numberOfChannels = null)
        {
            var options = new MaskedPatchesTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                NumberOfChannels = numberOfChannels,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.MaskRatio = maskRatio ?? options.MaskRatio;
            return MaskedPatches(options);
        }

        /// <inheritdoc cref="MaskedPatches(string, string, TimeSeriesEncoderFactory, int?, int?, double?, float?, int?)"/>
        /// <param name="options">All settings of the method.</param>
        public MaskedPatchesTrainer MaskedPatches(MaskedPatchesTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains with TS-TCC: the past of one changed copy predicts the future of another, and their contexts attract each other.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of series to learn from and embed.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TimeSeriesEncoders.PooledConvolution"/>.</param>
        /// <param name="batchSize">Rows a step; the others are the negatives of each. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities of the contexts. Greater than 0.</param>
        /// <param name="numberOfChannels">Channels of a series; null takes them from a type of [channels, time], and else one.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public TemporalContextualContrastTrainer TemporalContextualContrast(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Series,
            TimeSeriesEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? temperature = null, int? numberOfChannels = null)
        {
            var options = new TemporalContextualContrastTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                NumberOfChannels = numberOfChannels,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            return TemporalContextualContrast(options);
        }

        /// <inheritdoc cref="TemporalContextualContrast(string, string, TimeSeriesEncoderFactory, int?, int?, double?, float?, int?)"/>
        /// <param name="options">All settings of the method.</param>
        public TemporalContextualContrastTrainer TemporalContextualContrast(TemporalContextualContrastTrainer.Options options)
            => new(_mlContext, options);
    }
}
