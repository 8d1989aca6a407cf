using Microsoft.ML;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// A fine-tuned encoder that finds entities in a text column; what its columns hold says <see cref="NamedEntitiesTrainer"/>. Lazy
/// (nothing is computed until rows are read), batched, order-preserving; any number of threads may score at once. Dispose of it when it is no
/// longer needed: it holds the network's weights.
/// </summary>
public sealed class NamedEntitiesTransformer : FindingTransformer
{
    private readonly NamedEntitiesModel _model;

    internal NamedEntitiesTransformer(MLContext mlContext, NamedEntitiesModel model) : base(mlContext, model) => _model = model;

    internal NamedEntitiesModel Model => _model;

    /// <inheritdoc/>
    public override IReadOnlyList<string> OutputColumnNames => NamedEntitiesColumns.Names(_model.Kind);

    /// <summary>The kinds of entities that it tells apart.</summary>
    public IReadOnlyList<string> EntityKinds => _model.Tags.Kinds;

    private protected override DataViewSchema Append(DataViewSchema inputSchema)
    {
        RequireTexts(inputSchema);
        return NamedEntitiesColumns.Append(inputSchema, _model.Kind, _model.Tags.Classes);
    }

    private protected override void Save(ModelSaveContext context) => ModelFiles.Save(context, _model.WriteArchive);
}
