using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.MLNet.Tests.Texts;

/// <summary>Texts longer than the encoder takes: how much is lost is told, and both ends can be kept.</summary>
[TestClass]
public sealed class TextTruncationTests
{
    private const int Maximum = 8;

    private readonly MLContext _mlContext = TestDevice.Context(1);
    private readonly List<string> _warnings = [];

    public TextTruncationTests() => _mlContext.Log += (_, e) =>
    {
        if (e.Kind == ChannelMessageKind.Warning && e.Message.Contains("tokens than the encoder takes", StringComparison.Ordinal))
            lock (_warnings) _warnings.Add(e.Message);
    };

    public sealed class Row
    {
        public string Text { get; set; } = "";

        public bool Label { get; set; }
    }

    // Every fourth text has 20 words, the others 5: of 8 tokens, 12 of 20 are lost, 3 of 20 where there are 4 rows of 35 words in all.
    private IDataView View(int count = 40) => _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Row
    {
        Text = string.Join(' ', Enumerable.Range(0, i % 4 == 0 ? 20 : 5).Select(w => $"{(char)('a' + (i + w) % 20)}{(char)('a' + w)}")), Label = i % 2 == 0,
    }));

    private SimCseTrainer Trainer(TextTruncation? truncation = null, TextEncoderFactory? encoder = null, Action<SimCseTrainer.Options>? change = null)
    {
        var options = new SimCseTrainer.Options
        {
            Encoder = encoder ?? TextEncoders.Bag(embeddingDimension: 8, tokenDimension: 8, hiddenDimension: 8, maximumTokens: Maximum), NumberOfEpochs = 1, BatchSize = 16,
            MinimumTokenCount = 1, Truncation = truncation,
        };
        change?.Invoke(options);
        return _mlContext.SelfSupervised().Text.SimCse(options);
    }

    private static float[][] Embed(ITransformer model, IDataView data) => [.. model.Transform(data).GetColumn<float[]>("Features")];

    [TestMethod]
    public void A_Fit_and_a_Transform_warn_once_with_the_shares_and_counters_tell_them()
    {
        using var encoder = Trainer().Fit(View());
        Assert.HasCount(1, _warnings);
        StringAssert.Contains(_warnings[0], "10 of 40 rows (25.0 %) have a text of more tokens than the encoder takes (8): 34.3 % of all tokens are cut off");
        Assert.AreEqual(new TruncationCounts(40, 10, 350, 120), encoder.TrainingTruncation);
        Assert.AreEqual(new TruncationCounts(0, 0, 0, 0), encoder.Truncation);

        _warnings.Clear();
        var view = encoder.Transform(View());
        Assert.IsEmpty(_warnings, "nothing was read yet");
        for (var pass = 0; pass < 2; pass++)
            _ = view.GetColumn<float[]>("Features").Count();
        Assert.HasCount(1, _warnings);
        StringAssert.Contains(_warnings[0], "10 of 40 rows (25.0 %)");
        Assert.AreEqual(new TruncationCounts(40, 10, 350, 120), encoder.Truncation);
        _ = Embed(encoder, View());
        Assert.HasCount(2, _warnings);
        Assert.AreEqual(0.25, encoder.Truncation!.ShareOfRows);
        Assert.AreEqual(120.0 / 350, encoder.Truncation.ShareOfTokens);
    }

    [TestMethod]
    public void An_engine_warns_at_its_first_long_text_only()
    {
        using var encoder = Trainer(change: o => o.NumberOfEpochs = 0).Fit(View());
        _warnings.Clear();
        using var engine = _mlContext.Model.CreatePredictionEngine<Row, Embedded>(encoder);
        foreach (var (length, warnings) in new[] { (5, 0), (20, 1), (20, 1), (5, 1) })
        {
            engine.Predict(new Row { Text = string.Join(' ', Enumerable.Repeat("ab", length)) });
            Assert.HasCount(warnings, _warnings);
        }
        Assert.AreEqual(new TruncationCounts(4, 2, 50, 24), encoder.Truncation);
    }

    [TestMethod]
    public void Texts_that_fit_are_no_matter_of_warning()
    {
        using var encoder = Trainer(encoder: TextEncoders.Bag(embeddingDimension: 8, tokenDimension: 8, hiddenDimension: 8, maximumTokens: 20)).Fit(View());
        _ = Embed(encoder, View());
        Assert.IsEmpty(_warnings);
        Assert.AreEqual(new TruncationCounts(40, 0, 350, 0), encoder.Truncation);
    }

    [TestMethod]
    public void Streamed_rows_are_warned_of_too()
    {
        using var encoder = Trainer(change: o => o.CacheLimit = 600).Fit(View());
        Assert.HasCount(1, _warnings);
        Assert.IsTrue(encoder.TrainingTruncation is { Rows: > 0 and < 40, RowsCut: > 0 });
    }

    [TestMethod]
    public void Fine_tuning_and_its_models_warn_too()
    {
        using var encoder = Trainer(change: o => o.NumberOfEpochs = 0).Fit(View());
        _warnings.Clear();
        using var tuned = _mlContext.SelfSupervised().FineTune.BinaryClassification(new BinaryFineTuningTrainer.Options { Encoder = encoder, NumberOfEpochs = 1 }).Fit(View());
        Assert.HasCount(1, _warnings);
        Assert.AreEqual(new TruncationCounts(40, 10, 350, 120), tuned.TrainingTruncation);
        _ = tuned.Transform(View()).GetColumn<float>("Score").Count();
        Assert.HasCount(2, _warnings);
        Assert.AreEqual(new TruncationCounts(40, 10, 350, 120), tuned.Truncation);
        Assert.AreEqual(new TruncationCounts(0, 0, 0, 0), encoder.Truncation, "the rows of its training are not those that it embedded");
    }

    [TestMethod]
    public void Both_ends_are_kept_where_that_is_said_and_the_model_remembers()
    {
        using var head = Trainer(TextTruncation.Head, change: o => o.NumberOfEpochs = 0).Fit(View());
        using var both = Trainer(TextTruncation.HeadAndTail, change: o => o.NumberOfEpochs = 0).Fit(View());
        StringAssert.Contains(_warnings[^1], "between beginning and end");
        string Text(string first, string middle, string last) => string.Join(' ', [.. Enumerable.Repeat(first, 4), .. Enumerable.Repeat(middle, 9), .. Enumerable.Repeat(last, 4)]);
        var (one, other, third) = (Text("aa", "bb", "cc"), Text("aa", "bb", "dd"), Text("aa", "dd", "cc"));
        var data = _mlContext.Data.LoadFromEnumerable(new[] { one, other, third }.Select(text => new Row { Text = text }));
        var (ofHead, ofBoth) = (Embed(head, data), Embed(both, data));
        CollectionAssert.AreEqual(ofHead[0], ofHead[1], "the end does not count");
        CollectionAssert.AreNotEqual(ofBoth[0], ofBoth[1], "the end counts");
        CollectionAssert.AreEqual(ofBoth[0], ofBoth[2], "the middle does not count");

        using var file = new MemoryStream();
        _mlContext.Model.Save(both, data.Schema, file);
        file.Position = 0;
        using var loaded = (EncoderTransformer)TestDevice.Context(2).Model.Load(file, out _);
        CollectionAssert.AreEqual(ofBoth[1], Embed(loaded, data)[1]);
        Assert.AreEqual(both.TrainingTruncation, loaded.TrainingTruncation);

        // What starts from it, and what is tuned of it, keeps to it unless it says otherwise.
        using var further = Trainer(encoder: both, change: o => o.NumberOfEpochs = 0).Fit(View());
        CollectionAssert.AreEqual(ofBoth[1], Embed(further, data)[1]);
        using var other2 = Trainer(TextTruncation.Head, both, o => o.NumberOfEpochs = 0).Fit(View());
        CollectionAssert.AreEqual(Embed(other2, data)[0], Embed(other2, data)[1]);
    }

    [TestMethod]
    public void An_unknown_truncation_is_refused()
        => StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Trainer((TextTruncation)9)).Message,
            "Truncation must be one of Head, HeadAndTail, got 9.");

    // Threads that embed at once lose no count.
    [TestMethod]
    public void Counters_add_up_whatever_the_threads()
    {
        using var encoder = Trainer(change: o => o.NumberOfEpochs = 0).Fit(View());
        Parallel.For(0, 8, _ => Embed(encoder, View(400)));
        Assert.AreEqual(new TruncationCounts(3_200, 800, 28_000, 9_600), encoder.Truncation);
    }

    [TestMethod]
    public void Of_a_text_the_first_and_the_last_tokens_are_kept_whatever_the_limit()
    {
        var tokenizer = WordPieceTokenizer.Train(["a b c d e f g h i j k l m n o p q r s t"], new WordPieceTokenizer.Options { MinimumCount = 1 });
        const string Text = "a b c d e f g h i j k l m n o p q r s t";
        int[] all = tokenizer.Encode(Text);
        foreach (var special in new[] { false, true })
        {
            for (var maximum = special ? 3 : 1; maximum <= 24; maximum++)
            {
                var room = maximum - (special ? 2 : 0);
                foreach (var truncation in Enum.GetValues<TextTruncation>())
                {
                    var (cutter, ids) = (new TextCutter(tokenizer, maximum, special, truncation), new List<int> { 77 });
                    var count = cutter.Encode(Text, ids);
                    int[] own = room >= all.Length ? all : truncation == TextTruncation.Head ? all[..room] : [.. all[..((room + 1) / 2)], .. all[^(room / 2)..]];
                    int[] expected = special ? [tokenizer.Vocabulary.ClassId, .. own, tokenizer.Vocabulary.SeparatorId] : own;
                    CollectionAssert.AreEqual(new[] { 77 }.Concat(expected).ToArray(), ids, $"{truncation} {maximum} {special}");
                    Assert.AreEqual((expected.Length, 20L, 20L - own.Length), (count, cutter.Tokens, cutter.TokensCut));
                    Assert.AreEqual((0, 0L, 0L), (cutter.Encode(" ", ids), cutter.Tokens, cutter.TokensCut));
                }
            }
        }
    }

    // Beyond what is counted for nothing, lengths tell: near the truth.
    [TestMethod]
    public void Of_many_long_texts_the_loss_is_estimated()
    {
        var random = new Random(1);
        var words = Enumerable.Range(0, 200).Select(i => $"{(char)('a' + i % 20)}{(char)('a' + i / 20)}" + new string('x', i % 5)).ToArray();
        string[] texts = [.. Enumerable.Range(0, 1_000).Select(_ => string.Join(' ', Enumerable.Range(0, random.Next(100, 400)).Select(_ => words[random.Next(words.Length)])))];
        var tokenizer = WordPieceTokenizer.Train(texts.Take(100));
        var (cutter, ids, tokens, expected) = (new TextCutter(tokenizer, 32, true, TextTruncation.Head), new List<int>(), 0L, 0L);
        foreach (var text in texts)
        {
            cutter.Encode(text, ids);
            (tokens, expected) = (tokens + cutter.Tokens, expected + tokenizer.Encode(text).Length);
        }
        Assert.AreEqual(1, (double)tokens / expected, 0.01);
        Assert.AreNotEqual(expected, tokens);
        // One that is huge is not read to its end.
        var huge = string.Concat(Enumerable.Repeat("ab cd ", 2_000_000));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        new TextCutter(tokenizer, 32, true, TextTruncation.Head).Encode(huge, ids);
        Assert.IsLessThan(0.2, watch.Elapsed.TotalSeconds);
    }

    private sealed class Embedded
    {
        public float[] Features { get; set; } = [];
    }
}
