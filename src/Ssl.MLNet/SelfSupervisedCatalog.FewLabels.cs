using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Transformers;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>Learning to predict from few labeled rows and many unlabeled ones.</summary>
    public FewLabelsTasks FewLabels { get; }

    /// <summary>
    /// Trainers for few labeled rows: what helps is found by cross-validation on them. They stand on a column of features, such as what a
    /// pretraining stage earlier in the chain gives; rows whose label is missing are unlabeled rows.
    /// </summary>
    public sealed class FewLabelsTasks
    {
        private readonly MLContext _mlContext;

        internal FewLabelsTasks(MLContext mlContext) => _mlContext = mlContext;

        /// <summary>Tells several classes apart.</summary>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <c>Key</c> of <see cref="uint"/>; a missing key makes a
        /// row an unlabeled one.</param>
        /// <param name="featureColumnName">Name of the column of vectors: known-size, of <see cref="float"/>.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public FewLabelsTrainer MulticlassClassification(string labelColumnName = FewLabelsTrainer.Defaults.LabelColumnName,
            string featureColumnName = FewLabelsTrainer.Defaults.FeatureColumnName)
            => MulticlassClassification(Options(labelColumnName, featureColumnName));

        /// <inheritdoc cref="MulticlassClassification(string, string)"/>
        /// <param name="options">All settings.</param>
        public FewLabelsTrainer MulticlassClassification(FewLabelsTrainer.Options options)
            => new(_mlContext, PredictionKind.MulticlassClassification, options);

        /// <summary>
        /// Answers a yes-or-no question. Unlabeled rows go to
        /// <see cref="FewLabelsTrainer.Fit(IDataView, IDataView?)"/>, as a <see cref="bool"/> is never missing.
        /// </summary>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <see cref="bool"/>.</param>
        /// <param name="featureColumnName">Name of the column of vectors: known-size, of <see cref="float"/>.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public FewLabelsTrainer BinaryClassification(string labelColumnName = FewLabelsTrainer.Defaults.LabelColumnName,
            string featureColumnName = FewLabelsTrainer.Defaults.FeatureColumnName)
            => BinaryClassification(Options(labelColumnName, featureColumnName));

        /// <inheritdoc cref="BinaryClassification(string, string)"/>
        /// <param name="options">All settings.</param>
        public FewLabelsTrainer BinaryClassification(FewLabelsTrainer.Options options) => new(_mlContext, PredictionKind.BinaryClassification, options);

        /// <summary>Predicts a number.</summary>
        /// <param name="labelColumnName">Name of the column to predict. Its type is <see cref="float"/>; NaN makes a row an unlabeled
        /// one.</param>
        /// <param name="featureColumnName">Name of the column of vectors: known-size, of <see cref="float"/>.</param>
        /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
        public FewLabelsTrainer Regression(string labelColumnName = FewLabelsTrainer.Defaults.LabelColumnName,
            string featureColumnName = FewLabelsTrainer.Defaults.FeatureColumnName)
            => Regression(Options(labelColumnName, featureColumnName));

        /// <inheritdoc cref="Regression(string, string)"/>
        /// <param name="options">All settings.</param>
        public FewLabelsTrainer Regression(FewLabelsTrainer.Options options) => new(_mlContext, PredictionKind.Regression, options);

        private static FewLabelsTrainer.Options Options(string label, string features)
            => new() { LabelColumnName = label, FeatureColumnName = features };
    }
}
