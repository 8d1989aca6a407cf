using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Tasks.Tokens;

/// <summary>The losses of token tasks against loops over the head's own outputs.</summary>
[TestClass]
public sealed class TokenLossTests
{
    private const int Words = 30;

    private static readonly TokenVocabulary s_vocabulary = new(Words, 0, 1, 2, 3, 4, 5);

    private static (TextEncoder Encoder, PredictionHead Head, TokenBatch Texts, double[,,] Logits) Network(RandomStreams streams, int outputs)
    {
        var encoder = TextEncoders.Transformer(1, 8, 2, maximumTokens: 8, dropout: 0).Create(s_vocabulary, streams);
        var head = new PredictionHead(8, 0, outputs, streams);
        var ids = tensor(new long[,] { { 2, 7, 8, 9, 3 }, { 2, 10, 11, 3, 0 } });
        var mask = ids.ne(0.ToScalar());
        var texts = new TokenBatch(ids, mask);
        using var noGrad = no_grad();
        encoder.train();
        var computed = head.call(encoder.EncodeTokens(texts));
        var logits = new double[2, 5, outputs];
        for (var n = 0; n < 2; n++)
        {
            for (var l = 0; l < 5; l++)
            {
                for (var o = 0; o < outputs; o++)
                    logits[n, l, o] = computed[n, l, o].item<float>();
            }
        }
        return (encoder, head, texts, logits);
    }

    private static double LogSoftmax(IReadOnlyList<double> values, int index) => values[index] - Math.Log(values.Sum(Math.Exp));

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(0.1)]
    public void Tags_cost_the_mean_cross_entropy_of_the_tokens_that_have_one(double smoothing)
    {
        using var streams = new RandomStreams(1);
        var (encoder, head, texts, logits) = Network(streams, 3);
        long[,] targets = { { -100, 0, 2, -100, -100 }, { -100, 1, -100, -100, -100 } };
        using var method = new TokenClassification(encoder, head, EncoderTuning.Full, smoothing);
        method.train();
        var step = method.Loss([texts, new LabelBatch(tensor(targets))]);
        var (sum, right, count) = (0.0, 0, 0);
        for (var n = 0; n < 2; n++)
        {
            for (var l = 0; l < 5; l++)
            {
                if (targets[n, l] < 0)
                    continue;
                double[] scores = [logits[n, l, 0], logits[n, l, 1], logits[n, l, 2]];
                var target = (int)targets[n, l];
                sum -= (1 - smoothing) * LogSoftmax(scores, target) + smoothing * Enumerable.Range(0, 3).Average(tag => LogSoftmax(scores, tag));
                right += Array.IndexOf(scores, scores.Max()) == target ? 1 : 0;
                count++;
            }
        }
        Assert.AreEqual(sum / count, step.Total.item<float>(), 1e-5);
        Assert.AreEqual(right / (double)count, step.Terms.Single().Value.item<float>(), 1e-6);
    }

    [TestMethod]
    public void What_another_model_says_of_words_is_added_to_what_the_head_says_and_does_not_change()
    {
        using var streams = new RandomStreams(3);
        var (encoder, head, texts, logits) = Network(streams, 3);
        long[,] targets = { { -100, 0, 2, -100, -100 }, { -100, 1, -100, -100, -100 } };
        float[,] scores = { { 0, 0, 0 }, { 1, -2, 0.5f }, { 0.3f, 0.2f, -4 }, { 2, 2, -1 } };
        long[,] words = { { 0, 1, 3, 0, 0 }, { 0, 2, 0, 0, 0 } };
        using var method = new TokenClassification(encoder, head, EncoderTuning.Full, 0, tensor(scores));
        method.train();
        var loss = 0.0;
        foreach (var (n, l) in new[] { (0, 1), (0, 2), (1, 1) })
            loss -= LogSoftmax([.. Enumerable.Range(0, 3).Select(tag => (double)logits[n, l, tag] + scores[words[n, l], tag])], (int)targets[n, l]) / 3;
        var batch = new NumberedTokenBatch(texts, tensor(words));
        Assert.AreEqual(loss, method.Loss([batch, new LabelBatch(tensor(targets))]).Total.item<float>(), 1e-5);
        Assert.DoesNotContain("word_scores", method.state_dict().Keys, "the rows of a resumed training give it again");
        Assert.IsFalse(method.named_parameters().Any(item => item.name.Contains("word_scores", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void Answers_cost_the_mean_cross_entropy_of_beginning_and_end_over_possible_places()
    {
        using var streams = new RandomStreams(2);
        var (encoder, head, texts, logits) = Network(streams, AnswerSpans.Outputs);
        // First row: places 0, 2 and 3 are possible, the answer goes from 2 to 3. Second: 0 and 2 are possible, there is none.
        long[,] targets = { { 0, -100, 1, 2, -100 }, { 3, -100, 0, -100, -100 } };
        (int[] Possible, int Begin, int End)[] rows = [([0, 2, 3], 1, 2), ([0, 2], 0, 0)];
        using var method = new AnswerSpans(encoder, head, EncoderTuning.Full);
        method.train();
        var step = method.Loss([texts, new LabelBatch(tensor(targets))]);
        var (loss, exact) = (0.0, 0);
        for (var n = 0; n < 2; n++)
        {
            double[] begins = [.. rows[n].Possible.Select(place => logits[n, place, 0])], ends = [.. rows[n].Possible.Select(place => logits[n, place, 1])];
            loss -= (LogSoftmax(begins, rows[n].Begin) + LogSoftmax(ends, rows[n].End)) / 2 / rows.Length;
            exact += Array.IndexOf(begins, begins.Max()) == rows[n].Begin && Array.IndexOf(ends, ends.Max()) == rows[n].End ? 1 : 0;
        }
        Assert.AreEqual(loss, step.Total.item<float>(), 1e-5);
        Assert.AreEqual(exact / 2.0, step.Terms.Single().Value.item<float>(), 1e-6);
    }
}
