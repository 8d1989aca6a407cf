using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Trainers;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>Pretraining methods for images. Each has a short form and one that takes all its options.</summary>
    public sealed partial class ImageMethods
    {
        private readonly MLContext _mlContext;

        internal ImageMethods(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>
        /// Pretrains an image encoder with SimCLR: two views of an image attract each other and repel the views of all others of the batch.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public SimClrTrainer SimClr(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = SimClrTrainer.Defaults.BatchSize,
            int numberOfEpochs = SimClrTrainer.Defaults.NumberOfEpochs,
            double learningRate = SimClrTrainer.Defaults.LearningRate,
            float temperature = SimClrTrainer.Defaults.Temperature)
            => SimClr(new SimClrTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                Temperature = temperature,
            });

        /// <inheritdoc cref="SimClr(string, string, ImageEncoderFactory, int, int, double, float)"/>
        /// <param name="options">All settings of the method.</param>
        public SimClrTrainer SimClr(SimClrTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder with the decoupled contrastive loss: SimCLR for small batches.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public DclTrainer Dcl(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = DclTrainer.Defaults.BatchSize,
            int numberOfEpochs = DclTrainer.Defaults.NumberOfEpochs,
            double learningRate = DclTrainer.Defaults.LearningRate,
            float temperature = DclTrainer.Defaults.Temperature)
            => Dcl(new DclTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                Temperature = temperature,
            });

        /// <inheritdoc cref="Dcl(string, string, ImageEncoderFactory, int, int, double, float)"/>
        /// <param name="options">All settings of the method.</param>
        public DclTrainer Dcl(DclTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains an image encoder with MoCo v2: negatives come from a queue, so that small batches have many of them.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
        /// <param name="queueSize">Earlier keys that serve as negatives. At least 1.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MoCoTrainer MoCo(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = MoCoTrainer.Defaults.BatchSize,
            int numberOfEpochs = MoCoTrainer.Defaults.NumberOfEpochs,
            double learningRate = MoCoTrainer.Defaults.LearningRate,
            float temperature = MoCoTrainer.Defaults.Temperature,
            int queueSize = MoCoTrainer.Defaults.QueueSize)
            => MoCo(new MoCoTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                Temperature = temperature,
                QueueSize = queueSize,
            });

        /// <inheritdoc cref="MoCo(string, string, ImageEncoderFactory, int, int, double, float, int)"/>
        /// <param name="options">All settings of the method.</param>
        public MoCoTrainer MoCo(MoCoTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder with MoCo v3: contrast with a slowly following network, without a queue.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
        /// <param name="momentum">Share of the following network that stays at a step. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MoCoV3Trainer MoCoV3(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = MoCoV3Trainer.Defaults.BatchSize,
            int numberOfEpochs = MoCoV3Trainer.Defaults.NumberOfEpochs,
            double learningRate = MoCoV3Trainer.Defaults.LearningRate,
            float temperature = MoCoV3Trainer.Defaults.Temperature,
            float momentum = MoCoV3Trainer.Defaults.Momentum)
            => MoCoV3(new MoCoV3Trainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                Temperature = temperature,
                Momentum = momentum,
            });

        /// <inheritdoc cref="MoCoV3(string, string, ImageEncoderFactory, int, int, double, float, float)"/>
        /// <param name="options">All settings of the method.</param>
        public MoCoV3Trainer MoCoV3(MoCoV3Trainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains an image encoder with BYOL: one view predicts how a slowly following copy of the network sees the other view.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="momentum">Share of the following network that stays at a step. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public ByolTrainer Byol(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = ByolTrainer.Defaults.BatchSize,
            int numberOfEpochs = ByolTrainer.Defaults.NumberOfEpochs,
            double learningRate = ByolTrainer.Defaults.LearningRate,
            float momentum = ByolTrainer.Defaults.Momentum)
            => Byol(new ByolTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                Momentum = momentum,
            });

        /// <inheritdoc cref="Byol(string, string, ImageEncoderFactory, int, int, double, float)"/>
        /// <param name="options">All settings of the method.</param>
        public ByolTrainer Byol(ByolTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder with SimSiam: one view predicts the other's projection, which is held fixed.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="projectionDimension">Length of the vectors that the loss compares. At least 1.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public SimSiamTrainer SimSiam(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = SimSiamTrainer.Defaults.BatchSize,
            int numberOfEpochs = SimSiamTrainer.Defaults.NumberOfEpochs,
            double learningRate = SimSiamTrainer.Defaults.LearningRate,
            int projectionDimension = SimSiamTrainer.Defaults.ProjectionDimension)
            => SimSiam(new SimSiamTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ProjectionDimension = projectionDimension,
            });

        /// <inheritdoc cref="SimSiam(string, string, ImageEncoderFactory, int, int, double, int)"/>
        /// <param name="options">All settings of the method.</param>
        public SimSiamTrainer SimSiam(SimSiamTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains an image encoder with Barlow Twins: two views agree in every dimension, and no two dimensions say the same.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="projectionDimension">Length of the vectors that the loss compares. At least 1.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public BarlowTwinsTrainer BarlowTwins(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = BarlowTwinsTrainer.Defaults.BatchSize,
            int numberOfEpochs = BarlowTwinsTrainer.Defaults.NumberOfEpochs,
            double learningRate = BarlowTwinsTrainer.Defaults.LearningRate,
            int projectionDimension = BarlowTwinsTrainer.Defaults.ProjectionDimension)
            => BarlowTwins(new BarlowTwinsTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ProjectionDimension = projectionDimension,
            });

        /// <inheritdoc cref="BarlowTwins(string, string, ImageEncoderFactory, int, int, double, int)"/>
        /// <param name="options">All settings of the method.</param>
        public BarlowTwinsTrainer BarlowTwins(BarlowTwinsTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder with VICReg: near views, dimensions that vary, and that do so independently.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="projectionDimension">Length of the vectors that the loss compares. At least 1.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public VicRegTrainer VicReg(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = VicRegTrainer.Defaults.BatchSize,
            int numberOfEpochs = VicRegTrainer.Defaults.NumberOfEpochs,
            double learningRate = VicRegTrainer.Defaults.LearningRate,
            int projectionDimension = VicRegTrainer.Defaults.ProjectionDimension)
            => VicReg(new VicRegTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ProjectionDimension = projectionDimension,
            });

        /// <inheritdoc cref="VicReg(string, string, ImageEncoderFactory, int, int, double, int)"/>
        /// <param name="options">All settings of the method.</param>
        public VicRegTrainer VicReg(VicRegTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains a vision transformer as a masked autoencoder: most patches are hidden and rebuilt from the others.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes a small <see cref="ImageEncoders.VisionTransformer"/> for the images'
        /// size.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="maskRatio">Share of the patches that are hidden. In (0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MaskedAutoencoderTrainer MaskedAutoencoder(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = MaskedAutoencoderTrainer.Defaults.BatchSize,
            int numberOfEpochs = MaskedAutoencoderTrainer.Defaults.NumberOfEpochs,
            double learningRate = MaskedAutoencoderTrainer.Defaults.LearningRate,
            float maskRatio = MaskedAutoencoderTrainer.Defaults.MaskRatio)
            => MaskedAutoencoder(new MaskedAutoencoderTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                MaskRatio = maskRatio,
            });

        /// <inheritdoc cref="MaskedAutoencoder(string, string, ImageEncoderFactory, int, int, double, float)"/>
        /// <param name="options">All settings of the method.</param>
        public MaskedAutoencoderTrainer MaskedAutoencoder(MaskedAutoencoderTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains a vision transformer with SimMIM: hidden patches are replaced by a learned vector and rebuilt by one linear layer.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes a small <see cref="ImageEncoders.VisionTransformer"/> for the images'
        /// size.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="maskRatio">Share of the patches that are hidden. In (0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public SimMimTrainer SimMim(
            string outputColumnName = PretrainingOptions.CommonDefaults.OutputColumnName,
            string inputColumnName = ImagePretrainingOptions.ImageDefaults.InputColumnName,
            ImageEncoderFactory? encoder = null,
            int batchSize = SimMimTrainer.Defaults.BatchSize,
            int numberOfEpochs = SimMimTrainer.Defaults.NumberOfEpochs,
            double learningRate = SimMimTrainer.Defaults.LearningRate,
            float maskRatio = SimMimTrainer.Defaults.MaskRatio)
            => SimMim(new SimMimTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                MaskRatio = maskRatio,
            });

        /// <inheritdoc cref="SimMim(string, string, ImageEncoderFactory, int, int, double, float)"/>
        /// <param name="options">All settings of the method.</param>
        public SimMimTrainer SimMim(SimMimTrainer.Options options) => new(_mlContext, options);
    }
}
