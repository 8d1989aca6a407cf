using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Native;
using Ssl.Estimators.Randomness;
using Ssl.MLNet;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>A row of the case <c>gpu</c>: our side, and what the peer is asked for.</summary>
/// <param name="Name">On the command line.</param>
/// <param name="Title">In the table.</param>
/// <param name="Unit">Of the rate.</param>
/// <param name="Peer">The function of bench/peers/gpu.py and its arguments; null where our side measures the reference, too.</param>
/// <param name="Measure">Our side: "rate", and "bare" where there is no peer.</param>
/// <param name="Multiplications">Multiplications and additions that a sample's training needs; null where they are not told.</param>
internal sealed record GpuRow(string Name, string Title, string Unit, JsonObject? Peer, Func<Dictionary<string, double>> Measure,
    double? Multiplications = null)
{
    /// <summary>The row that the others' shares refer to.</summary>
    public const string Products = "products";

    private const int Vocabulary = 4000;

    /// <summary>All rows, the products first.</summary>
    /// <param name="quick">Whether networks and data are small.</param>
    /// <param name="gpu">Whether there is a GPU; bfloat16 is for GPUs only.</param>
    public static GpuRow[] All(bool quick, bool gpu)
    {
        var size = quick ? 256 : 8192;
        var (images, batch, epochs, channels) = quick ? (64, 16, 2, 8) : (16_384, 512, 5, 64);
        var tiny = quick ? new Vit(64, 16, 2, 32, 4, 2, 32, 2) : new Vit(16_384, 512, 5, 32, 4, 12, 192, 3);
        var large = quick ? new Vit(32, 8, 2, 64, 16, 2, 64, 2) : new Vit(2_048, 128, 5, 224, 16, 12, 768, 12);
        var text = quick ? new Bert(64, 16, 2, 32, 2, 64, 2) : new Bert(8_192, 256, 4, 64, 12, 768, 12);
        var (cells, columns, layers, width) = quick ? (1_024, 8, 2, 32) : (65_536, 32, 4, 256);
        var (series, length, seriesBatch, seriesEpochs) = quick ? (32, 64, 8, 2) : (2_048, 256, 64, 4);
        var precision = gpu ? "bf16" : "Float32";
        return
        [
            new(Products, $"one product, {size} x {size}, {precision}", "TFLOP/s", Ask("matmul", ("size", size), ("bf16", gpu)),
                () => One("rate", TeraProducts(size, gpu))),
            new("simclr", $"SimCLR ResNet-18, 32x32, batch {batch}, {precision}", "images/s",
                Ask("simclr", ("n", images), ("batch", batch), ("epochs", epochs), ("width", channels), ("bf16", gpu)),
                () => Train(gpu, images, epochs, (ssl, options) => ssl.Images.SimClr(options), new SimClrTrainer.Options
                {
                    Encoder = ImageEncoders.ResNet18(imageSize: 32, channels: 3, stem: ImageStem.Small, width: channels),
                    View = ImageViews.Photos(new ImageShape(3, 32, 32)), BatchSize = batch, Temperature = 0.5f, MixedPrecision = gpu,
                }, () => Images(images, 32))),
            tiny.Row("mae-tiny", "MAE ViT-Tiny", precision, gpu, counted: false),
            large.Row("mae-base", "MAE ViT-Base", precision, gpu, counted: true),
            new("mlm", $"masked language model {text.Layers}x{text.Dimension}, {text.Length} tokens, batch {text.Batch}, {precision}", "texts/s",
                Ask("mlm", ("n", text.Rows), ("batch", text.Batch), ("epochs", text.Epochs), ("vocabulary", Vocabulary), ("length", text.Length),
                    ("layers", text.Layers), ("dimension", text.Dimension), ("heads", text.Heads), ("bf16", gpu)),
                () => Train(gpu, text.Rows, text.Epochs, (ssl, options) => ssl.Text.MaskedLanguageModel(options), text.Options(gpu), text.Data),
                text.Multiplications),
            new("transform", $"Transform, {text.Layers}x{text.Dimension} text, {precision}", "texts/s", null, () => Transform(gpu, text)),
            .. new[] { 256, 4_096 }.Select(full => (Batch: quick ? full / 16 : full, Epochs: quick ? 2 : full == 256 ? 4 : 20)).Select(run => new GpuRow(
                $"scarf-{run.Batch}", $"SCARF {layers}x{width}, batch {run.Batch:N0}", "rows/s",
                Ask("scarf", ("n", cells), ("batch", run.Batch), ("epochs", run.Epochs), ("columns", columns), ("layers", layers), ("dimension", width)),
                () => Train(gpu, cells, run.Epochs, (ssl, options) => ssl.Tabular.Scarf(options), new ScarfTrainer.Options
                {
                    InputColumnNames = [nameof(Numbers.Values)], Encoder = TabularEncoders.Mlp(layers, width), BatchSize = run.Batch,
                }, () => Uniform(cells, columns)))),
            new("ts2vec", $"TS2Vec, {length} long, batch {seriesBatch}", "series/s",
                Ask("ts2vec", ("n", series), ("batch", seriesBatch), ("epochs", seriesEpochs), ("length", length)),
                () => Train(gpu, series, seriesEpochs, (ssl, options) => ssl.TimeSeries.Ts2Vec(options),
                    new Ts2VecTrainer.Options { InputColumnName = nameof(Numbers.Values), BatchSize = seriesBatch }, () => Uniform(series, length))),
        ];
    }

    /// <summary>The child's side of <see cref="ChildProcess"/>: a row's figures, with the memory that it took.</summary>
    public static Dictionary<string, double> Run(string name, bool quick)
    {
        var gpu = cuda.is_available();
        // What a context takes is nobody's.
        if (gpu)
            zeros(1, dtype: ScalarType.Float32, device: CUDA).Dispose();
        var before = gpu ? CudaDriver.Memory(0) : null;
        var figures = All(quick, gpu).Single(row => row.Name == name).Measure();
        if (before is { } start && CudaDriver.Memory(0) is { } end)
            figures["memory"] = (end.Used - start.Used) / (double)(1 << 20);
        return figures;
    }

    // Samples a second from the second epoch on.
    private static Dictionary<string, double> Train<TOptions>(bool gpu, int rows, int epochs,
        Func<SelfSupervisedCatalog, TOptions, IEstimator<EncoderTransformer>> create, TOptions options, Func<object> data) where TOptions : PretrainingOptions
    {
        var mlContext = Context(gpu);
        var ends = new List<double>();
        var watch = Stopwatch.StartNew();
        options.NumberOfEpochs = epochs;
        options.Progress = new Reports(progress =>
        {
            if (progress.EpochCompleted)
                ends.Add(watch.Elapsed.TotalSeconds);
        });
        create(mlContext.SelfSupervised(), options).Fit(View(mlContext, data())).Dispose();
        return One("rate", (ends.Count - 1) * (double)(rows / options.BatchSize * options.BatchSize) / (ends[^1] - ends[0]));
    }

    // Transform's second pass, the first one warms up, against the forward of the same network.
    private static Dictionary<string, double> Transform(bool gpu, Bert text)
    {
        var mlContext = Context(gpu);
        var rows = text.Data();
        var data = mlContext.Data.LoadFromEnumerable(rows);
        var options = text.Options(gpu);
        var tokenizer = WordPieceTokenizer.Train(rows.Select(row => row.Text), new WordPieceTokenizer.Options { VocabularySize = Vocabulary });
        (options.NumberOfEpochs, options.Tokenizer) = (0, tokenizer);
        using var encoder = mlContext.SelfSupervised().Text.MaskedLanguageModel(options).Fit(data);
        encoder.MixedPrecision = gpu;

        using var streams = new RandomStreams(BenchResults.Seed);
        using var network = options.Encoder!.Create(tokenizer.Vocabulary, streams);
        network.eval();
        var device = gpu ? CUDA : CPU;
        network.to(device);
        var batches = rows.Chunk(EncoderTransformer.BatchSize)
            .Select(chunk => TransformSpeed.MakeBatch([.. chunk.Select(row => row.Text)], tokenizer, options.Encoder).To(device)).ToArray();
        double bare = 0, transform = 0;
        for (var i = 0; i < 3; i++)
        {
            bare = rows.Length / Bench.Measure.Seconds(() =>
            {
                using var noGradient = no_grad();
                using var precision = MixedPrecision.Begin(gpu);
                foreach (var batch in batches)
                    network.forward(batch).Dispose();
                if (gpu)
                    cuda.synchronize();
            });
            transform = rows.Length / Bench.Measure.Seconds(() => TransformSpeed.ReadAll(encoder.Transform(data), encoder.OutputColumnName));
        }
        return new() { ["rate"] = transform, ["bare"] = bare };
    }

    // 10^12 multiplications and additions a second, the best of three times twenty products.
    private static double TeraProducts(int size, bool gpu)
    {
        using var scope = NewDisposeScope();
        var values = randn([size, size], dtype: ScalarType.Float32, device: gpu ? CUDA : CPU).to(gpu ? ScalarType.BFloat16 : ScalarType.Float32);
        double best = 0;
        for (var i = 0; i < 3; i++)
        {
            Multiply(1);
            best = Math.Max(best, 20 * 2 * Math.Pow(size, 3) / Bench.Measure.Seconds(() => Multiply(20)) / 1e12);
        }
        return best;

        void Multiply(int times)
        {
            for (var i = 0; i < times; i++)
                values.mm(values).Dispose();
            if (gpu)
                cuda.synchronize();
        }
    }

    internal static MLContext Context(bool gpu) => new(seed: BenchResults.Seed) { GpuDeviceId = gpu ? 0 : null };

    private static Dictionary<string, double> One(string name, double value) => new() { [name] = value };

    private static JsonObject Ask(string row, params (string Name, JsonNode Value)[] arguments)
        => new([new("row", row), .. arguments.Select(argument => KeyValuePair.Create<string, JsonNode?>(argument.Name, argument.Value))]);

    // Made-up rows of the kind that a method reads; types that say their vectors' sizes.
    internal static IDataView View(MLContext mlContext, object data)
    {
        switch (data)
        {
            case TextRow[] texts:
                return mlContext.Data.LoadFromEnumerable(texts);
            case Pixels[] images:
                var ofImages = SchemaDefinition.Create(typeof(Pixels));
                var side = (int)Math.Sqrt(images[0].Image.Length / 3);
                ofImages[nameof(Pixels.Image)].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, 3, side, side);
                return mlContext.Data.LoadFromEnumerable(images, ofImages);
            case Numbers[] numbers:
                var ofNumbers = SchemaDefinition.Create(typeof(Numbers));
                ofNumbers[nameof(Numbers.Values)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, numbers[0].Values.Length);
                return mlContext.Data.LoadFromEnumerable(numbers, ofNumbers);
            default:
                throw new ArgumentException($"There are no rows of {data.GetType()}.", nameof(data));
        }
    }

    internal static Pixels[] Images(int rows, int side)
    {
        var random = new Random(BenchResults.Seed);
        return [.. Enumerable.Range(0, rows).Select(_ =>
        {
            var image = new byte[3 * side * side];
            random.NextBytes(image);
            return new Pixels { Image = image };
        })];
    }

    internal static Numbers[] Uniform(int rows, int numbers)
    {
        var random = new Random(BenchResults.Seed);
        return [.. Enumerable.Range(0, rows).Select(_ =>
            new Numbers { Values = [.. Enumerable.Range(0, numbers).Select(_ => random.NextSingle())] })];
    }

    private sealed record Vit(int Rows, int Batch, int Epochs, int Side, int Patch, int Layers, int Dimension, int Heads)
    {
        public GpuRow Row(string name, string title, string precision, bool gpu, bool counted) => new(name,
            $"{title}, {Side}x{Side}, patch {Patch}, batch {Batch}, {precision}", "images/s",
            Ask("mae", ("n", Rows), ("batch", Batch), ("epochs", Epochs), ("size", Side), ("patch", Patch), ("layers", Layers),
                ("dimension", Dimension), ("heads", Heads), ("bf16", gpu)),
            () => Train(gpu, Rows, Epochs, (ssl, options) => ssl.Images.MaskedAutoencoder(options), new MaskedAutoencoderTrainer.Options
            {
                Encoder = ImageEncoders.VisionTransformer(Side, Patch, 3, Layers, Dimension, Heads), BatchSize = Batch, MixedPrecision = gpu,
            }, () => Images(Rows, Side)), counted ? Transformer(Layers, Dimension, 1 + (Side / Patch) * (Side / Patch) / 4) : null);
    }

    private sealed record Bert(int Rows, int Batch, int Epochs, int Length, int Layers, int Dimension, int Heads)
    {
        // The blocks, and the scores of 15 % of the tokens.
        public double Multiplications => Transformer(Layers, Dimension, Length)
            + 6.0 * .15 * Length * Dimension * (Dimension + Vocabulary);

        public MaskedLanguageModelTrainer.Options Options(bool gpu) => new()
        {
            Encoder = TextEncoders.Transformer(Layers, Dimension, Heads, maximumTokens: Length), VocabularySize = Vocabulary, BatchSize = Batch,
            MixedPrecision = gpu,
        };

        // Long enough that every text fills its places.
        public TextRow[] Data() => [.. BenchText.Synthetic(Rows, 2 * Length, BenchResults.Seed).Select(text => new TextRow { Text = text })];
    }

    // Of a training step's sample: 6 for every weight and token, and the products of attention, forward once and backward twice.
    private static double Transformer(int layers, int dimension, int tokens)
        => layers * (6.0 * 12 * dimension * dimension * tokens + 3.0 * 4 * tokens * tokens * dimension);

    internal sealed class Pixels
    {
        public byte[] Image { get; set; } = [];
    }

    internal sealed class Numbers
    {
        public float[] Values { get; set; } = [];
    }
}
