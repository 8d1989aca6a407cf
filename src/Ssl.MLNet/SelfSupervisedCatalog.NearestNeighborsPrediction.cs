using Ssl.Estimators;
using Ssl.Estimators.Transformers;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Predicts one of several classes by a vote of the nearest labeled rows: each neighbor counts exp(cosine / temperature).
    /// </summary>
    /// <param name="labelColumnName">Name of the column to predict. Its type is <c>Key</c> of <see cref="uint"/>.</param>
    /// <param name="featureColumnName">Name of the column of vectors: known-size, of <see cref="float"/>, such as an embedding.</param>
    /// <param name="numberOfNeighbors">How many neighbors vote on a row. At least 1.</param>
    /// <param name="temperature">Divides the cosine similarities: the smaller, the more the nearest ones count. Greater than 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
    public NearestNeighborsPredictionEstimator NearestNeighborsMulticlassClassification(
        string labelColumnName = NearestNeighborsPredictionEstimator.Defaults.LabelColumnName,
        string featureColumnName = NearestNeighborsPredictionEstimator.Defaults.FeatureColumnName,
        int numberOfNeighbors = NearestNeighborsPredictionEstimator.Defaults.NumberOfNeighbors,
        double temperature = NearestNeighborsPredictionEstimator.Defaults.Temperature)
        => NearestNeighborsMulticlassClassification(new NearestNeighborsPredictionEstimator.Options
        {
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            NumberOfNeighbors = numberOfNeighbors,
            Temperature = temperature,
        });

    /// <inheritdoc cref="NearestNeighborsMulticlassClassification(string, string, int, double)"/>
    /// <param name="options">All settings.</param>
    public NearestNeighborsPredictionEstimator NearestNeighborsMulticlassClassification(NearestNeighborsPredictionEstimator.Options options)
        => new(_mlContext, PredictionKind.MulticlassClassification, options);

    /// <summary>
    /// Predicts the answer to a yes-or-no question by a vote of the nearest labeled rows: each neighbor counts exp(cosine / temperature).
    /// </summary>
    /// <param name="labelColumnName">Name of the column to predict. Its type is <see cref="bool"/>.</param>
    /// <param name="featureColumnName">Name of the column of vectors: known-size, of <see cref="float"/>, such as an embedding.</param>
    /// <param name="numberOfNeighbors">How many neighbors vote on a row. At least 1.</param>
    /// <param name="temperature">Divides the cosine similarities: the smaller, the more the nearest ones count. Greater than 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
    public NearestNeighborsPredictionEstimator NearestNeighborsBinaryClassification(
        string labelColumnName = NearestNeighborsPredictionEstimator.Defaults.LabelColumnName,
        string featureColumnName = NearestNeighborsPredictionEstimator.Defaults.FeatureColumnName,
        int numberOfNeighbors = NearestNeighborsPredictionEstimator.Defaults.NumberOfNeighbors,
        double temperature = NearestNeighborsPredictionEstimator.Defaults.Temperature)
        => NearestNeighborsBinaryClassification(new NearestNeighborsPredictionEstimator.Options
        {
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            NumberOfNeighbors = numberOfNeighbors,
            Temperature = temperature,
        });

    /// <inheritdoc cref="NearestNeighborsBinaryClassification(string, string, int, double)"/>
    /// <param name="options">All settings.</param>
    public NearestNeighborsPredictionEstimator NearestNeighborsBinaryClassification(NearestNeighborsPredictionEstimator.Options options)
        => new(_mlContext, PredictionKind.BinaryClassification, options);

    /// <summary>Predicts a number by a vote of the nearest labeled rows: each neighbor counts exp(cosine / temperature).</summary>
    /// <param name="labelColumnName">Name of the column to predict. Its type is <see cref="float"/>.</param>
    /// <param name="featureColumnName">Name of the column of vectors: known-size, of <see cref="float"/>, such as an embedding.</param>
    /// <param name="numberOfNeighbors">How many neighbors vote on a row. At least 1.</param>
    /// <param name="temperature">Divides the cosine similarities: the smaller, the more the nearest ones count. Greater than 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
    public NearestNeighborsPredictionEstimator NearestNeighborsRegression(
        string labelColumnName = NearestNeighborsPredictionEstimator.Defaults.LabelColumnName,
        string featureColumnName = NearestNeighborsPredictionEstimator.Defaults.FeatureColumnName,
        int numberOfNeighbors = NearestNeighborsPredictionEstimator.Defaults.NumberOfNeighbors,
        double temperature = NearestNeighborsPredictionEstimator.Defaults.Temperature)
        => NearestNeighborsRegression(new NearestNeighborsPredictionEstimator.Options
        {
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            NumberOfNeighbors = numberOfNeighbors,
            Temperature = temperature,
        });

    /// <inheritdoc cref="NearestNeighborsRegression(string, string, int, double)"/>
    /// <param name="options">All settings.</param>
    public NearestNeighborsPredictionEstimator NearestNeighborsRegression(NearestNeighborsPredictionEstimator.Options options)
        => new(_mlContext, PredictionKind.Regression, options);
}
