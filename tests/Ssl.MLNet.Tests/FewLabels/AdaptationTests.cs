using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.FewLabels;

/// <summary>Few labels on a column whose encoder is adapted to them.</summary>
[TestClass]
public sealed class AdaptationTests
{
    public sealed class Row
    {
        public string Text { get; set; } = "";

        public string Class { get; set; } = "";
    }

    public sealed class Answer
    {
        public float[] Score { get; set; } = [];
    }

    private readonly MLContext _mlContext = TestDevice.Context(1);

    // One word of ten tells the class; the others are chance.
    private static Row[] Texts(int count, int labeled, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Row
        {
            Text = FewLabelsData.Text(random, 200, () => i % 3 * 3 + random.Next(3)), Class = i < labeled ? $"class {i % 3}" : "",
        })];
    }

    private (IDataView Training, IDataView Test, EncoderTransformer Encoder) Data()
    {
        Row[] training = Texts(400, 90, 1), test = Texts(300, 300, 2);
        var encoder = _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            InputColumnName = nameof(Row.Text), Encoder = TextEncoders.Bag(32), NumberOfEpochs = 0, Seed = 1,
        }).Fit(_mlContext.Data.LoadFromEnumerable(training));
        IDataView View(Row[] rows) => FewLabelsData.Keys(_mlContext)
            .Fit(_mlContext.Data.LoadFromEnumerable(rows)).Transform(encoder.Transform(_mlContext.Data.LoadFromEnumerable(rows)));
        return (View(training), View(test), encoder);
    }

    private FewLabelsTrainer Trainer(FewLabelsTrainer.Usage usage = FewLabelsTrainer.Usage.WhenItPays, Action<FewLabelsTrainer.Options>? change = null)
    {
        var options = new FewLabelsTrainer.Options { Seed = 1, Adaptation = usage };
        change?.Invoke(options);
        return _mlContext.SelfSupervised().FewLabels.MulticlassClassification(options);
    }

    /// <summary>What an untrained encoder makes of ten words hides the one that counts; adapted to 90 labels it shows.</summary>
    [TestMethod]
    public void An_adapted_encoder_tells_what_the_frozen_one_hides()
    {
        var (training, test, encoder) = Data();
        using (encoder)
        {
            double Accuracy(FewLabelsTransformer model) => _mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
            var before = encoder.Transform(_mlContext.Data.LoadFromEnumerable(Texts(20, 0, 3))).GetColumn<float[]>("Features").First();
            using var adapted = Trainer(change: options => options.PlainFeatures = FewLabelsTrainer.Usage.Never).Fit(training);
            using var frozen = Trainer(FewLabelsTrainer.Usage.Never, options => options.PlainFeatures = FewLabelsTrainer.Usage.Never).Fit(training);
            Console.WriteLine($"frozen {Accuracy(frozen):0.000}, adapted {Accuracy(adapted):0.000}; {string.Join("; ", adapted.Candidates)}");
            Assert.IsGreaterThan(Accuracy(frozen) + 0.05, Accuracy(adapted));
            Assert.IsGreaterThan(0.5, adapted.Candidates.Where(candidate => candidate.Name.Contains("adapted encoder")).Sum(candidate => candidate.Share));
            CollectionAssert.AreEqual((string[])["Text"], adapted.EncodedColumnNames.ToArray());
            Assert.IsEmpty(frozen.EncodedColumnNames);
            // The encoder of the column stays as it was.
            CollectionAssert.AreEqual(before, encoder.Transform(_mlContext.Data.LoadFromEnumerable(Texts(20, 0, 3))).GetColumn<float[]>("Features").First());
        }
    }

    [TestMethod]
    public void Saved_row_by_row_and_disposed_of_it_is_as_every_model()
    {
        var (training, test, encoder) = Data();
        using (encoder)
        {
            var model = Trainer(FewLabelsTrainer.Usage.Always).Fit(training);
            float[][] Scores(ITransformer of) => [.. of.Transform(test).GetColumn<float[]>("Score")];
            var expected = Scores(model);
            using (var again = Trainer(FewLabelsTrainer.Usage.Always).Fit(training))
            {
                foreach (var (a, b) in expected.Zip(Scores(again)))
                    CollectionAssert.AreEqual(a, b);
            }
            using var file = new MemoryStream();
            _mlContext.Model.Save(encoder.Append(model), _mlContext.Data.LoadFromEnumerable(Texts(1, 0, 1)).Schema, file);
            file.Position = 0;
            var loaded = TestDevice.Context().Model.Load(file, out _);
            foreach (var (a, b) in expected.Zip(Scores(loaded)))
                CollectionAssert.AreEqual(a, b);
            using (var engine = TestDevice.Context().Model.CreatePredictionEngine<Row, Answer>(loaded))
            {
                foreach (var (row, scores) in Texts(300, 300, 2).Zip(expected).Take(5))
                {
                    foreach (var (a, b) in engine.Predict(row).Score.Zip(scores))
                        Assert.AreEqual(a, b, 1e-5);
                }
            }
            ((IDisposable)loaded).Dispose();
            model.Dispose();
            StringAssert.Contains(Assert.ThrowsExactly<ObjectDisposedException>(() => Scores(model)).Message, nameof(FewLabelsTransformer));
        }
    }

    [TestMethod]
    public void Where_the_encoder_or_its_columns_are_gone_it_is_said()
    {
        var (training, _, encoder) = Data();
        using (encoder)
        {
            var log = new List<string>();
            _mlContext.Log += (_, message) => log.Add(message.Message);
            var withoutText = _mlContext.Transforms.SelectColumns("Label", "Features").Fit(training).Transform(training);
            Assert.IsFalse(Trainer().Fit(withoutText).Candidates.Any(candidate => candidate.Name == "adapted encoder"));
            Assert.IsTrue(log.Any(line => line.Contains("neither is the encoder adapted nor anything read plainly: the column 'Text', which it reads, is not there")), string.Join('\n', log));
            StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Trainer(FewLabelsTrainer.Usage.Always).Fit(withoutText)).Message, "'Text'");
            var joined = _mlContext.Transforms.Concatenate("Both", "Features", "Features").Fit(training).Transform(training);
            Assert.IsFalse(Trainer(change: options => options.FeatureColumnName = "Both").Fit(joined).Candidates.Any(candidate => candidate.Name == "adapted encoder"));
            StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Trainer(FewLabelsTrainer.Usage.Always,
                options => options.FeatureColumnName = "Both").Fit(joined)).Message, "carries no encoder");
            Assert.IsFalse(Trainer(change: options => options.CancellationToken = new CancellationToken(true)).Fit(training).Candidates
                .Any(candidate => candidate.Name == "adapted encoder"));
        }
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _mlContext.SelfSupervised().FewLabels.Regression(
            new FewLabelsTrainer.Options { Adaptation = FewLabelsTrainer.Usage.Always })).Message, "Adaptation");
    }
}
