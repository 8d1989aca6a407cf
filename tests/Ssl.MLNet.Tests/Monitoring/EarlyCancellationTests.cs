using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Monitoring;

/// <summary>What a <c>Fit</c> does that is canceled before its first step, and what it tells until then.</summary>
[TestClass]
public sealed class EarlyCancellationTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);
    private readonly List<string> _warnings = [];

    public EarlyCancellationTests() => _mlContext.Log += (_, e) =>
    {
        if (e.Kind == ChannelMessageKind.Warning)
            lock (_warnings) _warnings.Add(e.Message);
    };

    public sealed class Row
    {
        public string Text { get; set; } = "";

        public float Number { get; set; }

        [VectorType(2, 8, 8)]
        public byte[] Image { get; set; } = [];

        [VectorType(24)]
        public float[] Series { get; set; } = [];

        public bool Label { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private static Row NewRow(int i) => new()
    {
        Text = $"word{(char)('a' + i % 20)} and some more {(char)('a' + i % 7)}", Number = i % 13, Image = [.. Enumerable.Range(0, 128).Select(p => (byte)(p + i))],
        Series = [.. Enumerable.Range(0, 24).Select(t => MathF.Sin(t + i))], Label = i % 2 == 0, Features = [i % 5, i % 3, i % 2, 1],
    };

    // Rows that cancel when so many were read, in whichever pass.
    private IDataView View(CancellationTokenSource? source, int cancelsAfter, int count = 100, int pause = 0)
    {
        var read = 0;
        return _mlContext.Data.LoadFromEnumerable(Rows());

        IEnumerable<Row> Rows()
        {
            for (var i = 0; i < count; i++)
            {
                if (++read > cancelsAfter)
                    source?.Cancel();
                if (pause > 0)
                    Thread.Sleep(pause);
                yield return NewRow(i);
            }
        }
    }

    private PretrainingTrainer Trainer(string kind, Action<PretrainingOptions> change)
    {
        var ssl = _mlContext.SelfSupervised();
        switch (kind)
        {
            case "text":
            case "text with a tokenizer":
                var text = new SimCseTrainer.Options { Encoder = TextEncoders.Bag(embeddingDimension: 8, tokenDimension: 8, hiddenDimension: 8) };
                if (kind != "text")
                    text.Tokenizer = WordPieceTokenizer.Train(Enumerable.Range(0, 40).Select(i => NewRow(i).Text));
                change(text);
                return ssl.Text.SimCse(text);
            case "table":
                var table = new ScarfTrainer.Options { InputColumnNames = ["Number", "Text"], Encoder = TabularEncoders.Mlp(1, 8) };
                change(table);
                return ssl.Tabular.Scarf(table);
            case "image":
                var image = new SimClrTrainer.Options { InputColumnName = "Image", Encoder = ImageEncoders.SmallConvNet(imageSize: 8, channels: 2, width: 4) };
                change(image);
                return ssl.Images.SimClr(image);
            default:
                var series = new Ts2VecTrainer.Options
                {
                    InputColumnName = "Series", Encoder = TimeSeriesEncoders.DilatedConvolution(embeddingDimension: 8, hiddenDimension: 4),
                };
                change(series);
                return ssl.TimeSeries.Ts2Vec(series);
        }
    }

    // The pass in which rows come into memory is the first where nothing is learned before, else the second.
    [TestMethod]
    [DataRow("text", 130)]
    [DataRow("text with a tokenizer", 30)]
    [DataRow("table", 130)]
    [DataRow("table", 100)]
    [DataRow("image", 30)]
    [DataRow("series", 130)]
    public void Canceled_while_rows_are_read_it_returns_the_untrained_encoder_with_a_warning(string kind, int after)
    {
        using var source = new CancellationTokenSource();
        var data = View(source, after);
        var reads = new CountingView(data);
        var path = Path.Combine(Path.GetTempPath(), $"canceled-{Guid.NewGuid():N}.checkpoint");
        using var encoder = Trainer(kind, o => (o.NumberOfEpochs, o.CancellationToken, o.ValidationFraction, o.CheckpointPath) = (50, source.Token, 0.1, path)).Fit(reads);
        Assert.IsTrue(reads.RowsRead <= after + 2, $"{reads.RowsRead} rows were read");
        StringAssert.EndsWith(_warnings.Single(w => w.Contains("canceled")), "Fit was canceled before the first step: the encoder that it returns is not trained.");
        Assert.IsFalse(File.Exists(path));
        Assert.IsNull(encoder.TrainingHistory);
        var embeddings = encoder.Transform(View(null, int.MaxValue)).GetColumn<float[]>("Features").ToArray();
        Assert.IsTrue(embeddings.Length == 100 && embeddings.All(e => e.All(float.IsFinite)));
        // What was learned of the data is what the whole training learns.
        using var file = new MemoryStream();
        _mlContext.Model.Save(encoder, data.Schema, file);
        file.Position = 0;
        var loaded = TestDevice.Context(2).Model.Load(file, out _);
        CollectionAssert.AreEqual(embeddings[3], loaded.Transform(View(null, int.MaxValue)).GetColumn<float[]>("Features").ToArray()[3]);
    }

    [TestMethod]
    [DataRow("text", 0)]
    [DataRow("text", 30)]
    [DataRow("table", 0)]
    [DataRow("table", 30)]
    [DataRow("series", 30)]
    public void Canceled_before_the_data_are_known_it_says_that_there_is_nothing_to_return(string kind, int after)
    {
        using var source = new CancellationTokenSource();
        if (after == 0)
            source.Cancel();
        var reads = new CountingView(View(source, after));
        var error = Assert.ThrowsExactly<OperationCanceledException>(() => Trainer(kind, o => o.CancellationToken = source.Token).Fit(reads));
        StringAssert.Contains(error.Message, "Fit was canceled while rows were read for the first time");
        Assert.AreEqual(source.Token, error.CancellationToken);
        Assert.IsTrue(reads.RowsRead <= after + 2, $"{reads.RowsRead} rows were read");
    }

    [TestMethod]
    [DataRow("text with a tokenizer")]
    [DataRow("image")]
    public void Canceled_before_it_begins_it_returns_the_untrained_encoder_where_that_needs_no_data(string kind)
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var reads = new CountingView(View(null, int.MaxValue));
        using var encoder = Trainer(kind, o => o.CancellationToken = source.Token).Fit(reads);
        Assert.AreEqual(0, reads.RowsRead);
        Assert.HasCount(1, _warnings.Where(w => w.Contains("canceled")).ToArray());
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Fine_tuning_returns_an_untrained_head_or_says_that_there_is_none(bool hasLabels)
    {
        using var encoder = Trainer("text with a tokenizer", o => o.NumberOfEpochs = 0).Fit(View(null, int.MaxValue));
        using var source = new CancellationTokenSource();
        if (!hasLabels)
            source.Cancel();
        var reads = new CountingView(View(source, 30));
        var trainer = _mlContext.SelfSupervised().FineTune.BinaryClassification(new BinaryFineTuningTrainer.Options
        {
            Encoder = encoder, CancellationToken = source.Token, ValidationFraction = 0.2,
        });
        if (hasLabels)
        {
            using var tuned = trainer.Fit(reads);
            StringAssert.EndsWith(_warnings.Single(w => w.Contains("canceled")), "Fit was canceled before the first step: the head of the model that it returns is not trained.");
            Assert.AreEqual(100, tuned.Transform(View(null, int.MaxValue)).GetColumn<float>("Score").Count(float.IsFinite));
        }
        else
        {
            StringAssert.Contains(Assert.ThrowsExactly<OperationCanceledException>(() => trainer.Fit(reads)).Message, "there is no model to return");
        }
        Assert.IsTrue(reads.RowsRead <= 32);
    }

    [TestMethod]
    public void Few_labels_learn_from_the_rows_that_were_read()
    {
        // Fast rows are read to their end for the linear model, slow ones for half a second.
        using var source = new CancellationTokenSource();
        source.Cancel();
        var trainer = _mlContext.SelfSupervised().FewLabels.BinaryClassification(new FewLabelsTrainer.Options { CancellationToken = source.Token });
        foreach (var (pause, count) in new[] { (0, 100), (20, 200) })
        {
            var reads = new CountingView(View(null, int.MaxValue, count, pause));
            using var model = trainer.Fit(reads);
            Assert.IsTrue(pause == 0 ? reads.RowsRead == count : reads.RowsRead < 60, $"{reads.RowsRead} rows were read");
            Assert.AreEqual(100, model.Transform(View(null, int.MaxValue)).GetColumn<float>("Probability").Count(float.IsFinite));
        }
        var alike = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 200).Select(i =>
        {
            Thread.Sleep(20);
            return NewRow(2 * i);
        }));
        StringAssert.Contains(Assert.ThrowsExactly<OperationCanceledException>(() => trainer.Fit(alike)).Message, "there is no model to return");
    }

    // Streamed rows are counted for a checkpoint: another pass before the first step.
    [TestMethod]
    public void Canceled_while_streamed_rows_are_counted_it_returns_the_untrained_encoder()
    {
        using var source = new CancellationTokenSource();
        var reads = new CountingView(View(source, 40));
        var path = Path.Combine(Path.GetTempPath(), $"canceled-{Guid.NewGuid():N}.checkpoint");
        using var encoder = Trainer("text with a tokenizer", o => (o.NumberOfEpochs, o.CacheLimit, o.CheckpointPath, o.CancellationToken) = (5, 0, path, source.Token)).Fit(reads);
        Assert.IsTrue(reads.RowsRead <= 42, $"{reads.RowsRead} rows were read");
        Assert.HasCount(1, _warnings.Where(w => w.Contains("canceled")).ToArray());
    }

    [TestMethod]
    public void A_comparison_returns_what_was_complete()
    {
        using var encoder = Trainer("text with a tokenizer", o => o.NumberOfEpochs = 0).Fit(View(null, int.MaxValue));
        using var source = new CancellationTokenSource();
        // The labels are read once before; the first fine-tuning reads on.
        var data = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(View(null, int.MaxValue)).Transform(View(source, 101));
        var report = _mlContext.SelfSupervised().LabelEfficiency(data, encoder, new LabelEfficiencyOptions
        {
            LabelColumnName = "Class", LabelsPerClass = [2], NumberOfDraws = 1, Approaches = [LabelEfficiencyApproach.FineTune, LabelEfficiencyApproach.Scratch], CancellationToken = source.Token,
        });
        Assert.IsFalse(report.IsComplete);
        Assert.IsEmpty(report.Results);
    }

    [TestMethod]
    public void The_console_shows_what_comes_before_the_training()
    {
        var writer = new StringWriter();
        using (var progress = new ConsoleProgress(writer, live: true, refreshEvery: TimeSpan.Zero))
        {
            var report = new PretrainingProgress(0, 3, 0, null, double.NaN, new Dictionary<string, double>(), 0, 2_000, TimeSpan.FromSeconds(6), null, null, false);
            progress.Report(report with { Phase = PretrainingPhase.ReadingRows, RowsRead = 12_000 });
            progress.Report(report with { Phase = PretrainingPhase.TrainingTokenizer, TokensLearned = 7_000 });
        }
        StringAssert.Contains(writer.ToString(), "[                    ] reading rows: 12,000 so far, 2,000 rows/s");
        StringAssert.Contains(writer.ToString(), "[                    ] training the tokenizer: 7,000 tokens so far");
    }

    // A vocabulary of hundreds of thousands of words is learned for seconds; it ends at once.
    [TestMethod]
    public void The_training_of_a_tokenizer_ends_within_a_second()
    {
        var random = new Random(1);
        string[] texts = [.. Enumerable.Range(0, 30_000).Select(_ => string.Concat(Enumerable.Range(0, 12).Select(_ => (char)('a' + random.Next(26)))))];
        using var source = new CancellationTokenSource();
        var clock = new Stopwatch();
        var error = Assert.ThrowsExactly<OperationCanceledException>(() => WordPieceTokenizer.Train(Read(), new WordPieceTokenizer.Options
        {
            VocabularySize = 200_000, MinimumCount = 1, CancellationToken = source.Token,
        }));
        Assert.AreEqual(source.Token, error.CancellationToken);
        Assert.IsLessThan(1.0, clock.Elapsed.TotalSeconds);

        // In the midst of merging pieces.
        using var later = new CancellationTokenSource();
        var learned = 0;
        Assert.ThrowsExactly<OperationCanceledException>(() => WordPieceTokenizer.Train(texts.Take(2_000).Select(text => text.AsMemory()),
            new WordPieceTokenizer.Options { VocabularySize = 20_000, MinimumCount = 1, CancellationToken = later.Token }, _ =>
        {
            if (++learned == 3)
                later.Cancel();
        }));
        Assert.AreEqual(3, learned);

        IEnumerable<string> Read()
        {
            foreach (var text in texts)
                yield return text;
            clock.Start();
            source.CancelAfter(30);
        }
    }

    [TestMethod]
    [DataRow("text")]
    [DataRow("table")]
    [DataRow("image")]
    [DataRow("series")]
    public void Rows_that_are_read_are_told(string kind)
    {
        var reports = new List<PretrainingProgress>();
        using var encoder = Trainer(kind, o => (o.NumberOfEpochs, o.Progress) = (1, new Reports(reports))).Fit(View(null, int.MaxValue, count: 64, pause: 6));
        var reading = reports.Where(report => report.Phase == PretrainingPhase.ReadingRows).ToArray();
        Assert.IsNotEmpty(reading);
        Assert.IsTrue(reading.All(report => report is { Epoch: 0, Step: 0, RowsRead: > 0 and <= 64, EpochCompleted: false } && double.IsNaN(report.Loss)));
        Assert.IsTrue(reports.SkipWhile(report => report.Phase != PretrainingPhase.Training).All(report => report is { Phase: PretrainingPhase.Training, Epoch: 1 }));
    }

    private sealed class Reports(List<PretrainingProgress> all) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => all.Add(value);
    }
}
