using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;

namespace Ssl.Estimators.Persistence;

/// <summary>
/// Saves a fitted component as a flat chain of built-in transformers that carry its state and name its code, because ML.NET loads no
/// transformer of another assembly. See docs/decisions for the reasons and the alternatives that were tried.
/// </summary>
/// <remarks>
/// The chain: a constant column; one <c>Expression</c> for each text of the state; all of them as one vector; the inputs under fixed
/// names; the custom mapping that finds the model by its state and applies it; its output put together; everything temporary dropped.
/// </remarks>
internal static class CarrierChain
{
    /// <summary>
    /// Writes an encoder where <c>mlContext.Model.Save</c> wants it: the body of a transformer's <see cref="ICanSaveModel.Save"/>.
    /// </summary>
    public static void Save(EncoderModel model, ModelSaveContext context)
    {
        using var chain = Build(model);
        ((ICanSaveModel)chain).Save(context);
    }

    /// <summary>The chain of an encoder: what a loading process gets.</summary>
    public static TransformerChain<ITransformer> Build(EncoderModel model)
    {
        if (model.Dimension >= 1 << EmbeddingOutput.Count)
        {
            throw new InvalidOperationException($"Embeddings of length {model.Dimension} cannot be saved in a chain, the limit is " +
                $"{(1 << EmbeddingOutput.Count) - 1}. Save the encoder with SaveEncoder.");
        }

        var mlContext = new MLContext();
        var transforms = mlContext.Transforms;
        IEstimator<ITransformer> mapping = CarrierInputs.FormOf(model.InputKinds) switch
        {
            CarrierForm.Texts => transforms.CustomMapping<TextsInput, EmbeddingOutput>(TextsEmbedMapping.Map, TextsEmbedMapping.Contract),
            CarrierForm.Images => transforms.CustomMapping<ImagesInput, EmbeddingOutput>(ImagesEmbedMapping.Map,
                ImagesEmbedMapping.Contract),
            CarrierForm.Numbers =>
                transforms.CustomMapping<NumbersInput, EmbeddingOutput>(NumbersEmbedMapping.Map, NumbersEmbedMapping.Contract),
            _ => transforms.CustomMapping<MixedInput, EmbeddingOutput>(MixedEmbedMapping.Map, MixedEmbedMapping.Contract),
        };
        return Build(mlContext, model.WriteArchive, CarrierInputs.Columns(model.InputColumns, model.InputKinds),
            CarrierInputs.Fix(transforms, model.InputColumns, model.InputKinds), mapping,
            [Gather(transforms, model.OutputColumn, CarrierColumns.Part, model.Dimension)]);
    }

    /// <summary>The chain of any component.</summary>
    /// <param name="mlContext">Makes the parts.</param>
    /// <param name="write">Writes the state.</param>
    /// <param name="inputs">The columns that it reads.</param>
    /// <param name="fixedInput">Bring them to columns of fixed names.</param>
    /// <param name="mapping">Applies the carried state to it.</param>
    /// <param name="outputs">Make the output columns of the mapping's parts.</param>
    public static TransformerChain<ITransformer> Build(MLContext mlContext, Action<Stream> write, DataViewSchema.DetachedColumn[] inputs,
        IEnumerable<IEstimator<ITransformer>> fixedInput, IEstimator<ITransformer> mapping, IEnumerable<IEstimator<ITransformer>> outputs)
    {
        var transforms = mlContext.Transforms;
        var (header, texts) = CarrierState.Encode(write, static packed => string.Concat(ConstantHead, packed.Span, "\""));
        string[] names = [.. Enumerable.Range(0, texts.Count + 1).Select(CarrierColumns.StateText)];

        var chain = new EstimatorChain<ITransformer>()
            .Append<ITransformer>(transforms.CustomMapping<NoInput, KeyOutput>(KeyMapping.Map, KeyMapping.Contract))
            .Append<ITransformer>(transforms.Expression(names[0], $"{ConstantHead}{header}\"", CarrierColumns.Key));
        for (var i = 0; i < texts.Count; i++)
        {
            chain = chain.Append<ITransformer>(transforms.Expression(names[i + 1], texts[i], CarrierColumns.Key));
        }

        chain = chain.Append<ITransformer>(transforms.Concatenate(CarrierColumns.State, names));
        foreach (var part in fixedInput.Append(mapping).Concat(outputs))
        {
            chain = chain.Append(part);
        }

        // Fitting needs the columns, no rows: every part is trivial.
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(inputs);
        IDataView view = new EmptyDataView(schema.ToSchema());
        var kept = view.Schema.Select(c => c.Name).ToHashSet();
        var fitted = chain.Fit(view);
        string[] temporary = [.. fitted.GetOutputSchema(view.Schema).Select(c => c.Name)
            .Where(n => !kept.Contains(n) && CarrierColumns.IsTemporary(n)).Distinct()];
        return fitted.Append<ITransformer>(transforms.DropColumns(temporary).Fit(fitted.Transform(view)));
    }

    /// <summary>Puts an output column together from the parts of its length.</summary>
    public static IEstimator<ITransformer> Gather(TransformsCatalog transforms, string output, string part, int length) =>
        transforms.Concatenate(output, [.. CarrierColumns.PartsOf(length).Select(i => $"{part}{i}")]);

    private const string ConstantHead = "x => \"";
}
