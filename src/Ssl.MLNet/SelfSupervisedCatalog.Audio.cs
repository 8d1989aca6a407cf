using System.ComponentModel;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>Pretraining methods for sound. Each has a short form and one that takes all its options.</summary>
    /// <remarks>
    /// A sound is a vector of samples of one channel, numbers of any type, of one length or of differing lengths. The methods for time series
    /// take sounds, too, where their option <c>Spectrogram</c> is set.
    /// </remarks>
    public sealed class AudioMethods
    {
        private readonly MLContext _mlContext;

        internal AudioMethods(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>The context, for entries of other assemblies, which are extension methods of this group.</summary>
        [EditorBrowsable(EditorBrowsableState.Advanced)]
        public MLContext Context => _mlContext;

        /// <summary>Loads sound files (wav, mp3, ogg Vorbis) whose paths stand in a column, as <c>LoadImages</c> does images.</summary>
        /// <param name="outputColumnName">Name of the new column: samples of one channel from -1 to 1, a vector of <see cref="float"/> of varying
        /// size.</param>
        /// <param name="soundFolder">The folder in which relative paths are found; null takes the current one.</param>
        /// <param name="inputColumnName">Name of the column of paths; null takes <paramref name="outputColumnName"/>.</param>
        /// <param name="sampleRate">Samples a second of the result; a file of another rate is resampled. From 1,000 to 1,000,000.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public SoundLoadingEstimator LoadSounds(string outputColumnName = ColumnNames.Sound, string? soundFolder = null,
            string? inputColumnName = null, int? sampleRate = null)
        {
            var options = new SoundLoadingEstimator.Options { OutputColumnName = outputColumnName, SoundFolder = soundFolder, InputColumnName = inputColumnName };
            options.SampleRate = sampleRate ?? options.SampleRate;
            return LoadSounds(options);
        }

        /// <inheritdoc cref="LoadSounds(string, string, string, int?)"/>
        /// <param name="options">All settings.</param>
        public SoundLoadingEstimator LoadSounds(SoundLoadingEstimator.Options options) => new(options);

        /// <summary>
        /// Pretrains on sounds with BYOL-A: from one change of a sound the encoder predicts how a slowly following copy of it hears another.
        /// </summary>
        /// <param name="sampleRate">Samples a second in the column. From 1,000 to 1,000,000.</param>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of sounds to learn from and embed.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TimeSeriesEncoders.DilatedConvolution"/> of depth 5.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public ByolATrainer ByolA(int sampleRate,
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Sound, TimeSeriesEncoderFactory? encoder = null,
            int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null)
        {
            var options = new ByolATrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Spectrogram = new LogMelSpectrogram(sampleRate),
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            return ByolA(options);
        }

        /// <inheritdoc cref="ByolA(int, string, string, TimeSeriesEncoderFactory, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public ByolATrainer ByolA(ByolATrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains on sounds with masked acoustic modeling: spans and bands of spectrograms are hidden, and a transformer says what was there.
        /// </summary>
        /// <param name="sampleRate">Samples a second in the column. From 1,000 to 1,000,000.</param>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of sounds to learn from and embed.</param>
        /// <param name="encoder">The encoder to pretrain, of patches; null takes <see cref="TimeSeriesEncoders.PatchTransformer"/> with two frames a
        /// patch.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MaskedAcousticModelTrainer MaskedAcousticModel(int sampleRate,
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Sound, TimeSeriesEncoderFactory? encoder = null,
            int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null)
        {
            var options = new MaskedAcousticModelTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Spectrogram = new LogMelSpectrogram(sampleRate),
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            return MaskedAcousticModel(options);
        }

        /// <inheritdoc cref="MaskedAcousticModel(int, string, string, TimeSeriesEncoderFactory, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public MaskedAcousticModelTrainer MaskedAcousticModel(MaskedAcousticModelTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains on the samples of sounds with wav2vec 2.0: hidden steps are told from others by codes that are learned along.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of sounds to learn from and embed.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TimeSeriesEncoders.SoundTransformer"/>.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public Wav2Vec2Trainer Wav2Vec2(string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Sound,
            TimeSeriesEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null)
        {
            var options = new Wav2Vec2Trainer.Options { OutputColumnName = outputColumnName, InputColumnName = inputColumnName, Encoder = encoder };
            options.Set(batchSize, numberOfEpochs, learningRate);
            return Wav2Vec2(options);
        }

        /// <inheritdoc cref="Wav2Vec2(string, string, TimeSeriesEncoderFactory, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public Wav2Vec2Trainer Wav2Vec2(Wav2Vec2Trainer.Options options) => new(_mlContext, options);
    }
}
