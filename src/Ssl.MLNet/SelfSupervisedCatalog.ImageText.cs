using System.ComponentModel;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Data;
using Ssl.Estimators.Transformers;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Methods for images with texts, such as products with their titles. Each pretraining method has a short form and one that takes all its options.
    /// </summary>
    public sealed class ImageTextMethods
    {
        private readonly MLContext _mlContext;

        internal ImageTextMethods(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>The context, for entries of other assemblies, which are extension methods of this group.</summary>
        [EditorBrowsable(EditorBrowsableState.Advanced)]
        public MLContext Context => _mlContext;

        /// <summary>
        /// Pretrains an encoder of images and one of texts with CLIP: an image and its text attract each other, all other pairs of the batch repel.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>, the image's embedding, then the text's.
        /// <see cref="ImageEncoder"/> and <see cref="TextEncoder"/> write theirs to a column of this name.</param>
        /// <param name="imageColumnName">Name of the column of images: from <c>LoadImages</c>, or a vector [channels, height, width].</param>
        /// <param name="textColumnName">Name of the column of their texts. Its type is <c>Text</c>.</param>
        /// <param name="imageEncoder">The encoder of images; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images' size.</param>
        /// <param name="textEncoder">The encoder of texts; null takes <see cref="TextEncoders.Bag"/>.</param>
        /// <param name="batchSize">Rows a step; every image has <c>batchSize - 1</c> texts that are not its own. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoders untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public ClipTrainer Clip(
            string outputColumnName = ColumnNames.Features, string imageColumnName = ColumnNames.Image, string textColumnName = ColumnNames.Text,
            ImageEncoderFactory? imageEncoder = null, TextEncoderFactory? textEncoder = null, int? batchSize = null, int? numberOfEpochs = null,
            double? learningRate = null)
            => Clip(With(new ClipTrainer.Options(), outputColumnName, imageColumnName, textColumnName, imageEncoder, textEncoder, batchSize, numberOfEpochs, learningRate));

        /// <inheritdoc cref="Clip(string, string, string, ImageEncoderFactory?, TextEncoderFactory?, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public ClipTrainer Clip(ClipTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains an encoder of images and one of texts with SigLIP: of every image and every text of the batch it is told whether they belong
        /// together.
        /// </summary>
        /// <inheritdoc cref="Clip(string, string, string, ImageEncoderFactory?, TextEncoderFactory?, int?, int?, double?)"/>
        public SigLipTrainer SigLip(
            string outputColumnName = ColumnNames.Features, string imageColumnName = ColumnNames.Image, string textColumnName = ColumnNames.Text,
            ImageEncoderFactory? imageEncoder = null, TextEncoderFactory? textEncoder = null, int? batchSize = null, int? numberOfEpochs = null,
            double? learningRate = null)
            => SigLip(With(new SigLipTrainer.Options(), outputColumnName, imageColumnName, textColumnName, imageEncoder, textEncoder, batchSize, numberOfEpochs, learningRate));

        /// <inheritdoc cref="SigLip(string, string, string, ImageEncoderFactory?, TextEncoderFactory?, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public SigLipTrainer SigLip(SigLipTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains one encoder of images and texts together: hidden words are told with the help of the image, hidden patches with the help of the
        /// words, and whether a text belongs to an image.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>, one embedding of image and text.</param>
        /// <param name="imageColumnName">Name of the column of images: from <c>LoadImages</c>, or a vector [channels, height, width].</param>
        /// <param name="textColumnName">Name of the column of their texts. Its type is <c>Text</c>.</param>
        /// <param name="imageEncoder">What sees images first, an encoder of patches; null takes a small <see cref="ImageEncoders.VisionTransformer"/>.</param>
        /// <param name="textEncoder">What sees texts first; null takes a small <see cref="TextEncoders.Transformer"/>.</param>
        /// <param name="batchSize">Rows a step. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MaskedImageTextTrainer MaskedImageText(
            string outputColumnName = ColumnNames.Features, string imageColumnName = ColumnNames.Image, string textColumnName = ColumnNames.Text,
            ImageEncoderFactory? imageEncoder = null, TextEncoderFactory? textEncoder = null, int? batchSize = null, int? numberOfEpochs = null,
            double? learningRate = null)
            => MaskedImageText(With(new MaskedImageTextTrainer.Options(), outputColumnName, imageColumnName, textColumnName, imageEncoder, textEncoder, batchSize, numberOfEpochs, learningRate));

        /// <inheritdoc cref="MaskedImageText(string, string, string, ImageEncoderFactory?, TextEncoderFactory?, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public MaskedImageTextTrainer MaskedImageText(MaskedImageTextTrainer.Options options) => new(_mlContext, options);

        /// <summary>The encoder of images that was pretrained on images with texts, for images alone.</summary>
        /// <param name="encoder">What <see cref="Clip(ClipTrainer.Options)"/> or <see cref="SigLip(SigLipTrainer.Options)"/> fitted.</param>
        /// <returns>An encoder with its own copy of the weights; dispose of it when it is no longer needed. Its vectors lie in the space of
        /// <see cref="TextEncoder"/>'s, under the same column name: rows of images can be searched with texts.</returns>
        /// <exception cref="ArgumentException">The encoder is of another kind.</exception>
        public EncoderTransformer ImageEncoder(EncoderTransformer encoder) => TwoTowers.Images(_mlContext, encoder);

        /// <summary>The encoder of texts that was pretrained on images with texts, for texts alone.</summary>
        /// <param name="encoder">What <see cref="Clip(ClipTrainer.Options)"/> or <see cref="SigLip(SigLipTrainer.Options)"/> fitted.</param>
        /// <returns>An encoder with its own copy of the weights; dispose of it when it is no longer needed. Its vectors lie in the space of
        /// <see cref="ImageEncoder"/>'s, under the same column name: rows of texts can be searched with images.</returns>
        /// <exception cref="ArgumentException">The encoder is of another kind.</exception>
        public EncoderTransformer TextEncoder(EncoderTransformer encoder) => TwoTowers.Texts(_mlContext, encoder);

        /// <summary>
        /// Says of images which of some texts fits best, without a labeled image: a stage that learns nothing, with the output columns of ML.NET's own
        /// classifiers.
        /// </summary>
        /// <param name="encoder">What <see cref="Clip(ClipTrainer.Options)"/> or <see cref="SigLip(SigLipTrainer.Options)"/> fitted.</param>
        /// <param name="labels">The classes as texts: at least 2, all different.</param>
        /// <param name="prompts">Sentences with {0} where a label goes, as "a photo of a {0}": of the kind that the encoder learned from. Null takes the
        /// labels as they are.</param>
        /// <param name="imageColumnName">Name of the column of images; null keeps the one that the encoder was pretrained on.</param>
        /// <exception cref="ArgumentOutOfRangeException">Labels or prompts are not as stated; all faults are named together.</exception>
        /// <exception cref="ArgumentException">The encoder is of another kind.</exception>
        public ZeroShotClassificationEstimator ZeroShotClassification(EncoderTransformer encoder, IEnumerable<string> labels,
            IEnumerable<string>? prompts = null, string? imageColumnName = null) => new(_mlContext, encoder, labels, prompts, imageColumnName);

        private static TOptions With<TOptions>(TOptions options, string outputColumnName, string imageColumnName, string textColumnName,
            ImageEncoderFactory? imageEncoder, TextEncoderFactory? textEncoder, int? batchSize, int? numberOfEpochs, double? learningRate)
            where TOptions : ImageTextPretrainingOptions
        {
            (options.OutputColumnName, options.ImageColumnName, options.TextColumnName) = (outputColumnName, imageColumnName, textColumnName);
            (options.ImageEncoder, options.TextEncoder) = (imageEncoder, textEncoder);
            options.Set(batchSize, numberOfEpochs, learningRate);
            return options;
        }
    }
}
