using Microsoft.ML;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// A fine-tuned encoder that answers questions out of texts; what its columns hold says <see cref="QuestionAnsweringTrainer"/>. Lazy
/// (nothing is computed until rows are read), batched, order-preserving; any number of threads may score at once. Dispose of it when it is no
/// longer needed: it holds the network's weights.
/// </summary>
public sealed class QuestionAnsweringTransformer : FindingTransformer
{
    private readonly AnswerModel _model;

    internal QuestionAnsweringTransformer(MLContext mlContext, AnswerModel model) : base(mlContext, model) => _model = model;

    internal AnswerModel Model => _model;

    /// <inheritdoc/>
    public override IReadOnlyList<string> OutputColumnNames => AnswerColumns.Names;

    private protected override DataViewSchema Append(DataViewSchema inputSchema)
    {
        RequireTexts(inputSchema);
        return AnswerColumns.Append(inputSchema);
    }

    private protected override void Save(ModelSaveContext context) => ModelFiles.Save(context, _model.WriteArchive);
}
