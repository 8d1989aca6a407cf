using System.ComponentModel;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>Pretraining methods for text. Each has a short form and one that takes all its options.</summary>
    public sealed class TextMethods
    {
        private readonly MLContext _mlContext;

        internal TextMethods(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>The context, for entries of other assemblies, which are extension methods of this group.</summary>
        [EditorBrowsable(EditorBrowsableState.Advanced)]
        public MLContext Context => _mlContext;

        /// <summary>Pretrains on pairs: the two texts of a row attract each other, all other rows of the batch repel.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the text column that is embedded later. Its type is <c>Text</c>.</param>
        /// <param name="pairColumnName">Name of the text column with the other side of the pair; read in training only.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TextEncoders.Bag"/>.</param>
        /// <param name="batchSize">Rows a step; every row has <c>batchSize - 1</c> negatives. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public PairedContrastiveTrainer PairedContrastive(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Text,
            string pairColumnName = ColumnNames.Pair, TextEncoderFactory? encoder = null, int? batchSize = null,
            int? numberOfEpochs = null, double? learningRate = null, float? temperature = null)
        {
            var options = new PairedContrastiveTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                PairColumnName = pairColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            return PairedContrastive(options);
        }

        /// <inheritdoc cref="PairedContrastive(string, string, string, TextEncoderFactory, int?, int?, double?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public PairedContrastiveTrainer PairedContrastive(PairedContrastiveTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains a sentence encoder with SimCSE: a text through two draws of dropout attracts itself, the batch repels.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the text column to learn from and embed. Its type is <c>Text</c>.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TextEncoders.Transformer"/>. It needs dropout or token
        /// deletion.</param>
        /// <param name="batchSize">Rows a step; every row has <c>batchSize - 1</c> negatives. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public SimCseTrainer SimCse(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Text, TextEncoderFactory? encoder = null,
            int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null, float? temperature = null)
        {
            var options = new SimCseTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.Temperature = temperature ?? options.Temperature;
            return SimCse(options);
        }

        /// <inheritdoc cref="SimCse(string, string, TextEncoderFactory, int?, int?, double?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public SimCseTrainer SimCse(SimCseTrainer.Options options) => new(_mlContext, options);

        /// <summary>Pretrains a text encoder as BERT does: some tokens are hidden, the encoder predicts them from the others.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the text column to learn from and embed. Its type is <c>Text</c>.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TextEncoders.Transformer"/>.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="maskRatio">Share of the tokens chosen for prediction. In (0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MaskedLanguageModelTrainer MaskedLanguageModel(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Text, TextEncoderFactory? encoder = null,
            int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null, float? maskRatio = null)
        {
            var options = new MaskedLanguageModelTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.MaskRatio = maskRatio ?? options.MaskRatio;
            return MaskedLanguageModel(options);
        }

        /// <inheritdoc cref="MaskedLanguageModel(string, string, TextEncoderFactory, int?, int?, double?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public MaskedLanguageModelTrainer MaskedLanguageModel(MaskedLanguageModelTrainer.Options options) => new(_mlContext, options);

        /// <summary>The hybrid: SimCSE shapes the embedding, masked tokens shape the token vectors, in one step.</summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the text column to learn from and embed. Its type is <c>Text</c>.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TextEncoders.Transformer"/>.</param>
        /// <param name="batchSize">Rows a step; every row has <c>batchSize - 1</c> negatives. At least 2.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="contrastiveWeight">Weight of the contrastive term. At least 0.</param>
        /// <param name="maskedWeight">Weight of the masked-token term. At least 0; not both 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public ContrastiveMaskedTrainer ContrastiveMasked(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Text, TextEncoderFactory? encoder = null,
            int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null, float? contrastiveWeight = null,
            float? maskedWeight = null)
        {
            var options = new ContrastiveMaskedTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.ContrastiveWeight = contrastiveWeight ?? options.ContrastiveWeight;
            options.MaskedWeight = maskedWeight ?? options.MaskedWeight;
            return ContrastiveMasked(options);
        }

        /// <inheritdoc cref="ContrastiveMasked(string, string, TextEncoderFactory, int?, int?, double?, float?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public ContrastiveMaskedTrainer ContrastiveMasked(ContrastiveMaskedTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains a sentence encoder with TSDAE: most tokens are deleted, a decoder says the whole text again from the embedding of the rest.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the text column to learn from and embed. Its type is <c>Text</c>.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TextEncoders.Transformer"/>.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="tokenDeletion">Share of the tokens deleted from what the encoder sees. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public TsdaeTrainer Tsdae(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Text, TextEncoderFactory? encoder = null,
            int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null, float? tokenDeletion = null)
        {
            var options = new TsdaeTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            options.TokenDeletion = tokenDeletion ?? options.TokenDeletion;
            return Tsdae(options);
        }

        /// <inheritdoc cref="Tsdae(string, string, TextEncoderFactory, int?, int?, double?, float?)"/>
        /// <param name="options">All settings of the method.</param>
        public TsdaeTrainer Tsdae(TsdaeTrainer.Options options) => new(_mlContext, options);

        /// <summary>
        /// Pretrains a text encoder by the order of sentences: they are shuffled, a decoder says the text again in its order from the embedding.
        /// </summary>
        /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
        /// <param name="inputColumnName">Name of the text column to learn from and embed. Its type is <c>Text</c>.</param>
        /// <param name="encoder">The encoder to pretrain; null takes <see cref="TextEncoders.Transformer"/>.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. 0 leaves the encoder untrained.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public SentencePermutationTrainer SentencePermutation(
            string outputColumnName = ColumnNames.Features, string inputColumnName = ColumnNames.Text, TextEncoderFactory? encoder = null,
            int? batchSize = null, int? numberOfEpochs = null, double? learningRate = null)
        {
            var options = new SentencePermutationTrainer.Options
            {
                OutputColumnName = outputColumnName,
                InputColumnName = inputColumnName,
                Encoder = encoder,
            };
            options.Set(batchSize, numberOfEpochs, learningRate);
            return SentencePermutation(options);
        }

        /// <inheritdoc cref="SentencePermutation(string, string, TextEncoderFactory, int?, int?, double?)"/>
        /// <param name="options">All settings of the method.</param>
        public SentencePermutationTrainer SentencePermutation(SentencePermutationTrainer.Options options) => new(_mlContext, options);
    }
}
