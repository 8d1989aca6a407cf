using System.ComponentModel;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>Pretraining methods for images. Each has a short form and one that takes all its options.</summary>
    public sealed partial class ImageMethods
    {
        private readonly MLContext _mlContext;

        internal ImageMethods(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>The context, for entries of other assemblies, which are extension methods of this group.</summary>
        [EditorBrowsable(EditorBrowsableState.Advanced)]
        public MLContext Context => _mlContext;

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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? temperature = null)
        {
            var options = new SimClrTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            return SimClr(options);
        }

        /// <inheritdoc cref="SimClr(string, string, ImageEncoderFactory, int?, int?, double?, float?)"/>
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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? temperature = null)
        {
            var options = new DclTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            return Dcl(options);
        }

        /// <inheritdoc cref="Dcl(string, string, ImageEncoderFactory, int?, int?, double?, float?)"/>
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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? temperature = null, int? queueSize = null)
        {
            var options = new MoCoTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            options.QueueSize = queueSize ?? options.QueueSize;
            return MoCo(options);
        }

        /// <inheritdoc cref="MoCo(string, string, ImageEncoderFactory, int?, int?, double?, float?, int?)"/>
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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? temperature = null, float? momentum = null)
        {
            var options = new MoCoV3Trainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            options.Momentum = momentum ?? options.Momentum;
            return MoCoV3(options);
        }

        /// <inheritdoc cref="MoCoV3(string, string, ImageEncoderFactory, int?, int?, double?, float?, float?)"/>
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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? momentum = null)
        {
            var options = new ByolTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Momentum = momentum ?? options.Momentum;
            return Byol(options);
        }

        /// <inheritdoc cref="Byol(string, string, ImageEncoderFactory, int?, int?, double?, float?)"/>
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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            int? projectionDimension = null)
        {
            var options = new SimSiamTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.ProjectionDimension = projectionDimension ?? options.ProjectionDimension;
            return SimSiam(options);
        }

        /// <inheritdoc cref="SimSiam(string, string, ImageEncoderFactory, int?, int?, double?, int?)"/>
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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            int? projectionDimension = null)
        {
            var options = new BarlowTwinsTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.ProjectionDimension = projectionDimension ?? options.ProjectionDimension;
            return BarlowTwins(options);
        }

        /// <inheritdoc cref="BarlowTwins(string, string, ImageEncoderFactory, int?, int?, double?, int?)"/>
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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            int? projectionDimension = null)
        {
            var options = new VicRegTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.ProjectionDimension = projectionDimension ?? options.ProjectionDimension;
            return VicReg(options);
        }

        /// <inheritdoc cref="VicReg(string, string, ImageEncoderFactory, int?, int?, double?, int?)"/>
        /// <param name="options">All settings of the method.</param>
        public VicRegTrainer VicReg(VicRegTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains an image encoder with LeJEPA: all views of an image meet, and the embeddings are kept normally distributed.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="projectionDimension">Length of the vectors that the loss compares. At least 1.</param>
        /// <param name="regularizationWeight">Share of the regularization in the loss. In [0, 1].</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public LeJepaTrainer LeJepa(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            int? projectionDimension = null, double? regularizationWeight = null)
        {
            var options = new LeJepaTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.ProjectionDimension = projectionDimension ?? options.ProjectionDimension;
            options.RegularizationWeight = regularizationWeight ?? options.RegularizationWeight;
            return LeJepa(options);
        }

        /// <inheritdoc cref="LeJepa(string, string, ImageEncoderFactory, int?, int?, double?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public LeJepaTrainer LeJepa(LeJepaTrainer.Options options) => new(_mlContext, options);

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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? maskRatio = null)
        {
            var options = new MaskedAutoencoderTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.MaskRatio = maskRatio ?? options.MaskRatio;
            return MaskedAutoencoder(options);
        }

        /// <inheritdoc cref="MaskedAutoencoder(string, string, ImageEncoderFactory, int?, int?, double?, float?)"/>
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
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? maskRatio = null)
        {
            var options = new SimMimTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.MaskRatio = maskRatio ?? options.MaskRatio;
            return SimMim(options);
        }

        /// <inheritdoc cref="SimMim(string, string, ImageEncoderFactory, int?, int?, double?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public SimMimTrainer SimMim(SimMimTrainer.Options options) => new(_mlContext, options);
    }
}
