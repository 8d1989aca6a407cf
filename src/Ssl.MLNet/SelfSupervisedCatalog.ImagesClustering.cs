using Ssl.Estimators.Encoders;
using Ssl.Estimators.Trainers;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    public sealed partial class ImageMethods
    {
        /// <summary>Pretrains an image encoder with NNCLR: contrast with the nearest neighbour of a view among earlier images.</summary>
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
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = NnclrTrainer.Defaults.BatchSize,
            int numberOfEpochs = NnclrTrainer.Defaults.NumberOfEpochs,
            double learningRate = NnclrTrainer.Defaults.LearningRate,
            float temperature = NnclrTrainer.Defaults.Temperature)
            => Nnclr(new NnclrTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                Temperature = temperature,
            });

        /// <inheritdoc cref="Nnclr(string, string, ImageEncoderFactory, int, int, double, float)"/>
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
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = SwavTrainer.Defaults.BatchSize,
            int numberOfEpochs = SwavTrainer.Defaults.NumberOfEpochs,
            double learningRate = SwavTrainer.Defaults.LearningRate,
            float temperature = SwavTrainer.Defaults.Temperature,
            int numberOfPrototypes = SwavTrainer.Defaults.NumberOfPrototypes)
            => Swav(new SwavTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                Temperature = temperature,
                NumberOfPrototypes = numberOfPrototypes,
            });

        /// <inheritdoc cref="Swav(string, string, ImageEncoderFactory, int, int, double, float, int)"/>
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
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = DinoTrainer.Defaults.BatchSize,
            int numberOfEpochs = DinoTrainer.Defaults.NumberOfEpochs,
            double learningRate = DinoTrainer.Defaults.LearningRate,
            int numberOfPrototypes = DinoTrainer.Defaults.NumberOfPrototypes,
            float momentum = DinoTrainer.Defaults.Momentum)
            => Dino(new DinoTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                NumberOfPrototypes = numberOfPrototypes,
                Momentum = momentum,
            });

        /// <inheritdoc cref="Dino(string, string, ImageEncoderFactory, int, int, double, int, float)"/>
        /// <param name="options">All settings of the method.</param>
        public DinoTrainer Dino(DinoTrainer.Options options) => new(_mlContext, options);
    }
}
