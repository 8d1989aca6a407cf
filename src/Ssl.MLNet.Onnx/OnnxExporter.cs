using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Serialization;
using Ssl.MLNet.Onnx.Graph;

namespace Ssl.MLNet.Onnx;

/// <summary>Writes a model, once it was compared with what it is a copy of.</summary>
internal static class OnnxExporter
{
    /// <summary>The largest difference that is let through, of numbers up to 1.</summary>
    public const double Tolerance = 1e-4;

    private const int MostRows = 200;

    /// <summary>Writes a file once ONNX Runtime computes what the model does; else nothing is written.</summary>
    /// <param name="mlContext">Has the log.</param>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="data">Rows to compare on; null makes some up.</param>
    public static OnnxExportResult Export(MLContext mlContext, ModelExport model, string path, IDataView? data)
    {
        if (data is not null)
            model.CheckColumns(data.Schema);
        AtomicFile.RequireWritable(path);
        var uses = model.Lifetimes.Select(lifetime => lifetime.Enter()).ToArray();
        try
        {
            return WriteChecked(mlContext, model, path, data);
        }
        finally
        {
            foreach (var use in uses)
                use.Dispose();
        }
    }

    private static OnnxExportResult WriteChecked(MLContext mlContext, ModelExport model, string path, IDataView? data)
    {
        var bytes = Write(model, out var graph);
        var (rows, difference) = Compare(model, bytes, data);
        var files = model.Files.Select(file => (Path: Path.ChangeExtension(path, file.Name), file.Write)).ToArray();
        foreach (var file in files)
            AtomicFile.Write(file.Path, file.Write);
        AtomicFile.Write(path, stream => stream.Write(bytes));
        var result = new OnnxExportResult(path, Columns(graph.Inputs), Columns(graph.Outputs), model.Preparation, [.. files.Select(file => file.Path)], rows, difference);
        using var channel = ((IChannelProvider)mlContext).Start("ExportOnnx");
        channel.Info(MessageSensitivity.None, "{0}", result.ToString());
        return result;
    }

    private static byte[] Write(ModelExport model, out OnnxBuilder graph)
    {
        graph = new OnnxBuilder("encoder");
        model.Build(graph);
        using var stream = new MemoryStream();
        graph.Write(stream, model.Description, new Dictionary<string, string>(model.Metadata) { ["preparation"] = model.Preparation });
        return stream.ToArray();
    }

    private static OnnxColumn[] Columns(List<(string Name, string Type, IReadOnlyList<string> Shape)> columns)
        => [.. columns.Select(column => new OnnxColumn(column.Name, column.Type, column.Shape))];

    private static (int Rows, double Difference) Compare(ModelExport model, byte[] bytes, IDataView? data)
    {
        using var session = new InferenceSession(bytes);
        using var options = new RunOptions();
        var (rows, largest) = (0, 0.0);
        foreach (var check in model.Checks(data, MostRows))
        {
            try
            {
                using var outputs = session.Run(options, check.Inputs, model.ComparedOutputs);
                float[] actual = [.. outputs.SelectMany(output => output.GetTensorDataAsSpan<float>().ToArray())];
                largest = Math.Max(largest, Largest(check.Expected, actual, check.Compared, rows, check.Rows));
                rows += check.Rows;
            }
            finally
            {
                foreach (var value in check.Inputs.Values)
                    value.Dispose();
            }
        }
        return (rows, largest);
    }

    private static double Largest(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, bool[]? compared, int firstRow, int rows)
    {
        if (expected.Length != actual.Length)
            throw Differs($"it has {actual.Length} numbers for {rows} rows, the model {expected.Length}");
        var (largest, scale) = (0.0, 1.0);
        for (var i = 0; i < expected.Length; i++)
            scale = compared?[i] == false ? scale : Math.Max(scale, Math.Abs(expected[i]));
        for (var i = 0; i < expected.Length; i++)
        {
            if (compared?[i] == false)
                continue;
            var difference = Math.Abs((double)expected[i] - actual[i]);
            if (!(difference <= Tolerance * scale) && !(float.IsNaN(expected[i]) && float.IsNaN(actual[i])))
            {
                throw Differs(string.Create(CultureInfo.InvariantCulture, $"in row {firstRow + i / (expected.Length / rows)} it gives {actual[i]:G6} for {expected[i]:G6}, ")
                    + string.Create(CultureInfo.InvariantCulture, $"which is more than {Tolerance * scale:G3} apart"));
            }
            largest = Math.Max(largest, difference);
        }
        return largest;
    }

    private static InvalidOperationException Differs(string what) => new($"ONNX Runtime computes other numbers of the exported model: {what}. Nothing was written. That is a fault "
        + "of the export or of ONNX Runtime: try other rows, and report it with the kind of the encoder.");
}
