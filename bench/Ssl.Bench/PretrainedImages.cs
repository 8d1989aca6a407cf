using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>
/// CIFAR-10 from few labels on the frozen features of an ImageNet network, and images a second against ONNX Runtime. Settings are chosen by
/// cross-validation on the labeled rows; nothing is chosen by a look at a test row.
/// </summary>
public sealed class PretrainedImages : BenchCase
{
    private const int Classes = 10, Folds = 5, Side = 32, FullSize = 224;

    private static readonly float[] Penalties = [1000, 100, 10, 1, 0.1f, 0.01f];

    /// <inheritdoc/>
    public override string Name => "pretrained-images";

    /// <inheritdoc/>
    public override int Minutes => 40;

    /// <inheritdoc/>
    public override string Description => "CIFAR-10 with 10/100 labels a class on frozen ImageNet weights at 112 pixels against raw pixels; images/s against ONNX Runtime";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        ssl.EmbeddingMemoryLimit = 0;
        var path = Path.Combine(AppContext.BaseDirectory, "DnnImageModels", "ResNet18.onnx");
        Speed(mlContext, path, settings.Quick ? 32 : 64, results);
        using var encoder = ssl.LoadPretrained(path, new PretrainedOptions { ImageSize = 112, InputSize = Side });
        var (training, labels) = Read(mlContext, test: false, settings.Quick ? 1_200 : 6_000);
        var (test, truth) = Read(mlContext, test: true, settings.Quick ? 500 : 2_500);
        float[][] features = [], testFeatures = [];
        var seconds = Measure.Seconds(() => (features, testFeatures) = (Embed(mlContext, encoder, training), Embed(mlContext, encoder, test)));
        results.Add("embedding at 112 pixels", (training.Length + test.Length) / seconds, "images/s");
        var (both, testBoth) = (Mean(features, Embed(mlContext, encoder, [.. training.Select(Mirror)])),
            Mean(testFeatures, Embed(mlContext, encoder, [.. test.Select(Mirror)])));
        using var larger = ssl.LoadPretrained(path, new PretrainedOptions { ImageSize = 160, InputSize = Side });
        var (large, testLarge) = (WithMirrored(mlContext, larger, training), WithMirrored(mlContext, larger, test));
        float[][] pixels = [.. training.Select(ToSingle)], testPixels = [.. test.Select(ToSingle)];
        foreach (var count in settings.Quick ? new[] { 10 } : [10, 100])
        {
            var (raw, frozen, mirrored, probe) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
            var (recipe, recipeLarge) = (new List<double>(), new List<double>());
            for (var seed = 0; seed < (settings.Quick ? 2 : 5); seed++)
            {
                var chosen = Draw(labels, count, seed);
                int[] classes = [.. chosen.Select(row => labels[row])];
                raw.Add(Tuned(mlContext, Rows(pixels, chosen), classes, testPixels, truth));
                frozen.Add(Tuned(mlContext, Rows(features, chosen), classes, testFeatures, truth));
                mirrored.Add(Tuned(mlContext, Rows(both, chosen), classes, testBoth, truth));
                probe.Add(LinearProbe.Accuracy(Rows(both, chosen), classes, testBoth, truth, Classes, seed));
                recipe.Add(Recipe(mlContext, both, labels, chosen, testBoth, truth, seed));
                recipeLarge.Add(Recipe(mlContext, large, labels, chosen, testLarge, truth, seed));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {count} a class, draw {seed}: pixels {raw[^1]:0.0}, frozen {frozen[^1]:0.0}, "
                    + $"mirrored {mirrored[^1]:0.0}, probe {probe[^1]:0.0}, few labels {recipe[^1]:0.0}, at 160 {recipeLarge[^1]:0.0}"));
            }
            results.Add($"{count} a class, frozen, tuned LBFGS, over pixels", frozen.Average(), "%", raw.Average());
            results.Add($"{count} a class, mean with the mirrored image", mirrored.Average(), "%", frozen.Average());
            results.Add($"{count} a class, standardized linear probe", probe.Average(), "%", frozen.Average());
            results.Add($"{count} a class, ssl.FewLabels", recipe.Average(), "%", frozen.Average());
            results.Add($"{count} a class, ssl.FewLabels, 160 pixels", recipeLarge.Average(), "%", frozen.Average());
            results.Add($"{count} a class, ssl.FewLabels, deviation", Measure.Deviation(recipe), "points");
        }
        results.Note($"Microsoft.ML.DnnImageFeaturizer.ResNet18, as it is, at 112 pixels; labels drawn from {training.Length:N0} training images, {test.Length:N0} test images.");
        results.Note("Tuned LBFGS: L1 = 0, L2 by log-loss in five folds of the labeled rows; features over one number, their mean square. ssl.FewLabels: all defaults, the "
            + "other training images unlabeled. Probe and recipe have the mean of an image's and its mirrored one's features.");
    }

    private static void Speed(MLContext mlContext, string path, int count, BenchResults results)
    {
        using var encoder = mlContext.SelfSupervised().LoadPretrained(path, new PretrainedOptions { InputSize = Side });
        // Threads of both sides sleep while they wait (OMP_WAIT_POLICY=passive), as on a machine that does other work, too.
        using var options = new SessionOptions();
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        using var session = new InferenceSession(path, options);
        var images = Read(mlContext, test: true, count).Images;
        var input = new DenseTensor<float>([1, 3, FullSize, FullSize]);
        new Random(BenchResults.Seed).GetItems([-100f, -50, 0, 50, 100], (int)input.Length).CopyTo(input.Buffer.Span);
        List<double> ours = [], theirs = [], oursPerCpu = [], theirsPerCpu = [];
        for (var i = 0; i < 4; i++)
        {
            var started = Environment.CpuUsage.TotalTime;
            var first = Measure.Seconds(() => Embed(mlContext, encoder, images));
            var between = Environment.CpuUsage.TotalTime;
            var second = Measure.Seconds(() =>
            {
                foreach (var _ in images)
                    session.Run([NamedOnnxValue.CreateFromTensor(session.InputMetadata.Keys.Single(), input)]).Dispose();
            });
            var ended = Environment.CpuUsage.TotalTime;
            if (i == 0)
                continue;                                                               // warm-up
            ours.Add(count / first);
            theirs.Add(count / second);
            oursPerCpu.Add(count / (between - started).TotalSeconds);
            theirsPerCpu.Add(count / (ended - between).TotalSeconds);
        }
        results.Add("224 pixels, over ONNX Runtime", Measure.Median(ours), "images/s", Measure.Median(theirs));
        results.Add("224 pixels, a CPU second", Measure.Median(oursPerCpu), "images/s", Measure.Median(theirsPerCpu));
        results.Note("Speed: Transform, its resizing from 32 pixels included, against ONNX Runtime without spinning threads on pixels that are ready, one at a time as the file is made; "
            + "sides interleaved, median of three.");
    }

    private static (byte[][] Images, int[] Labels) Read(MLContext mlContext, bool test, int count)
    {
        var data = BenchImages.Cifar(mlContext, test);
        return ([.. data.GetColumn<byte[]>("Image").Take(count)], [.. data.GetColumn<uint>("Label").Take(count).Select(label => (int)label)]);
    }

    private static float[][] Embed(MLContext mlContext, EncoderTransformer encoder, byte[][] images)
        => [.. encoder.Transform(mlContext.Data.LoadFromEnumerable(images.Select(image => new ImageRow { Image = image }))).GetColumn<float[]>(encoder.OutputColumnName)];

    private static float[][] WithMirrored(MLContext mlContext, EncoderTransformer encoder, byte[][] images)
        => Mean(Embed(mlContext, encoder, images), Embed(mlContext, encoder, [.. images.Select(Mirror)]));

    private static byte[] Mirror(byte[] image) => [.. image.Chunk(Side).SelectMany(line => line.Reverse())];

    private static float[] ToSingle(byte[] image) => [.. image.Select(pixel => pixel / 255f)];

    private static float[][] Mean(float[][] one, float[][] other) => [.. one.Zip(other, (a, b) => a.Zip(b, (x, y) => (x + y) / 2).ToArray())];

    private static float[][] Rows(float[][] all, int[] chosen) => [.. chosen.Select(row => all[row])];

    private static int[] Draw(int[] labels, int count, int seed)
    {
        int[] order = [.. Enumerable.Range(0, labels.Length)];
        new Random(seed).Shuffle(order);
        return [.. order.GroupBy(row => labels[row]).OrderBy(group => group.Key).SelectMany(group => group.Take(count))];
    }

    private static double Tuned(MLContext mlContext, float[][] training, int[] labels, float[][] test, int[] truth)
    {
        var scale = (float)(1 / Math.Sqrt(training.Average(row => row.Average(value => (double)value * value))));
        var data = mlContext.Data.Cache(View(mlContext, training, labels, scale));
        IEstimator<ITransformer> Trainer(float penalty) => mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Features", l1Regularization: 0,
            l2Regularization: penalty);
        var best = Penalties.MinBy(penalty => mlContext.MulticlassClassification.CrossValidate(data, Trainer(penalty), Folds, "Label", seed: 0)
            .Average(fold => double.IsFinite(fold.Metrics.LogLoss) ? fold.Metrics.LogLoss : 100));
        return Accuracy(Trainer(best).Fit(data).Transform(View(mlContext, test, truth, scale)), truth);
    }

    private static double Recipe(MLContext mlContext, float[][] features, int[] labels, int[] chosen, float[][] test, int[] truth, int seed)
    {
        var labeled = chosen.ToHashSet();
        // A class that is no key is a missing label.
        var data = View(mlContext, features, [.. labels.Select((label, row) => labeled.Contains(row) ? label : -1)], 1);
        var model = mlContext.SelfSupervised().FewLabels.MulticlassClassification(new FewLabelsTrainer.Options { Seed = seed }).Fit(data);
        return Accuracy(model.Transform(View(mlContext, test, truth, 1)), truth);
    }

    private static double Accuracy(IDataView predicted, int[] truth)
        => 100 * predicted.GetColumn<uint>("PredictedLabel").Zip(truth).Average(pair => pair.First == pair.Second + 1 ? 1.0 : 0);

    private static IDataView View(MLContext mlContext, float[][] features, int[] labels, float scale)
    {
        var schema = SchemaDefinition.Create(typeof(FeatureRow));
        schema[nameof(FeatureRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features[0].Length);
        return mlContext.Data.LoadFromEnumerable(features.Zip(labels, (row, label) => new FeatureRow
        {
            Features = [.. row.Select(value => value * scale)], Label = label < 0 ? uint.MaxValue : (uint)label,
        }).ToArray(), schema);
    }

    private sealed class ImageRow
    {
        [VectorType(3, Side, Side)]
        public byte[] Image { get; set; } = [];
    }

    private sealed class FeatureRow
    {
        public float[] Features { get; set; } = [];

        [KeyType(Classes)]
        public uint Label { get; set; }
    }
}
