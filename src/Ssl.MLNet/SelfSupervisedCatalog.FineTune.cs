using Microsoft.ML;
using Ssl.Estimators;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Supervised training of pretrained encoders. Each task has a form that takes an encoder and tunes a copy of it, one that finds the
    /// encoder in the embedding column of an earlier stage of the same chain, and one that takes all its options.
    /// </summary>
    public sealed partial class FineTuneTasks
    {
        private readonly MLContext _mlContext;

        internal FineTuneTasks(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>Tunes a copy of an encoder to tell several classes apart; the encoder itself never changes.</summary>
        /// <param name="encoder">A fitted encoder; must not be disposed of before <c>Fit</c>.</param>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <c>Key</c> of <see cref="uint"/>.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="validationFraction">Share of the rows kept out to find the best epoch; 0 keeps the last one. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
        public MulticlassFineTuningTrainer MulticlassClassification(
            EncoderTransformer encoder,
            string labelColumnName = FineTuningOptions.CommonDefaults.LabelColumnName,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate,
            double validationFraction = FineTuningOptions.CommonDefaults.ValidationFraction)
        {
            ArgumentNullException.ThrowIfNull(encoder);
            return MulticlassClassification(new MulticlassFineTuningTrainer.Options
            {
                Encoder = encoder,
                LabelColumnName = labelColumnName,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ValidationFraction = validationFraction,
            });
        }

        /// <summary>Tunes a copy of the encoder that made an embedding column earlier in the same chain, to tell several classes
        /// apart.</summary>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <c>Key</c> of <see cref="uint"/>.</param>
        /// <param name="featureColumnName">Name of the embedding column; the encoder's input columns must still be there.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="validationFraction">Share of the rows kept out to find the best epoch; 0 keeps the last one. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public MulticlassFineTuningTrainer MulticlassClassification(
            string labelColumnName = FineTuningOptions.CommonDefaults.LabelColumnName,
            string featureColumnName = FineTuningOptions.CommonDefaults.FeatureColumnName,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate,
            double validationFraction = FineTuningOptions.CommonDefaults.ValidationFraction)
            => MulticlassClassification(new MulticlassFineTuningTrainer.Options
            {
                LabelColumnName = labelColumnName,
                FeatureColumnName = featureColumnName,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ValidationFraction = validationFraction,
            });

        /// <inheritdoc cref="MulticlassClassification(string, string, int, int, double, double)"/>
        /// <param name="options">All settings; <see cref="FineTuningOptions.Encoder"/> decides between the two forms.</param>
        public MulticlassFineTuningTrainer MulticlassClassification(MulticlassFineTuningTrainer.Options options)
            => new(_mlContext, options);

        /// <summary>Tunes a copy of an encoder to answer a yes-or-no question; the encoder itself never changes.</summary>
        /// <param name="encoder">A fitted encoder; must not be disposed of before <c>Fit</c>.</param>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <see cref="bool"/>.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="validationFraction">Share of the rows kept out to find the best epoch; 0 keeps the last one. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
        public BinaryFineTuningTrainer BinaryClassification(
            EncoderTransformer encoder,
            string labelColumnName = FineTuningOptions.CommonDefaults.LabelColumnName,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate,
            double validationFraction = FineTuningOptions.CommonDefaults.ValidationFraction)
        {
            ArgumentNullException.ThrowIfNull(encoder);
            return BinaryClassification(new BinaryFineTuningTrainer.Options
            {
                Encoder = encoder,
                LabelColumnName = labelColumnName,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ValidationFraction = validationFraction,
            });
        }

        /// <summary>Tunes a copy of the encoder that made an embedding column earlier in the same chain, to answer a yes-or-no
        /// question.</summary>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <see cref="bool"/>.</param>
        /// <param name="featureColumnName">Name of the embedding column; the encoder's input columns must still be there.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="validationFraction">Share of the rows kept out to find the best epoch; 0 keeps the last one. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public BinaryFineTuningTrainer BinaryClassification(
            string labelColumnName = FineTuningOptions.CommonDefaults.LabelColumnName,
            string featureColumnName = FineTuningOptions.CommonDefaults.FeatureColumnName,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate,
            double validationFraction = FineTuningOptions.CommonDefaults.ValidationFraction)
            => BinaryClassification(new BinaryFineTuningTrainer.Options
            {
                LabelColumnName = labelColumnName,
                FeatureColumnName = featureColumnName,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ValidationFraction = validationFraction,
            });

        /// <inheritdoc cref="BinaryClassification(string, string, int, int, double, double)"/>
        /// <param name="options">All settings; <see cref="FineTuningOptions.Encoder"/> decides between the two forms.</param>
        public BinaryFineTuningTrainer BinaryClassification(BinaryFineTuningTrainer.Options options) => new(_mlContext, options);

        /// <summary>Tunes a copy of an encoder to predict a number; the encoder itself never changes.</summary>
        /// <param name="encoder">A fitted encoder; must not be disposed of before <c>Fit</c>.</param>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <see cref="float"/>.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="validationFraction">Share of the rows kept out to find the best epoch; 0 keeps the last one. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
        public RegressionFineTuningTrainer Regression(
            EncoderTransformer encoder,
            string labelColumnName = FineTuningOptions.CommonDefaults.LabelColumnName,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate,
            double validationFraction = FineTuningOptions.CommonDefaults.ValidationFraction)
        {
            ArgumentNullException.ThrowIfNull(encoder);
            return Regression(new RegressionFineTuningTrainer.Options
            {
                Encoder = encoder,
                LabelColumnName = labelColumnName,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ValidationFraction = validationFraction,
            });
        }

        /// <summary>Tunes a copy of the encoder that made an embedding column earlier in the same chain, to predict a number.</summary>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <see cref="float"/>.</param>
        /// <param name="featureColumnName">Name of the embedding column; the encoder's input columns must still be there.</param>
        /// <param name="batchSize">Rows a step. At least 1.</param>
        /// <param name="numberOfEpochs">Passes over the data. At least 1.</param>
        /// <param name="learningRate">Peak learning rate. Greater than 0.</param>
        /// <param name="validationFraction">Share of the rows kept out to find the best epoch; 0 keeps the last one. In [0, 1).</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public RegressionFineTuningTrainer Regression(
            string labelColumnName = FineTuningOptions.CommonDefaults.LabelColumnName,
            string featureColumnName = FineTuningOptions.CommonDefaults.FeatureColumnName,
            int batchSize = FineTuningOptions.CommonDefaults.BatchSize,
            int numberOfEpochs = FineTuningOptions.CommonDefaults.NumberOfEpochs,
            double learningRate = FineTuningOptions.CommonDefaults.LearningRate,
            double validationFraction = FineTuningOptions.CommonDefaults.ValidationFraction)
            => Regression(new RegressionFineTuningTrainer.Options
            {
                LabelColumnName = labelColumnName,
                FeatureColumnName = featureColumnName,
                BatchSize = batchSize,
                NumberOfEpochs = numberOfEpochs,
                LearningRate = learningRate,
                ValidationFraction = validationFraction,
            });

        /// <inheritdoc cref="Regression(string, string, int, int, double, double)"/>
        /// <param name="options">All settings; <see cref="FineTuningOptions.Encoder"/> decides between the two forms.</param>
        public RegressionFineTuningTrainer Regression(RegressionFineTuningTrainer.Options options) => new(_mlContext, options);
    }
}
