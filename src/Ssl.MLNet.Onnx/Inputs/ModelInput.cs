using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Graph;

namespace Ssl.MLNet.Onnx.Inputs;

/// <summary>What an ONNX model of a kind of column takes, and what becomes of it up to the output column.</summary>
internal abstract class ModelInput
{
    /// <summary>The side of all inputs and outputs that counts rows.</summary>
    public const string Rows = "batch";

    /// <summary>What the inputs are to a program that has no ML.NET: what has to be done before.</summary>
    public abstract string Preparation { get; }

    /// <summary>Adds the inputs, and computes an embedding of them.</summary>
    /// <param name="weights">Of the network.</param>
    /// <returns>Single [N, D].</returns>
    public abstract OnnxValue Embed(NetworkWeights weights);

    /// <summary>What the output column holds: the embedding, unless the row's own cells stand before it.</summary>
    /// <param name="embedding">What <see cref="Embed"/> gave.</param>
    public virtual OnnxValue Output(OnnxValue embedding) => embedding;

    /// <summary>A row as the inputs can hold it: numbers in the inputs' precision. The memory is the row's own.</summary>
    public virtual RawRow Narrowed(RawRow row) => row;

    /// <summary>Values of the inputs for rows that are computed together.</summary>
    /// <param name="rows">As the data have them.</param>
    /// <param name="store">The same rows in the format's store.</param>
    public abstract Dictionary<string, OrtValue> Values(IReadOnlyList<RawRow> rows, RowStore store);

    /// <summary>A row to check a model with where there are no data.</summary>
    public abstract RawRow MadeUp(Random random);

    /// <summary>Files beside the model that a program needs to prepare texts: name and content. None for other kinds.</summary>
    public virtual IReadOnlyList<(string Name, Action<Stream> Write)> Files => [];

    /// <summary>What there is to know of a format's columns.</summary>
    /// <param name="format">How rows are read.</param>
    /// <exception cref="NotSupportedException">It is of a kind that somebody added.</exception>
    public static ModelInput Of(RowFormat format) => format switch
    {
        TextRowFormat { Columns.Count: 1 } texts => new TextInput(texts),
        ImageRowFormat images => new ImageInput(images),
        TableRowFormat table => new TableInput(table),
        SeriesRowFormat series => new SeriesInput(series),
        ImageTextRowFormat pairs => new ImageTextInput(pairs),
        _ => throw new NotSupportedException($"An encoder of columns of the kind '{format.Kind}' cannot be written as ONNX. Those of texts, images, tables, time series, sounds "
            + "and images with texts can be. Keep it as it is with SaveEncoder."),
    };

    /// <summary>The encoder's columns, and the network that a model keeps around its encoder.</summary>
    /// <param name="model">The encoder.</param>
    /// <param name="graph">Takes the weights.</param>
    public static NetworkWeights WeightsOf(EncoderModel model, OnnxBuilder graph)
    {
        var weights = new NetworkWeights(graph, model.GetWeights());
        return model.Format is TableRowFormat ? weights.Part("encoder") : weights;
    }
}
