using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Evaluation;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Answers whether pretraining pays on your data, and from how many labels: compares, over several draws of labels, what ML.NET gives without
    /// it, a linear classifier on the frozen embedding, a fine-tuned copy of the encoder, and the same network trained from scratch.
    /// </summary>
    /// <param name="data">Rows with labels; read many times, always in the same order. Some are kept out to test on.</param>
    /// <param name="encoder">The pretrained encoder; it never changes.</param>
    /// <param name="labelColumnName">Name of the column of classes. Its type is a key of <see cref="uint"/>.</param>
    /// <param name="labelsPerClass">Numbers of labels a class to compare at; null takes 5, 20 and 100.</param>
    /// <param name="numberOfDraws">How often labels are drawn. At least 1.</param>
    /// <param name="baseline">The pipeline that pretraining has to beat; null takes <c>LbfgsMaximumEntropy</c> or, for tables, <c>LightGbm</c>, tuned
    /// and chosen by cross-validation on the labeled rows, on plain features of the encoder's input columns:
    /// <see cref="LabelEfficiencyOptions.Baseline"/> says which.</param>
    /// <returns>Accuracies, a table (<c>ToString</c>) and a conclusion.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range, or a column is missing or has another
    /// type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two classes, or nothing to test on.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public LabelEfficiencyReport LabelEfficiency(
        IDataView data,
        EncoderTransformer encoder,
        string labelColumnName = LabelEfficiencyOptions.Defaults.LabelColumnName,
        int[]? labelsPerClass = null,
        int numberOfDraws = LabelEfficiencyOptions.Defaults.NumberOfDraws,
        IEstimator<ITransformer>? baseline = null)
    {
        var options = new LabelEfficiencyOptions { LabelColumnName = labelColumnName, NumberOfDraws = numberOfDraws, Baseline = baseline };
        if (labelsPerClass is not null)
            options.LabelsPerClass = labelsPerClass;
        return LabelEfficiency(data, encoder, options);
    }

    /// <inheritdoc cref="LabelEfficiency(IDataView, EncoderTransformer, string, int[], int, IEstimator{ITransformer})" path="/*[not(self::param)]"/>
    /// <param name="data">Rows with labels; read many times, always in the same order.</param>
    /// <param name="encoder">The pretrained encoder; it never changes.</param>
    /// <param name="options">All settings; fractions of labels, test data, progress and cancellation among them.</param>
    public LabelEfficiencyReport LabelEfficiency(IDataView data, EncoderTransformer encoder, LabelEfficiencyOptions options)
        => LabelEfficiencyComparison.Run(_mlContext, data, encoder, options);
}
