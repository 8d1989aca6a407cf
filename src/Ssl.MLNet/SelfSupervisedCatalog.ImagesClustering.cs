using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    public sealed partial class ImageMethods
    {
        /// <summary>Pretrains an image encoder with NNCLR: contrast with the nearest neighbor of a view among earlier images.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public NnclrTrainer Nnclr(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? temperature = null)
        {
            var options = new NnclrTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            return Nnclr(options);
        }

        /// <inheritdoc cref="Nnclr(string, string, ImageEncoderFactory, int?, int?, double?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public NnclrTrainer Nnclr(NnclrTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder with SwAV: views predict each other's cluster.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
        /// <param name="numberOfPrototypes">Prototypes, or outputs of the head. At least 2.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public SwavTrainer Swav(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? temperature = null, int? numberOfPrototypes = null)
        {
            var options = new SwavTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            options.NumberOfPrototypes = numberOfPrototypes ?? options.NumberOfPrototypes;
            return Swav(options);
        }

        /// <inheritdoc cref="Swav(string, string, ImageEncoderFactory, int?, int?, double?, float?, int?)"/>
        /// <param name="options">All settings of the method.</param>
        public SwavTrainer Swav(SwavTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder with DINO: a student learns from a slowly following teacher that sees other crops.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="numberOfPrototypes">Prototypes, or outputs of the head. At least 2.</param>
        /// <param name="momentum">Share of the teacher that stays at the first step. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public DinoTrainer Dino(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            int? numberOfPrototypes = null, float? momentum = null)
        {
            var options = new DinoTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.NumberOfPrototypes = numberOfPrototypes ?? options.NumberOfPrototypes;
            options.Momentum = momentum ?? options.Momentum;
            return Dino(options);
        }

        /// <inheritdoc cref="Dino(string, string, ImageEncoderFactory, int?, int?, double?, int?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public DinoTrainer Dino(DinoTrainer.Options options) => new(_mlContext, options);
    }
}
