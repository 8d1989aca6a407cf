using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.MLNet.Testing;

/// <summary>Catches the schema shape that a chain hands on before it fits: the only public way to one.</summary>
public sealed class ShapeProbe : IEstimator<ITransformer>
{
    private readonly MLContext _mlContext;

    private ShapeProbe(MLContext mlContext) => _mlContext = mlContext;

    private SchemaShape? Shape { get; set; }

    /// <summary>The shape of a view.</summary>
    public static SchemaShape Of(MLContext mlContext, IDataView data)
    {
        var probe = new ShapeProbe(mlContext);
        new EstimatorChain<ITransformer>().Append(probe).Fit(data);
        return probe.Shape!;
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Shape = inputSchema;

    public ITransformer Fit(IDataView input)
        => _mlContext.Transforms.CopyColumns("ShapeProbeCopy", input.Schema[0].Name).Fit(input);
}
