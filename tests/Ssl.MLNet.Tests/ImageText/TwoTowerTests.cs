using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;

namespace Ssl.MLNet.Tests;

/// <summary>What becomes of one training on images with their texts: two encoders of one space, search both ways, classes without labels.</summary>
[TestClass]
public sealed class TwoTowerTests
{
    private static readonly string[] s_places = ["upper left", "upper right", "lower left", "lower right"];

    // Trained once: what it learned is used here, not changed.
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static readonly Lazy<EncoderTransformer> s_pair = new(() => s_mlContext.SelfSupervised().ImageText.Clip(Options()).Fit(View(Rows(400, 1))));

    [TestMethod]
    public void Each_encoder_alone_gives_its_half_of_the_pair()
    {
        var ssl = s_mlContext.SelfSupervised();
        var data = View(Rows(50, 2));
        var whole = Embed(s_pair.Value, data);
        using var images = ssl.ImageText.ImageEncoder(s_pair.Value);
        using var texts = ssl.ImageText.TextEncoder(s_pair.Value);
        CollectionAssert.AreEqual(new[] { "Image" }, images.InputColumnNames.ToArray());
        CollectionAssert.AreEqual(new[] { "Text" }, texts.InputColumnNames.ToArray());
        Assert.AreEqual(16, images.EmbeddingDimension);
        var (ofImages, ofTexts) = (Embed(images, data), Embed(texts, data));
        for (var i = 0; i < whole.Length; i++)
        {
            CollectionAssert.AreEqual(whole[i][..16], ofImages[i]);
            CollectionAssert.AreEqual(whole[i][16..], ofTexts[i]);
        }
        Assert.AreEqual(s_pair.Value.TrainingHistory!.Epochs.Count, images.TrainingHistory!.Epochs.Count);
    }

    [TestMethod]
    public void Each_encoder_is_saved_and_outlives_the_pair()
    {
        var ssl = s_mlContext.SelfSupervised();
        var data = View(Rows(20, 2));
        var path = Path.Combine(Path.GetTempPath(), $"tower-{Guid.NewGuid():N}.ssl");
        try
        {
            EncoderTransformer images, texts;
            using (var pair = ssl.ImageText.Clip(Options(epochs: 1)).Fit(data))
                (images, texts) = (ssl.ImageText.ImageEncoder(pair), ssl.ImageText.TextEncoder(pair));
            foreach (var encoder in (EncoderTransformer[])[images, texts])
            {
                using (encoder)
                {
                    ssl.SaveEncoder(encoder, path);
                    using var loaded = ssl.LoadEncoder(path);
                    var (expected, actual) = (Embed(encoder, data), Embed(loaded, data));
                    for (var i = 0; i < expected.Length; i++)
                        CollectionAssert.AreEqual(expected[i], actual[i]);
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Images_are_found_by_texts_and_texts_by_images()
    {
        var ssl = s_mlContext.SelfSupervised();
        using var images = ssl.ImageText.ImageEncoder(s_pair.Value);
        using var texts = ssl.ImageText.TextEncoder(s_pair.Value);
        var (known, asked) = (Rows(200, 3), Rows(40, 4));
        foreach (var (reference, query) in new[] { (images, texts), (texts, images) })
        {
            using var search = ssl.NearestNeighbors(inputColumnName: "Features", numberOfNeighbors: 5).Fit(reference.Transform(View(known)));
            var found = search.Transform(query.Transform(View(asked))).GetColumn<long[]>("Neighbors").ToArray();
            var right = found.Select((rows, i) => rows.Count(row => known[(int)row].Place == asked[i].Place)).Sum();
            Assert.IsGreaterThan(0.9 * 5 * asked.Count, right, "neighbors at the same place, by chance a quarter");
        }
    }

    [TestMethod]
    public void An_image_is_classified_by_the_texts_of_the_classes()
    {
        var data = View(Rows(100, 5));
        var estimator = s_mlContext.SelfSupervised().ImageText.ZeroShotClassification(s_pair.Value, s_places, ["a bright spot {0}", "the light is {0}"]);
        var promised = estimator.GetOutputSchema(ShapeProbe.Of(s_mlContext, data)).ToDictionary(column => column.Name);
        using var model = estimator.Fit(data);
        var scored = model.Transform(data);
        foreach (var column in ShapeProbe.Of(s_mlContext, scored))
        {
            Assert.AreEqual(column.Kind, promised[column.Name].Kind, column.Name);
            Assert.AreEqual(column.ItemType, promised[column.Name].ItemType, column.Name);
            CollectionAssert.AreEquivalent(column.Annotations.Select(a => a.Name).ToArray(), promised[column.Name].Annotations.Select(a => a.Name).ToArray(), column.Name);
        }
        var withKey = s_mlContext.Transforms.Conversion.MapValueToKey("Label", "Place",
            keyData: s_mlContext.Data.LoadFromEnumerable(s_places.Select(place => new PlaceRow { Place = place }))).Fit(scored).Transform(scored);
        var metrics = s_mlContext.MulticlassClassification.Evaluate(withKey);
        Assert.IsGreaterThan(0.9, metrics.MicroAccuracy, "by chance a quarter");
        foreach (var scores in scored.GetColumn<float[]>("Score"))
            Assert.AreEqual(1, scores.Sum(), 1e-4);

        // As saved and loaded, and row by row.
        using var file = new MemoryStream();
        s_mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var loaded = s_mlContext.Model.Load(file, out _);
        var names = loaded.Transform(data).Schema["PredictedLabel"];
        VBuffer<ReadOnlyMemory<char>> keys = default;
        names.GetKeyValues(ref keys);
        CollectionAssert.AreEqual(s_places, keys.DenseValues().Select(key => key.ToString()).ToArray());
        CollectionAssert.AreEqual(scored.GetColumn<uint>("PredictedLabel").ToArray(), loaded.Transform(data).GetColumn<uint>("PredictedLabel").ToArray());
        using var engine = s_mlContext.Model.CreatePredictionEngine<CornerRow, Prediction>(loaded);
        var row = Rows(1, 6)[0];
        Assert.AreEqual((uint)Array.IndexOf(s_places, row.Place) + 1, engine.Predict(row).PredictedLabel);
    }

    // By hand: the mean of the prompts' directions, the cosine with the image, times the learned scale, through a softmax.
    [TestMethod]
    public void Scores_are_the_softmax_of_scaled_cosines_with_the_mean_direction_of_the_prompts()
    {
        var ssl = s_mlContext.SelfSupervised();
        string[] prompts = ["a bright spot {0}", "{0}"];
        var data = View(Rows(6, 7));
        using var model = ssl.ImageText.ZeroShotClassification(s_pair.Value, s_places, prompts).Fit(data);
        using var images = ssl.ImageText.ImageEncoder(s_pair.Value);
        using var texts = ssl.ImageText.TextEncoder(s_pair.Value);
        var scale = Math.Exp(((TwoTowerEncoder)s_pair.Value.Model.Network).LogitScale.item<float>());
        double[][] directions = [.. s_places.Select(place =>
        {
            var vectors = Embed(texts, View([.. prompts.Select(prompt => new CornerRow { Text = prompt.Replace("{0}", place) })]));
            return Enumerable.Range(0, 16).Select(j => vectors.Average(vector => vector[j] / Length(vector))).ToArray();
        })];
        var (embedded, scores) = (Embed(images, data), model.Transform(data).GetColumn<float[]>("Score").ToArray());
        for (var i = 0; i < scores.Length; i++)
        {
            double[] logits = [.. directions.Select(direction => scale * embedded[i].Zip(direction, (a, b) => a * b).Sum()
                / Length(embedded[i]) / Math.Sqrt(direction.Sum(x => x * x)))];
            var sum = logits.Sum(Math.Exp);
            for (var k = 0; k < logits.Length; k++)
                Assert.AreEqual(Math.Exp(logits[k]) / sum, scores[i][k], 1e-4);
        }

        static double Length(float[] vector) => Math.Sqrt(vector.Sum(x => (double)x * x));
    }

    [TestMethod]
    public void Faults_of_labels_and_prompts_are_named_together()
    {
        var ssl = s_mlContext.SelfSupervised();
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => ssl.ImageText.ZeroShotClassification(s_pair.Value, ["same", "same", " "], ["no place"], ""));
        foreach (var words in (string[])["labels must differ from each other, got same", "labels must be texts", "prompts must have {0} where the label goes",
            "imageColumnName must not be empty"])
            StringAssert.Contains(error.Message, words);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ssl.ImageText.ZeroShotClassification(s_pair.Value, ["one"])).Message,
            "labels must be at least 2, got 1");
        using var images = ssl.ImageText.ImageEncoder(s_pair.Value);
        foreach (var attempt in (Action[])[() => ssl.ImageText.ImageEncoder(images), () => ssl.ImageText.TextEncoder(images),
            () => ssl.ImageText.ZeroShotClassification(images, s_places)])
        {
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(attempt).Message,
                "must have learned one space for images and texts, with ssl.ImageText.Clip or SigLip; this one is of kind 'image'");
        }
    }

    [TestMethod]
    public void One_column_cannot_be_both()
        => StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => s_mlContext.SelfSupervised().ImageText.Clip("Features", "Both", "Both")).Message,
            "TextColumnName must differ from ImageColumnName, got \"Both\"");

    [TestMethod]
    public void Both_encoders_start_from_weights_that_exist()
    {
        var ssl = s_mlContext.SelfSupervised();
        var data = View(Rows(60, 8));
        using var images = ssl.Images.SimClr(encoder: Net(), batchSize: 16, numberOfEpochs: 1).Fit(data);
        using var texts = ssl.Text.PairedContrastive(pairColumnName: "Place", encoder: TextEncoders.Bag(16, 16, 16), batchSize: 16, numberOfEpochs: 1).Fit(data);
        var options = new ClipTrainer.Options { ImageEncoder = images, TextEncoder = texts, ProjectionDimension = 8, BatchSize = 16, NumberOfEpochs = 0 };
        Assert.AreEqual(2e-3, options.EffectiveLearningRate, "what is fresh has to learn, too");
        using var pair = ssl.ImageText.Clip(options).Fit(data);
        // The start's weights are there: names and values.
        foreach (var (start, prefix) in new[] { (images, "image.encoder."), (texts, "text.encoder.") })
        {
            var weights = pair.Model.GetWeights();
            foreach (var (name, value) in start.Model.GetWeights())
                Assert.IsTrue(value.equal(weights[prefix + name]).all().item<bool>(), name);
        }
        options.NumberOfEpochs = 1;
        (options.LocksImageEncoder, options.LocksTextEncoder) = (true, true);
        using var locked = ssl.ImageText.Clip(options).Fit(data);
        foreach (var (name, value) in locked.Model.GetWeights())
        {
            var stays = name.StartsWith("image.encoder.", StringComparison.Ordinal) || name.StartsWith("text.encoder.", StringComparison.Ordinal);
            var bias = name == "logit_bias";            // CLIP has none
            Assert.AreEqual(stays || bias, value.equal(pair.Model.GetWeights()[name]).all().item<bool>(), name);
        }
        (options.LocksImageEncoder, options.LocksTextEncoder) = (false, false);
        using var adapted = ssl.ImageText.Clip(options).Fit(data);
        Assert.IsTrue(Embed(adapted, data).All(vector => vector.All(float.IsFinite)));
        // And a method for one kind of data goes on from the pair's encoder.
        using var part = ssl.ImageText.TextEncoder(adapted);
        using var further = ssl.Text.PairedContrastive(pairColumnName: "Place", encoder: part, batchSize: 16, numberOfEpochs: 1).Fit(data);
        Assert.AreEqual(8, further.EmbeddingDimension);
        using var tuned = ssl.FineTune.MulticlassClassification(ssl.ImageText.ImageEncoder(adapted), labelColumnName: "Key", numberOfEpochs: 1)
            .Fit(s_mlContext.Transforms.Conversion.MapValueToKey("Key", "Place").Fit(data).Transform(data));
        Assert.AreEqual(60, tuned.Transform(data).GetColumn<uint>("PredictedLabel").Count());
    }

    [TestMethod]
    public void Rows_without_an_image_or_a_text_are_left_out_of_training()
    {
        var rows = Rows(40, 9);
        var plain = Fit(rows);
        rows.Insert(7, new CornerRow { Text = " " });
        rows.Add(new CornerRow { Image = new byte[192], Text = "" });
        var odd = Fit(rows);
        for (var i = 0; i < plain.Length; i++)
            CollectionAssert.AreEqual(plain[i], odd[i]);

        float[][] Fit(List<CornerRow> rows)
        {
            var mlContext = TestDevice.Context(3);
            using var encoder = mlContext.SelfSupervised().ImageText.Clip(Options(epochs: 2)).Fit(mlContext.Data.LoadFromEnumerable(rows));
            return Embed(encoder, mlContext.Data.LoadFromEnumerable(Rows(5, 10)));
        }
    }

    private static ClipTrainer.Options Options(int epochs = 12) => new()
    {
        ImageEncoder = Net(), TextEncoder = TextEncoders.Bag(32, 32, 32), ProjectionDimension = 16, BatchSize = 32, NumberOfEpochs = epochs, LearningRate = 5e-3,
    };

    private static ImageEncoderFactory Net() => ImageEncoders.SmallConvNet(imageSize: 8, channels: 3, numberOfStages: 2, width: 8);

    private static float[][] Embed(ITransformer encoder, IDataView data) => [.. encoder.Transform(data).GetColumn<float[]>("Features")];

    private static IDataView View(List<CornerRow> rows) => s_mlContext.Data.LoadFromEnumerable(rows);

    // A square that is brighter than the rest, and one of three sentences about where it is.
    private static List<CornerRow> Rows(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (place, image) = (random.Next(4), new byte[192]);
            for (var p = 0; p < image.Length; p++)
                image[p] = (byte)(random.Next(80) + ((p % 8 < 4 ? 0 : 1) == place % 2 && (p / 8 % 8 < 4 ? 0 : 1) == place / 2 ? 150 : 0));
            return new CornerRow
            {
                Image = image, Place = s_places[place],
                Text = string.Format(System.Globalization.CultureInfo.InvariantCulture, random.Next(3) switch { 0 => "a bright spot {0}", 1 => "the light is {0}", _ => "{0} it shines" }, s_places[place]),
            };
        })];
    }

    private sealed class CornerRow
    {
        [VectorType(3, 8, 8)]
        public byte[] Image { get; set; } = new byte[192];

        public string Text { get; set; } = "";

        public string Place { get; set; } = "";
    }

    private sealed class PlaceRow
    {
        public string Place { get; set; } = "";
    }

    private sealed class Prediction
    {
        public uint PredictedLabel { get; set; }
    }
}
