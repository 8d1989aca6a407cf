using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Evaluation;
using Ssl.Estimators.Transformers;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Measures an embedding: collapse, effective rank and uniformity; with labels also how well the nearest neighbors and a linear
    /// classifier predict them.
    /// </summary>
    /// <param name="data">Holds the column of vectors, as <c>encoder.Transform(rows)</c> gives it; read once.</param>
    /// <param name="labelColumnName">Name of a column of labels, a key of <see cref="uint"/> or <see cref="bool"/>; null measures no
    /// prediction.</param>
    /// <param name="featureColumnName">Name of the column of vectors: known-size, of <see cref="float"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two usable rows, or the labels are all the same.</exception>
    public RepresentationMetrics EvaluateRepresentation(
        IDataView data,
        string? labelColumnName = null,
        string featureColumnName = RepresentationEvaluationOptions.Defaults.FeatureColumnName)
        => EvaluateRepresentation(data, new RepresentationEvaluationOptions
        {
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
        });

    /// <inheritdoc cref="EvaluateRepresentation(IDataView, string?, string)" path="/*[not(self::param)]"/>
    /// <param name="data">Holds the column of vectors; read once.</param>
    /// <param name="options">All settings, a second column for the alignment among them.</param>
    public RepresentationMetrics EvaluateRepresentation(IDataView data, RepresentationEvaluationOptions options)
        => RepresentationEvaluator.Evaluate(_mlContext, data, options);

    /// <summary>
    /// Measures how well queries find their own targets: the two vectors of a row belong together, and each query is compared with the
    /// targets of all rows by cosine.
    /// </summary>
    /// <param name="data">Holds both columns of vectors, as two <see cref="Embed"/> stages give them; read once.</param>
    /// <param name="queryColumnName">Name of the column of queries: known-size vectors of <see cref="float"/>.</param>
    /// <param name="targetColumnName">Name of the column of targets, vectors of the same length.</param>
    /// <param name="numberOfResults">For which k to measure recall@k, each from 1 to the number of rows; null takes 1, 5 and 10, as far as
    /// there are rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type, or a k is out of range.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two usable rows.</exception>
    public RetrievalMetrics EvaluateRetrieval(IDataView data, string queryColumnName, string targetColumnName,
        int[]? numberOfResults = null)
        => PairEvaluator.Retrieval(_mlContext, data, queryColumnName, targetColumnName, numberOfResults);

    /// <summary>Measures how well the cosine of the two vectors of a row follows a given similarity, as in semantic textual
    /// similarity.</summary>
    /// <param name="data">Holds both columns of vectors and the label; read once.</param>
    /// <param name="firstColumnName">Name of one column of vectors: known-size, of <see cref="float"/>.</param>
    /// <param name="secondColumnName">Name of the other, vectors of the same length.</param>
    /// <param name="labelColumnName">Name of the column of similarities. Its type is <see cref="float"/>; any scale.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two usable rows, or the labels are all the same.</exception>
    public SimilarityMetrics EvaluateSimilarity(IDataView data, string firstColumnName, string secondColumnName,
        string labelColumnName = "Label")
        => PairEvaluator.Similarity(_mlContext, data, firstColumnName, secondColumnName, labelColumnName);

    /// <summary>Measures how well entities are found: one counts where kind, beginning and end are right.</summary>
    /// <param name="data">Holds the columns, as a model of <c>FineTune.NamedEntities</c> gives them; read once.</param>
    /// <param name="labelColumnName">Name of the column of labels, a vector of <c>Key</c> of <see cref="uint"/>, one for each word; where places are
    /// given, a vector of <c>Key</c> or text, one for each entity.</param>
    /// <param name="predictedLabelColumnName">Name of the column of predicted labels, one for each word. Not read where places are given: what was
    /// found then stands in the columns EntityLabel, EntityStart and EntityLength.</param>
    /// <param name="startColumnName">Name of the column that says where each entity begins; null where every word has a label.</param>
    /// <param name="lengthColumnName">Name of the column that says how long each entity is; null where every word has a label.</param>
    /// <exception cref="ArgumentException">One of the two columns of places is given and the other is not.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">There are no rows, or a row has more values in one column than in another.</exception>
    public TaggingMetrics EvaluateTagging(IDataView data, string labelColumnName = "Label", string predictedLabelColumnName = "PredictedLabel",
        string? startColumnName = null, string? lengthColumnName = null) => (startColumnName, lengthColumnName) switch
        {
            (null, null) => TaggingEvaluator.OfWords(data, labelColumnName, predictedLabelColumnName),
            ({ } start, { } length) => TaggingEvaluator.OfPlaces(data, labelColumnName, start, length),
            _ => throw new ArgumentException("Entities given by their places need both columns: set startColumnName and lengthColumnName, or neither.",
                startColumnName is null ? nameof(startColumnName) : nameof(lengthColumnName)),
        };

    /// <summary>Measures how well questions are answered: the share of answers that are right, and how many of their words are, as SQuAD
    /// does.</summary>
    /// <param name="data">Holds both columns, as a model of <c>FineTune.QuestionAnswering</c> gives them; read once.</param>
    /// <param name="labelColumnName">Name of the column of right answers, which are empty where there is none.</param>
    /// <param name="answerColumnName">Name of the column of given answers, the likeliest first: text, or a vector of texts.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public AnswerMetrics EvaluateAnswers(IDataView data, string labelColumnName = QuestionAnsweringTrainer.Defaults.AnswerColumnName,
        string answerColumnName = AnswerColumns.Answer)
        => AnswerEvaluator.Evaluate(data, labelColumnName, answerColumnName);
}
