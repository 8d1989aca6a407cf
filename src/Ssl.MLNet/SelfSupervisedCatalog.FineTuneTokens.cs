using Ssl.Estimators;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    public sealed partial class FineTuneTasks
    {
        /// <summary>Tunes a copy of a text encoder to find entities in a text; the encoder itself never changes.</summary>
        /// <param name="encoder">A fitted encoder of one text column that sees a word's context; must not be disposed of before <c>Fit</c>.</param>
        /// <param name="labelColumnName">Name of the column of labels, a vector of <c>Key</c> of <see cref="uint"/>: one for each word.</param>
        /// <param name="batchSize">Texts, or windows of them, a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="validationFraction">Share of the rows kept out to find the best epoch; 0 keeps the last one. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
        public NamedEntitiesTrainer NamedEntities(
            EncoderTransformer encoder,
            string labelColumnName = FineTuningOptions.CommonDefaults.LabelColumnName,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate,
            double validationFraction = FineTuningOptions.CommonDefaults.ValidationFraction)
        {
            ArgumentNullException.ThrowIfNull(encoder);
            return NamedEntities(new NamedEntitiesTrainer.Options
            {
                Encoder = encoder,
                LabelColumnName = labelColumnName,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ValidationFraction = validationFraction,
            });
        }

        /// <summary>Tunes a copy of the text encoder that made an embedding column earlier in the same chain, to find entities in its
        /// text.</summary>
        /// <param name="labelColumnName">Name of the column of labels, a vector of <c>Key</c> of <see cref="uint"/>: one for each word.</param>
        /// <param name="featureColumnName">Name of the embedding column; the encoder's input column must still be there.</param>
        /// <param name="batchSize">Texts, or windows of them, a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="validationFraction">Share of the rows kept out to find the best epoch; 0 keeps the last one. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public NamedEntitiesTrainer NamedEntities(
            string labelColumnName = FineTuningOptions.CommonDefaults.LabelColumnName,
            string featureColumnName = FineTuningOptions.CommonDefaults.FeatureColumnName,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate,
            double validationFraction = FineTuningOptions.CommonDefaults.ValidationFraction)
            => NamedEntities(new NamedEntitiesTrainer.Options
            {
                LabelColumnName = labelColumnName,
                FeatureColumnName = featureColumnName,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ValidationFraction = validationFraction,
            });

        /// <inheritdoc cref="NamedEntities(string, string, int, int, double, double)"/>
        /// <param name="options">All settings, entities given by their places among them; <see cref="FineTuningOptions.Encoder"/> decides between
        /// the two forms.</param>
        public NamedEntitiesTrainer NamedEntities(NamedEntitiesTrainer.Options options) => new(_mlContext, options);

        /// <summary>Tunes a copy of a text encoder to answer questions out of texts; the encoder itself never changes.</summary>
        /// <param name="encoder">A fitted encoder of texts that sees a word's context; must not be disposed of before <c>Fit</c>.</param>
        /// <param name="questionColumnName">Name of the column of questions.</param>
        /// <param name="contextColumnName">Name of the column of texts in which the answers stand.</param>
        /// <param name="trainingAnswerColumnName">Name of the column of answers; an empty one says that there is none.</param>
        /// <param name="answerIndexColumnName">Name of the column that says where the answer begins; null takes the first place where it stands.</param>
        /// <param name="topK">Answers that the model gives a question at most. At least 1.</param>
        /// <param name="batchSize">Windows of contexts a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
        public QuestionAnsweringTrainer QuestionAnswering(
            EncoderTransformer encoder,
            string questionColumnName = QuestionAnsweringTrainer.Defaults.QuestionColumnName,
            string contextColumnName = QuestionAnsweringTrainer.Defaults.ContextColumnName,
            string trainingAnswerColumnName = QuestionAnsweringTrainer.Defaults.AnswerColumnName,
            string? answerIndexColumnName = QuestionAnsweringTrainer.Defaults.AnswerIndexColumnName,
            int topK = QuestionAnsweringTrainer.Defaults.TopK,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate)
        {
            ArgumentNullException.ThrowIfNull(encoder);
            return QuestionAnswering(new QuestionAnsweringTrainer.Options
            {
                Encoder = encoder,
                QuestionColumnName = questionColumnName,
                ContextColumnName = contextColumnName,
                LabelColumnName = trainingAnswerColumnName,
                AnswerIndexColumnName = answerIndexColumnName,
                TopK = topK,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
            });
        }

        /// <summary>Tunes a copy of the text encoder that made an embedding column earlier in the same chain, to answer questions out of
        /// texts.</summary>
        /// <param name="featureColumnName">Name of the embedding column.</param>
        /// <param name="questionColumnName">Name of the column of questions.</param>
        /// <param name="contextColumnName">Name of the column of texts in which the answers stand.</param>
        /// <param name="trainingAnswerColumnName">Name of the column of answers; an empty one says that there is none.</param>
        /// <param name="answerIndexColumnName">Name of the column that says where the answer begins; null takes the first place where it stands.</param>
        /// <param name="topK">Answers that the model gives a question at most. At least 1.</param>
        /// <param name="batchSize">Windows of contexts a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public QuestionAnsweringTrainer QuestionAnswering(
            string featureColumnName = FineTuningOptions.CommonDefaults.FeatureColumnName,
            string questionColumnName = QuestionAnsweringTrainer.Defaults.QuestionColumnName,
            string contextColumnName = QuestionAnsweringTrainer.Defaults.ContextColumnName,
            string trainingAnswerColumnName = QuestionAnsweringTrainer.Defaults.AnswerColumnName,
            string? answerIndexColumnName = QuestionAnsweringTrainer.Defaults.AnswerIndexColumnName,
            int topK = QuestionAnsweringTrainer.Defaults.TopK,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate)
            => QuestionAnswering(new QuestionAnsweringTrainer.Options
            {
                FeatureColumnName = featureColumnName,
                QuestionColumnName = questionColumnName,
                ContextColumnName = contextColumnName,
                LabelColumnName = trainingAnswerColumnName,
                AnswerIndexColumnName = answerIndexColumnName,
                TopK = topK,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
            });

        /// <inheritdoc cref="QuestionAnswering(string, string, string, string, string?, int, int, int, double)"/>
        /// <param name="options">All settings; <see cref="FineTuningOptions.Encoder"/> decides between the two forms.</param>
        public QuestionAnsweringTrainer QuestionAnswering(QuestionAnsweringTrainer.Options options) => new(_mlContext, options);
    }
}
