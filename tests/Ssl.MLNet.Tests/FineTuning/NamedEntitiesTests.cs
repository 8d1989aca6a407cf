using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.FineTuning;

[TestClass]
public sealed class NamedEntitiesTests
{
    private static NamedEntitiesTrainer.Options Options(EncoderTransformer? encoder, int epochs = 8) => new()
    {
        Encoder = encoder, NumberOfEpochs = epochs, BatchSize = 16, LearningRate = 0.005,
    };

    private static NamedEntitiesTransformer Fit(MLContext mlContext, EncoderTransformer encoder, int epochs = 8)
        => mlContext.SelfSupervised().FineTune.NamedEntities(Options(encoder, epochs)).Fit(TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(200)));

    private static List<FoundRow> Found(MLContext mlContext, ITransformer model, IDataView data)
        => [.. mlContext.Data.CreateEnumerable<FoundRow>(model.Transform(data), reuseRowObject: false, ignoreMissingColumns: true)];

    private static void AssertEqual(FoundRow expected, FoundRow actual, float tolerance = 2e-5f)
    {
        CollectionAssert.AreEqual(expected.Predicted, actual.Predicted);
        CollectionAssert.AreEqual(expected.EntityText, actual.EntityText);
        CollectionAssert.AreEqual(expected.EntityLabel, actual.EntityLabel);
        CollectionAssert.AreEqual(expected.EntityStart, actual.EntityStart);
        CollectionAssert.AreEqual(expected.EntityLength, actual.EntityLength);
        for (var i = 0; i < expected.EntityScore.Length; i++)
            Assert.AreEqual(expected.EntityScore[i], actual.EntityScore[i], tolerance);
    }

    [TestMethod]
    public void A_chain_pretrains_and_finds_entities_that_only_their_context_tells()
    {
        var mlContext = TestDevice.Context(1);
        var (training, test) = (TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(200)), TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(100, seed: 2)));
        var chain = TokenTaskData.Pretrainer(mlContext, "Text").Append(mlContext.SelfSupervised().FineTune.NamedEntities(Options(null)))
            .Append(mlContext.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel"));
        var model = chain.Fit(training);
        var metrics = mlContext.SelfSupervised().EvaluateTagging(model.Transform(test));
        // Every name is a person in half of its rows: a table of words finds few of the places.
        Assert.IsGreaterThan(0.95, metrics.F1);
        Assert.IsGreaterThan(0.97, metrics.WordAccuracy!.Value);
        CollectionAssert.AreEqual(new[] { "PERSON", "PLACE" }, metrics.Kinds.Select(kind => kind.Kind).ToArray());

        var rows = Found(mlContext, model, test);
        foreach (var (row, given) in rows.Zip(TokenTaskData.Tagged(100, seed: 2)))
        {
            Assert.AreEqual(given.Text, row.Text, "the text stays as it is");
            Assert.HasCount(given.Labels.Length, row.Predicted, "one label a word");
            for (var i = 0; i < row.EntityText.Length; i++)
            {
                Assert.AreEqual(row.EntityText[i], row.Text.Substring(row.EntityStart[i], row.EntityLength[i]));
                Assert.IsTrue(row.EntityScore[i] is > 0 and <= 1.0001f);
            }
        }

        using var file = new MemoryStream();
        mlContext.Model.Save(model, training.Schema, file);
        file.Position = 0;
        var loaded = TestDevice.Context(2).Model.Load(file, out _);
        foreach (var (expected, actual) in rows.Zip(Found(mlContext, loaded, test)))
            AssertEqual(expected, actual, 0);
        using var engine = mlContext.Model.CreatePredictionEngine<TaggedRow, FoundRow>(loaded);
        foreach (var (given, expected) in TokenTaskData.Tagged(100, seed: 2).Take(10).Zip(rows))
            AssertEqual(expected, engine.Predict(given));
    }

    [TestMethod]
    public void Places_of_entities_teach_the_same_as_labels_of_words()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = TokenTaskData.Encoder(mlContext);
        var options = Options(encoder);
        (options.LabelColumnName, options.StartColumnName, options.LengthColumnName) = ("Kind", "Starts", "Lengths");
        var test = TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(60, seed: 2));
        using var byPlaces = mlContext.SelfSupervised().FineTune.NamedEntities(options).Fit(TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(200)));
        using var byWords = Fit(mlContext, encoder);
        CollectionAssert.AreEqual(new[] { "EntityText", "EntityLabel", "EntityStart", "EntityLength", "EntityScore" }, byPlaces.OutputColumnNames.ToArray());
        // Without punctuation words and pieces are the same, and so is everything that is learned: the seeds of two trainers differ.
        var metrics = mlContext.SelfSupervised().EvaluateTagging(byPlaces.Transform(test), "Kind", startColumnName: "Starts", lengthColumnName: "Lengths");
        Assert.IsGreaterThan(0.95, metrics.F1);
        Assert.IsNull(metrics.WordAccuracy);
        Assert.AreEqual(mlContext.SelfSupervised().EvaluateTagging(byWords.Transform(test)).NumberOfEntities, metrics.NumberOfEntities);
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_model_and_the_columns_are_those_promised()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = TokenTaskData.Encoder(mlContext);
        var data = TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(60));
        var options = Options(encoder, epochs: 2);
        options.Seed = 7;
        var trainer = mlContext.SelfSupervised().FineTune.NamedEntities(options);
        using var first = trainer.Fit(data);
        using var second = trainer.Fit(data);
        var promised = trainer.GetOutputSchema(ShapeProbe.Of(mlContext, data)).ToDictionary(column => column.Name);
        var actual = ShapeProbe.Of(mlContext, first.Transform(data)).ToDictionary(column => column.Name);
        foreach (var name in first.OutputColumnNames)
        {
            Assert.AreEqual(actual[name].Kind, promised[name].Kind, name);
            Assert.AreEqual(actual[name].IsKey, promised[name].IsKey, name);
            Assert.AreEqual(actual[name].ItemType.RawType, promised[name].ItemType.RawType, name);
            Assert.AreEqual(actual[name].Annotations.Any(), promised[name].Annotations.Any(), name);
        }
        foreach (var (expected, found) in Found(mlContext, first, data).Zip(Found(mlContext, second, data)))
            AssertEqual(expected, found, TestDevice.Repeatability);
    }

    [TestMethod]
    public void A_text_longer_than_the_encoder_takes_is_read_in_windows()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = TokenTaskData.Encoder(mlContext, maximumTokens: 24);
        var training = TokenTaskData.Tagged(400).Chunk(20).Select(Joined);
        var test = TokenTaskData.WithKeys(mlContext, [Joined([.. TokenTaskData.Tagged(60, seed: 5)])]);
        var (overlapping, cut) = (Measure(options => { }), Measure(options => options.WindowOverlap = 0));
        Assert.IsGreaterThan(0.8, overlapping);
        // Without an overlap a name at the beginning of a window does not show what it is.
        Assert.IsGreaterThan(cut + 0.08, overlapping);

        double Measure(Action<NamedEntitiesTrainer.Options> change)
        {
            var options = Options(encoder, epochs: 15);
            options.UsesWordFeatures = false;                       // which see across a cut
            change(options);
            using var model = mlContext.SelfSupervised().FineTune.NamedEntities(options).Fit(TokenTaskData.WithKeys(mlContext, training));
            return mlContext.SelfSupervised().EvaluateTagging(model.Transform(test)).F1;
        }

        static TaggedRow Joined(TaggedRow[] rows)
            => new() { Text = string.Join(' ', rows.Select(row => row.Text)), Labels = [.. rows.SelectMany(row => row.Labels)] };
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(0.25)]
    public void A_resumed_training_ends_as_one_that_was_never_interrupted(double validationFraction)
    {
        var path = Path.Combine(Path.GetTempPath(), $"entities-{Guid.NewGuid():N}.ckpt");
        var mlContext = TestDevice.Context(1);
        using var encoder = TokenTaskData.Encoder(mlContext);
        var data = TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(80));
        NamedEntitiesTransformer Train(string? checkpoint, CancellationToken stop = default, Action<PretrainingProgress>? report = null)
        {
            var options = Options(encoder, epochs: 5);
            (options.Seed, options.ValidationFraction, options.CheckpointPath, options.CancellationToken) = (3, validationFraction, checkpoint, stop);
            options.Progress = report is null ? null : new Reports(report);
            return mlContext.SelfSupervised().FineTune.NamedEntities(options).Fit(data);
        }
        try
        {
            using var whole = Train(null);
            using var stop = new CancellationTokenSource();
            using var interrupted = Train(path, stop.Token, progress => { if (progress is { EpochCompleted: true, Epoch: 2 }) stop.Cancel(); });
            var epochs = new List<int>();
            using var resumed = Train(path, report: progress => { if (progress.Phase == PretrainingPhase.Training) epochs.Add(progress.Epoch); });
            Assert.AreEqual(3, epochs.Min(), "it goes on where it was");
            foreach (var (expected, actual) in Found(mlContext, whole, data).Zip(Found(mlContext, resumed, data)))
                AssertEqual(expected, actual, TestDevice.Repeatability);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void A_Fit_that_is_canceled_while_rows_are_read_has_an_untrained_head_or_throws()
    {
        var log = new List<string>();
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) => log.Add(e.Message);
        using var encoder = TokenTaskData.Encoder(mlContext);
        using var stop = new CancellationTokenSource();
        var options = Options(encoder);
        options.CancellationToken = stop.Token;
        var trainer = mlContext.SelfSupervised().FineTune.NamedEntities(options);
        var reads = false;
        var data = TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(3_000).Select((row, i) =>
        {
            if (i == 2_000 && reads)            // ML.NET reads ahead
                stop.Cancel();
            return row;
        }));
        reads = true;
        using (trainer.Fit(data))
        {
            Assert.IsTrue(log.Exists(line => line.Contains("the head of the model that it returns is not trained", StringComparison.Ordinal)));
        }
        Assert.ThrowsExactly<OperationCanceledException>(() => trainer.Fit(TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(50))));
    }

    [TestMethod]
    public void Letters_tell_what_a_tokenizer_without_case_hides()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = TokenTaskData.Encoder(mlContext);
        // The same words are names where they have a capital, at random.
        static List<TaggedRow> Rows(int count, int seed)
        {
            var random = new Random(seed);
            string[] words = ["ann", "call", "bob", "meet", "noon", "the", "way", "lima", "rome", "gray"];
            return [.. Enumerable.Range(0, count).Select(_ =>
            {
                var (text, labels) = (new List<string>(), new List<string>());
                for (var i = 0; i < 8; i++)
                {
                    var (word, isName) = (words[random.Next(words.Length)], i > 0 && labels[^1] == "0" && random.Next(3) == 0);
                    text.Add(isName ? char.ToUpperInvariant(word[0]) + word[1..] : word);
                    labels.Add(isName ? "PERSON" : "0");
                }
                return new TaggedRow { Text = string.Join(' ', text), Labels = [.. labels] };
            })];
        }
        var test = TokenTaskData.WithKeys(mlContext, Rows(100, seed: 2));
        double Measure(bool letters)
        {
            var options = Options(encoder);
            options.UsesWordFeatures = letters;
            using var model = mlContext.SelfSupervised().FineTune.NamedEntities(options).Fit(TokenTaskData.WithKeys(mlContext, Rows(150, seed: 1)));
            return mlContext.SelfSupervised().EvaluateTagging(model.Transform(test)).F1;
        }
        Assert.IsGreaterThan(0.95, Measure(letters: true));
        Assert.IsLessThan(0.5, Measure(letters: false));
    }

    [TestMethod]
    public void Every_option_of_its_own_changes_what_is_learned()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = TokenTaskData.Encoder(mlContext, maximumTokens: 8);         // less than the texts have
        var data = TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(40));
        var test = TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(20, seed: 2));
        float[] Scores(Action<NamedEntitiesTrainer.Options> change)
        {
            var options = Options(encoder, epochs: 4);
            options.Seed = 5;
            change(options);
            using var model = mlContext.SelfSupervised().FineTune.NamedEntities(options).Fit(data);
            return [.. Found(mlContext, model, test).SelectMany(row => row.EntityScore)];
        }
        var plain = Scores(_ => { });
        Assert.IsNotEmpty(plain);
        Action<NamedEntitiesTrainer.Options>[] changes =
        [
            options => options.LabelSmoothing = 0.2, options => options.UsesWordFeatures = false,
            options => options.WindowOverlap = 0,
        ];
        for (var i = 0; i < changes.Length; i++)
            CollectionAssert.AreNotEqual(plain, Scores(changes[i]), $"change {i}");
    }

    [TestMethod]
    public void Texts_without_words_and_odd_characters_have_their_labels()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = TokenTaskData.Encoder(mlContext);
        using var model = Fit(mlContext, encoder, epochs: 1);
        string[] texts = ["", " \t", "\u0001 \ud83d", "please call \u00dcn\u0303a \ud83d\ude00 " + new string('x', 5_000)];
        var rows = mlContext.Data.CreateEnumerable<FoundKeys>(model.Transform(mlContext.Data.LoadFromEnumerable(texts.Select(text => new TaggedRow { Text = text }))),
            reuseRowObject: false).ToArray();
        CollectionAssert.AreEqual(new[] { 0, 0, 2, 5 }, rows.Select(row => row.PredictedLabel.Length).ToArray());
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_with_a_sentence()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = TokenTaskData.Encoder(mlContext);
        using var bag = FineTuningData.Pretrainer(mlContext).Fit(FineTuningData.View(mlContext));
        var tasks = mlContext.SelfSupervised().FineTune;
        var data = TokenTaskData.WithKeys(mlContext, TokenTaskData.Tagged(20));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => tasks.NamedEntities(bag).Fit(data)).Message, "gives a word the same vector everywhere");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tasks.NamedEntities(encoder, "Labels").Fit(data)).Message,
            "Schema mismatch for label column 'Labels': expected VarVector<Key<UInt32>>, got VarVector<String>. Map its values to keys first");
        var halves = Options(encoder);
        halves.StartColumnName = "Starts";
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tasks.NamedEntities(halves)).Message, "LengthColumnName must be set where StartColumnName is");

        var tooFew = TokenTaskData.Tagged(3);
        tooFew[1].Labels = tooFew[1].Labels[..^1];
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => tasks.NamedEntities(encoder).Fit(TokenTaskData.WithKeys(mlContext, tooFew))).Message,
            "Row 1 (from 0) has");
        var outside = TokenTaskData.Tagged(3);
        outside[2].Starts[0] = 1_000;
        var places = Options(encoder);
        (places.LabelColumnName, places.StartColumnName, places.LengthColumnName) = ("Kind", "Starts", "Lengths");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => tasks.NamedEntities(places).Fit(TokenTaskData.WithKeys(mlContext, outside))).Message,
            "Row 2 (from 0) has an entity from 1000 on");
        var nothing = TokenTaskData.Tagged(3);
        nothing.ForEach(row => Array.Fill(row.Labels, "0"));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => tasks.NamedEntities(encoder).Fit(TokenTaskData.WithKeys(mlContext, nothing))).Message,
            "None of 3 rows has an entity");
    }

    private sealed class Reports(Action<PretrainingProgress> report) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => report(value);
    }

    public sealed class FoundKeys
    {
        public uint[] PredictedLabel { get; set; } = [];
    }
}
