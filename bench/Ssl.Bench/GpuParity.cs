using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>Whether what a GPU trains is what a CPU, a second run, a resumed run and Python's libraries make of it.</summary>
public sealed class GpuParity : BenchCase
{
    private const int Epochs = 4, InterruptedAfter = 2;

    // Of the largest number of an embedding: Float32 sums of another order. A run resumed on another device draws other views and masks, so
    // only its loss compares, as a share of the loss.
    private const double EmbeddingTolerance = 1e-3, ResumedTolerance = 1e-2, LossTolerance = 0.25;

    private const string Unit = "of the largest", LossUnit = "of the loss";

    private readonly List<string> _faults = [];

    private delegate IEstimator<EncoderTransformer> Method(SelfSupervisedCatalog ssl, Action<PretrainingOptions> set);

    /// <inheritdoc/>
    public override string Name => "gpu-parity";

    /// <inheritdoc/>
    public override int Minutes => 2;

    /// <inheritdoc/>
    public override string Description => "one encoder on GPU and CPU, the same seed twice, a resumed run, and what Python reads of SavePretrained";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var gpu = cuda.is_available();
        if (!gpu && !settings.Quick)
            throw new BenchUnavailableException("gpu-parity needs a CUDA GPU and the TorchSharp-cuda package (SslTorch=cuda); --quick shows on the CPU that it works.");
        results.Note(gpu ? "Trained on the GPU." : "CPU in place of the GPU: this only shows that the case works.");
        results.Note($"Float32, {Epochs} epochs; tolerances: embeddings {EmbeddingTolerance} of the largest number, of runs trained twice or resumed {ResumedTolerance}, losses {LossTolerance} of the loss.");
        var images = GpuRow.Images(settings.Quick ? 64 : 256, 32);
        var texts = BenchText.Synthetic(settings.Quick ? 64 : 512, 30, BenchResults.Seed).Select(text => new TextRow { Text = text }).ToArray();
        ReadInPython(gpu, texts, results);
        // cuDNN adds up the gradients of convolutions in another order each time, which a training enlarges: told, but no fault.
        Compare("images, SimCLR ResNet-18", gpu, images, Of<SimClrTrainer.Options>((ssl, options) =>
        {
            options.Encoder = ImageEncoders.ResNet18(imageSize: 32, channels: 3, stem: ImageStem.Small, width: 16);
            return ssl.Images.SimClr(options);
        }), results, repeats: false);
        Compare("images, MAE of a vision transformer", gpu, images, Of<MaskedAutoencoderTrainer.Options>((ssl, options) =>
        {
            options.Encoder = ImageEncoders.VisionTransformer(32, 4, 3, 2, 32, 2);
            return ssl.Images.MaskedAutoencoder(options);
        }), results);
        Compare("text, masked language model", gpu, texts, Of<MaskedLanguageModelTrainer.Options>((ssl, options) => ssl.Text.MaskedLanguageModel(options)), results);
        Compare("table, SCARF", gpu, GpuRow.Uniform(settings.Quick ? 256 : 2_048, 16), Of<ScarfTrainer.Options>((ssl, options) =>
        {
            options.InputColumnNames = ["Values"];
            return ssl.Tabular.Scarf(options);
        }), results);
        Compare("series, TS2Vec", gpu, GpuRow.Uniform(settings.Quick ? 32 : 128, 64), Of<Ts2VecTrainer.Options>((ssl, options) =>
        {
            options.InputColumnName = "Values";
            return ssl.TimeSeries.Ts2Vec(options);
        }), results);
        results.Save();
        if (_faults.Count > 0)
        {
            results.Print();
            throw new InvalidOperationException($"Beyond their tolerance: {string.Join("; ", _faults)}.");
        }
    }

    private void Compare(string name, bool gpu, object rows, Method method, BenchResults results, bool repeats = true)
    {
        var folder = Directory.CreateTempSubdirectory("ssl-parity-").FullName;
        try
        {
            string file = Path.Combine(folder, "encoder.ssl"), checkpoint = Path.Combine(folder, "checkpoint"), copy = checkpoint + "-copy";
            MLContext on = GpuRow.Context(gpu), cpu = GpuRow.Context(gpu: false);
            using var whole = Train(on, method, rows, out var loss);
            var expected = Embed(on, whole, rows);

            on.SelfSupervised().SaveEncoder(whole, file);
            using (var loaded = cpu.SelfSupervised().LoadEncoder(file))
                Add(results, $"{name}: loaded on the CPU", Difference(expected, Embed(cpu, loaded, rows)), Unit, EmbeddingTolerance);
            using (var again = Train(GpuRow.Context(gpu), method, rows, out var lossAgain))
            {
                Add(results, $"{name}: loss of the same seed twice", Math.Abs(lossAgain - loss) / Math.Abs(loss), LossUnit, ResumedTolerance);
                Add(results, $"{name}: the same seed twice", Difference(expected, Embed(on, again, rows)), Unit, repeats ? ResumedTolerance : double.PositiveInfinity);
            }

            Train(GpuRow.Context(gpu), method, rows, out _, checkpoint, InterruptedAfter).Dispose();
            File.Copy(checkpoint, copy);
            using (var resumed = Train(GpuRow.Context(gpu), method, rows, out _, checkpoint))
                Add(results, $"{name}: resumed", Difference(expected, Embed(on, resumed, rows)), Unit, repeats ? ResumedTolerance : double.PositiveInfinity);
            Train(cpu, method, rows, out var lossThere, copy).Dispose();
            Add(results, $"{name}: loss when resumed on the CPU", Math.Abs(lossThere - loss) / Math.Abs(loss), LossUnit, LossTolerance);
        }
        catch (InvalidOperationException fault)
        {
            _faults.Add($"{name}: {fault.Message}");
            results.Note($"{name} FAILED: {fault.Message}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        results.Save();
    }

    // A small BERT from nothing, trained on the device, written for Python's libraries and read there.
    private void ReadInPython(bool gpu, TextRow[] texts, BenchResults results)
    {
        var folder = Directory.CreateTempSubdirectory("ssl-parity-").FullName;
        try
        {
            string model = Path.Combine(folder, "model"), input = Path.Combine(folder, "texts.json");
            var letters = Enumerable.Range('a', 26).Select(letter => $"{(char)letter}").ToArray();
            string[] tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. letters, .. letters.Select(letter => $"##{letter}")];
            var mlContext = GpuRow.Context(gpu);
            using var encoder = mlContext.SelfSupervised().Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
            {
                Tokenizer = WordPieceTokenizer.FromVocabulary(tokens, new BertRules(LowerCase: true, StripAccents: true, SplitChinese: true), SpecialTokenNames.Bert),
                Encoder = new BertTextEncoderFactory(new BertSizes
                {
                    Words = tokens.Length, NumberOfLayers = 2, Dimension = 64, NumberOfHeads = 4, FeedForwardDimension = 128, Positions = 64,
                    TokenTypes = 2, MaximumTokens = 64,
                }),
                NumberOfEpochs = 1,
            }).Fit(mlContext.Data.LoadFromEnumerable(texts));
            mlContext.SelfSupervised().SavePretrained(encoder, model);
            var some = texts.Take(64).ToArray();
            File.WriteAllText(input, JsonSerializer.Serialize(some.Select(row => row.Text)));
            var theirs = Peer.Run(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "peers", "embed.py")), [model, input]);
            foreach (var (library, error) in theirs["errors"]!.AsObject())
            {
                // A library that is not installed is no fault of ours.
                if (!$"{error}".StartsWith("ModuleNotFoundError", StringComparison.Ordinal))
                    _faults.Add($"SavePretrained in {library}: {error}");
                results.Note($"SavePretrained was not read by {library}: {error}");
            }
            var ours = Embed(mlContext, encoder, some);
            foreach (var library in new[] { "transformers", "sentence-transformers" }.Where(library => theirs[library] is not null))
                Add(results, $"SavePretrained in {library}", Difference(ours, theirs[library].Deserialize<float[][]>()!), Unit, EmbeddingTolerance);
        }
        catch (InvalidOperationException fault)
        {
            _faults.Add($"SavePretrained: {fault.Message}");
            results.Note($"SavePretrained FAILED: {fault.Message}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Add(BenchResults results, string name, double value, string unit, double tolerance)
    {
        results.Add(name, value, unit);
        // Not a number is no agreement either.
        if (!(value <= tolerance))
            _faults.Add($"{name}: {value} against {tolerance}");
    }

    private static Method Of<TOptions>(Func<SelfSupervisedCatalog, TOptions, IEstimator<EncoderTransformer>> create) where TOptions : PretrainingOptions, new()
        => (ssl, set) =>
        {
            var options = new TOptions { BatchSize = 16, NumberOfEpochs = Epochs };
            set(options);
            return create(ssl, options);
        };

    // The loss is that of the last epoch.
    private static EncoderTransformer Train(MLContext mlContext, Method method, object rows, out double loss, string? checkpoint = null, int? endsAfter = null)
    {
        using var cancellation = new CancellationTokenSource();
        var (last, epoch) = (double.NaN, 0);
        var encoder = method(mlContext.SelfSupervised(), options =>
        {
            (options.Seed, options.CheckpointPath, options.CancellationToken) = (BenchResults.Seed, checkpoint, cancellation.Token);
            options.Progress = new Reports(progress =>
            {
                if (!progress.EpochCompleted)
                    return;
                (last, epoch) = (progress.Loss, progress.Epoch);
                if (progress.Epoch == endsAfter)
                    cancellation.Cancel();
            });
        }).Fit(GpuRow.View(mlContext, rows));
        loss = last;
        return epoch == (endsAfter ?? Epochs) ? encoder : throw new InvalidOperationException($"the run ended after epoch {epoch}, not {endsAfter ?? Epochs}");
    }

    private static float[][] Embed(MLContext mlContext, EncoderTransformer encoder, object rows)
        => [.. encoder.Transform(GpuRow.View(mlContext, rows)).GetColumn<float[]>(encoder.OutputColumnName)];

    // The largest difference of two numbers, as a share of the largest number.
    private static double Difference(float[][] expected, float[][] actual)
    {
        if (expected.Length != actual.Length || expected.Zip(actual).Any(pair => pair.First.Length != pair.Second.Length))
            throw new InvalidOperationException("the embeddings have not the same number and length");
        double largest = expected.Max(row => row.Max(Math.Abs));
        return expected.Zip(actual).Max(pair => pair.First.Zip(pair.Second).Max(numbers => Math.Abs((double)numbers.First - numbers.Second))) / largest;
    }
}
