using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    public sealed partial class ImageMethods
    {
        /// <summary>Pretrains an image encoder by predicting by how many quarter turns a square image was rotated.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public RotationPredictionTrainer RotationPrediction(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null)
        {
            var options = new RotationPredictionTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            return RotationPrediction(options);
        }

        /// <inheritdoc cref="RotationPrediction(string, string, ImageEncoderFactory, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public RotationPredictionTrainer RotationPrediction(RotationPredictionTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder by predicting where a patch stands relative to the middle one.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public RelativePositionTrainer RelativePosition(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null)
        {
            var options = new RelativePositionTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            return RelativePosition(options);
        }

        /// <inheritdoc cref="RelativePosition(string, string, ImageEncoderFactory, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public RelativePositionTrainer RelativePosition(RelativePositionTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder by predicting in which of some known orders nine tiles of an image were shuffled.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="numberOfPermutations">Orders that are told apart. From 2 to 1,000.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public JigsawTrainer Jigsaw(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            int? numberOfPermutations = null)
        {
            var options = new JigsawTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.NumberOfPermutations = numberOfPermutations ?? options.NumberOfPermutations;
            return Jigsaw(options);
        }

        /// <inheritdoc cref="Jigsaw(string, string, ImageEncoderFactory, int?, int?, double?, int?)"/>
        /// <param name="options">All settings of the method.</param>
        public JigsawTrainer Jigsaw(JigsawTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains an image encoder by predicting whether two patches belong to the same image.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public PatchPairsTrainer PatchPairs(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null)
        {
            var options = new PatchPairsTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            return PatchPairs(options);
        }

        /// <inheritdoc cref="PatchPairs(string, string, ImageEncoderFactory, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public PatchPairsTrainer PatchPairs(PatchPairsTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// The hybrid: a contrastive term shapes the image's embedding, a masked term the vectors of its patches, in one step.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the column of pixels to learn from and embed: a vector of bytes or floats, [channels,
        /// height, width].</param>
        /// <param name="encoder">The encoder to pretrain; null takes a small <see cref="ImageEncoders.VisionTransformer"/> for the images'
        /// size.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="contrastiveWeight">Weight of the contrastive term. At least 0.</param>
        /// <param name="maskedWeight">Weight of the masked term. At least 0; not both 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public ContrastiveMaskedPatchesTrainer ContrastiveMaskedPatches(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Image,
            ImageEncoderFactory? encoder = null, int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null,
            float? contrastiveWeight = null, float? maskedWeight = null)
        {
            var options = new ContrastiveMaskedPatchesTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.ContrastiveWeight = contrastiveWeight ?? options.ContrastiveWeight;
            options.MaskedWeight = maskedWeight ?? options.MaskedWeight;
            return ContrastiveMaskedPatches(options);
        }

        /// <inheritdoc cref="ContrastiveMaskedPatches(string, string, ImageEncoderFactory, int?, int?, double?, float?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public ContrastiveMaskedPatchesTrainer ContrastiveMaskedPatches(ContrastiveMaskedPatchesTrainer.Options options)
            => new(_mlContext, options);
    }
}
