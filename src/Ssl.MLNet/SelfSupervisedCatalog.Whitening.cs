using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Whitens vectors, such as embeddings: of mean 0, and no number of them tells of another. Cosines of embeddings that crowd around one
    /// direction then compare what they differ in.
    /// </summary>
    /// <param name="outputColumnName">Name of the new column: a known-size vector of <see cref="float"/>.</param>
    /// <param name="inputColumnName">Name of the column of vectors: known-size, of <see cref="float"/>; null takes
    /// <paramref name="outputColumnName"/>.</param>
    /// <param name="kind">Which of the whitening matrices.</param>
    /// <param name="numberOfComponents">Numbers of a whitened vector, only for
    /// <see cref="WhiteningKind.PrincipalComponentAnalysis"/>. At least 1; null keeps all.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
    public WhiteningEstimator Whiten(string outputColumnName = ColumnNames.Features, string? inputColumnName = null,
        WhiteningKind kind = WhiteningKind.ZeroPhaseComponentAnalysis, int? numberOfComponents = null)
        => Whiten(new WhiteningEstimator.Options
        {
            OutputColumnName = outputColumnName,
            InputColumnName = inputColumnName,
            Kind = kind,
            NumberOfComponents = numberOfComponents,
        });

    /// <inheritdoc cref="Whiten(string, string, WhiteningKind, int?)"/>
    /// <param name="options">All settings.</param>
    public WhiteningEstimator Whiten(WhiteningEstimator.Options options) => new(_mlContext, options);
}
