using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.FineTuning;

[TestClass]
public sealed class QuestionAnsweringTests
{
    private static EncoderTransformer Encoder(MLContext mlContext, int maximumTokens = 48)
        => TokenTaskData.Pretrainer(mlContext, "Context", maximumTokens: maximumTokens).Fit(mlContext.Data.LoadFromEnumerable(TokenTaskData.Questions(200)));

    private static QuestionAnsweringTransformer Fit(MLContext mlContext, EncoderTransformer encoder, int epochs, IEnumerable<QuestionRow>? rows = null, int topK = 3)
        => mlContext.SelfSupervised().FineTune.QuestionAnswering(new QuestionAnsweringTrainer.Options
        {
            Encoder = encoder, NumberOfEpochs = epochs, BatchSize = 32, LearningRate = 0.003, TopK = topK,
        }).Fit(mlContext.Data.LoadFromEnumerable(rows ?? TokenTaskData.Questions(800)));

    private static List<AnswerRow> Answers(MLContext mlContext, ITransformer model, IEnumerable<QuestionRow> rows)
        => [.. mlContext.Data.CreateEnumerable<AnswerRow>(model.Transform(mlContext.Data.LoadFromEnumerable(rows)), reuseRowObject: false)];

    [TestMethod]
    public void Questions_are_answered_and_those_without_an_answer_are_not()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Encoder(mlContext);
        using var model = Fit(mlContext, encoder, epochs: 25);
        var test = TokenTaskData.Questions(200, seed: 2);
        var metrics = mlContext.SelfSupervised().EvaluateAnswers(model.Transform(mlContext.Data.LoadFromEnumerable(test)));
        // Who only looks for a number and a thing is right in half of the rows with an answer, and never in the others.
        Assert.IsGreaterThan(0.8, metrics.ExactMatch);
        Assert.IsGreaterThan(0.7, metrics.UnansweredAccuracy!.Value);
        Assert.IsGreaterThanOrEqualTo(metrics.ExactMatch, metrics.F1);

        var rows = Answers(mlContext, model, test);
        foreach (var (row, given) in rows.Zip(test))
        {
            Assert.HasCount(3, row.Answer);
            for (var i = 0; i < 3; i++)
            {
                Assert.AreEqual(row.Answer[i], row.AnswerStart[i] < 0 ? "" : given.Context.Substring(row.AnswerStart[i], row.AnswerLength[i]));
                Assert.IsTrue(row.Score[i] is >= 0 and <= 1.0001f && (i == 0 || row.Score[i] <= row.Score[i - 1]));
            }
            Assert.HasCount(3, row.AnswerStart.Zip(row.AnswerLength).Distinct().ToArray());
        }

        using var file = new MemoryStream();
        mlContext.Model.Save(model, mlContext.Data.LoadFromEnumerable(test).Schema, file);
        file.Position = 0;
        var loaded = TestDevice.Context(2).Model.Load(file, out _);
        using var engine = mlContext.Model.CreatePredictionEngine<QuestionRow, AnswerRow>(loaded);
        foreach (var ((expected, actual), given) in rows.Zip(Answers(mlContext, loaded, test)).Zip(test).Take(20))
        {
            CollectionAssert.AreEqual(expected.Answer, actual.Answer);
            CollectionAssert.AreEqual(expected.Score, actual.Score);
            CollectionAssert.AreEqual(expected.AnswerStart, engine.Predict(given).AnswerStart);
        }
    }

    [TestMethod]
    public void A_long_context_is_searched_in_windows()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Encoder(mlContext, maximumTokens: 32);
        using var model = Fit(mlContext, encoder, epochs: 1, topK: 100);
        var longOnes = TokenTaskData.Questions(5, boxes: 5);
        var rows = Answers(mlContext, model, longOnes.Append(new QuestionRow { Question = "what is in the red box?" }));
        foreach (var (row, given) in rows.Zip(longOnes))
            Assert.AreEqual(row.Answer[0], row.AnswerStart[0] < 0 ? "" : given.Context.Substring(row.AnswerStart[0], row.AnswerLength[0]));
        CollectionAssert.AreEqual(new[] { "" }, rows[^1].Answer, "an empty context has no answer");
        Assert.AreEqual(1, rows[^1].Score[0]);
        foreach (var (row, given) in rows.Zip(longOnes))
        {
            Assert.IsGreaterThan(given.Context.Length - 40, row.AnswerStart.Max(), "the last window is searched, too");
            Assert.Contains(0, row.AnswerStart);
        }
    }

    [TestMethod]
    public void Answers_that_do_not_stand_where_they_should_are_left_out_with_a_warning()
    {
        var log = new List<string>();
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) => log.Add(e.Message);
        using var encoder = Encoder(mlContext);
        var rows = TokenTaskData.Questions(40);
        rows[3].AnswerIndex++;
        rows[5].AnswerIndex = 10_000;
        using (Fit(mlContext, encoder, epochs: 1, rows))
        {
            Assert.IsTrue(log.Exists(line => line.Contains("2 rows are left out, the first of them row 3 (from 0): the answer does not stand in the context where "
                + "column 'AnswerIndex' says.", StringComparison.Ordinal)), string.Join("\n", log));
        }
        rows.ForEach(row => (row.TrainingAnswer, row.AnswerIndex) = ("nowhere", 0));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Fit(mlContext, encoder, 1, rows)).Message,
            "Of 40 rows 0 have no context and 40 an answer that does not stand where they say");
    }

    [TestMethod]
    public void Answers_have_no_more_words_than_asked_for_and_may_be_given_without_their_places()
    {
        var mlContext = TestDevice.Context(1);
        var log = new List<string>();
        mlContext.Log += (_, e) => log.Add(e.Message);
        using var encoder = Encoder(mlContext);
        var rows = TokenTaskData.Questions(40);
        rows.ForEach(row => row.AnswerIndex = 10_000);
        rows[7].TrainingAnswer = "nowhere";
        using var model = mlContext.SelfSupervised().FineTune.QuestionAnswering(new QuestionAnsweringTrainer.Options
        {
            Encoder = encoder, NumberOfEpochs = 1, AnswerIndexColumnName = null, MaximumAnswerWords = 1, TopK = 5,
        }).Fit(mlContext.Data.LoadFromEnumerable(rows));
        Assert.IsTrue(log.Exists(line => line.Contains("1 rows are left out, the first of them row 7 (from 0): the answer does not stand in the context.", StringComparison.Ordinal)));
        var answers = Answers(mlContext, model, rows);
        Assert.IsTrue(answers.All(row => row.Answer.Length == 5 && row.Answer.All(answer => !answer.Contains(' ', StringComparison.Ordinal))));
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_with_a_sentence()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Encoder(mlContext);
        using var small = Encoder(mlContext, maximumTokens: 8);
        var data = mlContext.Data.LoadFromEnumerable(TokenTaskData.Questions(5));
        var tasks = mlContext.SelfSupervised().FineTune;
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => tasks.QuestionAnswering(small).Fit(data)).Message, "at least 16 tokens, got one of 8");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tasks.QuestionAnswering(encoder, contextColumnName: "Text").Fit(data)).Message,
            "Could not find context column 'Text'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tasks.QuestionAnswering(encoder, answerIndexColumnName: "Question").Fit(data)).Message,
            "Set AnswerIndexColumnName to null to take the first place.");
    }

    public sealed class AnswerRow
    {
        public string[] Answer { get; set; } = [];

        public float[] Score { get; set; } = [];

        public int[] AnswerStart { get; set; } = [];

        public int[] AnswerLength { get; set; } = [];
    }
}
