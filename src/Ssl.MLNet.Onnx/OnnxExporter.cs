using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;
using Ssl.Estimators;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Inputs;

namespace Ssl.MLNet.Onnx;

/// <summary>Writes a model, once it was compared with what it is a copy of.</summary>
internal static class OnnxExporter
{
    /// <summary>The largest difference that is let through, of numbers up to 1.</summary>
    public const double Tolerance = 1e-4;

    private const int MostRows = 200, MadeUpRows = 64, RowsAtOnce = 32;

    /// <inheritdoc cref="OnnxExportExtensions.ExportOnnx(SelfSupervisedCatalog, EncoderTransformer, string, IDataView?)"/>
    public static OnnxExportResult Export(MLContext mlContext, ModelExport model, string path, IDataView? data)
    {
        if (data is not null)
            model.Format.CheckColumns(data.Schema);
        AtomicFile.RequireWritable(path);
        using var use = model.Lifetime.Enter();
        var input = ModelInput.Of(model.Format);
        var bytes = Write(model, input, out var graph);
        RawRow[] rows = [.. data is null ? [] : Read(data, model.Format).Take(MostRows).Select(input.Narrowed)];
        if (rows.Length == 0)
            rows = [.. MadeUp(input).Select(input.Narrowed)];
        var difference = Compare(model, input, bytes, rows);
        var files = input.Files.Select(file => (Path: Path.ChangeExtension(path, file.Name), file.Write)).ToArray();
        foreach (var file in files)
            AtomicFile.Write(file.Path, file.Write);
        AtomicFile.Write(path, stream => stream.Write(bytes));
        var result = new OnnxExportResult(path, Columns(graph.Inputs), Columns(graph.Outputs), input.Preparation, [.. files.Select(file => file.Path)], rows.Length, difference);
        using var channel = ((IChannelProvider)mlContext).Start("ExportOnnx");
        channel.Info(MessageSensitivity.None, "{0}", result.ToString());
        return result;
    }

    private static byte[] Write(ModelExport model, ModelInput input, out OnnxBuilder graph)
    {
        graph = new OnnxBuilder("encoder");
        model.Build(graph, input);
        using var stream = new MemoryStream();
        graph.Write(stream, model.Description, new Dictionary<string, string> { ["preparation"] = input.Preparation });
        return stream.ToArray();
    }

    private static OnnxColumn[] Columns(List<(string Name, string Type, IReadOnlyList<string> Shape)> columns)
        => [.. columns.Select(column => new OnnxColumn(column.Name, column.Type, column.Shape))];

    /// <summary>Rows of the data, each with its own memory; no more are read than are taken.</summary>
    public static IEnumerable<RawRow> Read(IDataView data, RowFormat format)
    {
        using var cursor = data.GetRowCursor(format.ActiveColumns(data.Schema).DistinctBy(column => column.Index));
        var read = format.Open(cursor);
        while (cursor.MoveNext())
        {
            var row = read(new RowBuffer());
            ReadOnlyMemory<char>[] texts = [.. row.Texts.ToArray().Select(text => (ReadOnlyMemory<char>)text.ToArray())];
            yield return row with { Texts = texts };
        }
    }

    private static IEnumerable<RawRow> MadeUp(ModelInput input)
    {
        var random = new Random(0);
        return Enumerable.Range(0, MadeUpRows).Select(_ => input.MadeUp(random));
    }

    private static double Compare(ModelExport model, ModelInput input, byte[] bytes, RawRow[] rows)
    {
        using var session = new InferenceSession(bytes);
        using var options = new RunOptions();
        var largest = 0.0;
        for (var first = 0; first < rows.Length; first += RowsAtOnce)
        {
            RawRow[] part = rows[first..Math.Min(rows.Length, first + RowsAtOnce)];
            var store = model.Format.NewStore();
            foreach (var row in part)
                store.Add(row, keepsEmpty: true);
            var expected = model.Expected(store);
            var values = input.Values(part, store);
            try
            {
                using var outputs = session.Run(options, values, [model.ComparedOutput]);
                largest = Math.Max(largest, Largest(expected, outputs[0].GetTensorDataAsSpan<float>(), first, part.Length));
            }
            finally
            {
                foreach (var value in values.Values)
                    value.Dispose();
            }
        }
        return largest;
    }

    private static double Largest(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, int firstRow, int rows)
    {
        if (expected.Length != actual.Length)
            throw Differs($"it has {actual.Length} numbers for {rows} rows, the model {expected.Length}");
        var (largest, scale) = (0.0, 1.0);
        foreach (var number in expected)
            scale = Math.Max(scale, Math.Abs(number));
        for (var i = 0; i < expected.Length; i++)
        {
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
