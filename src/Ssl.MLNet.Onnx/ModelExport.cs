using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Diagnostics;
using Ssl.MLNet.Onnx.Graph;

namespace Ssl.MLNet.Onnx;

/// <summary>A model to be written: its graph, and the numbers that it must give.</summary>
internal abstract class ModelExport
{
    /// <summary>End with the model: entered while it is written.</summary>
    public abstract IEnumerable<Lifetime> Lifetimes { get; }

    /// <summary>What it is, for the model's description.</summary>
    public abstract string Description { get; }

    /// <summary>What the inputs are to a program that has no ML.NET: what has to be done before.</summary>
    public abstract string Preparation { get; }

    /// <summary>Files beside the model that a program needs for that: name and content.</summary>
    public virtual IReadOnlyList<(string Name, Action<Stream> Write)> Files => [];

    /// <summary>What programs may want to know beside that, for the model's metadata.</summary>
    public virtual IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>();

    /// <summary>The outputs that are compared.</summary>
    public abstract IReadOnlyList<string> ComparedOutputs { get; }

    /// <summary>Throws unless rows of such data can be read.</summary>
    public abstract void CheckColumns(DataViewSchema schema);

    /// <summary>Adds inputs, network and outputs to a graph.</summary>
    public abstract void Build(OnnxBuilder graph);

    /// <summary>Rows to compare on, some together.</summary>
    /// <param name="data">The first of them are read; null makes some up.</param>
    /// <param name="most">Rows at most.</param>
    public abstract IEnumerable<OnnxCheck> Checks(IDataView? data, int most);
}

/// <summary>Rows that are computed together to compare.</summary>
/// <param name="Inputs">Of the graph; whoever takes them disposes of them.</param>
/// <param name="Expected">What the <see cref="ModelExport.ComparedOutputs"/> must be, one output after the other.</param>
/// <param name="Rows">How many rows.</param>
internal sealed record OnnxCheck(Dictionary<string, OrtValue> Inputs, float[] Expected, int Rows)
{
    /// <summary>Which of the numbers mean something, as those of padded places do not; null where all do.</summary>
    public bool[]? Compared { get; init; }
}
