using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Momentum contrast: with a queue, and without.</summary>
[TestClass]
public sealed class MoCoTests
{
    private const int Count = 5;

    // He et al., 2020 (arXiv:1911.05722), equation 1 (the key against the queue) and equation 2 (key = m x key + (1 - m) x query network);
    // here both directions are averaged. The queue is 7 long: two steps of 5 keys go round.
    [TestMethod]
    [ByHand(typeof(MoCoTrainer.Method))]
    public void MoCoFindsTheKeyAmongEarlierOnes()
    {
        const int queueSize = 7;
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        TinyImageEncoder encoder = new(), keyEncoder = new(seed: 9);
        using var method = new MoCoTrainer.Method(encoder, keyEncoder, streams,
            new() { View = view, Temperature = 0.3f, Momentum = 0.6f, QueueSize = queueSize, ProjectionDimension = 4 });
        var projection = Steps.Child<ProjectionMlp>(method, "projection");
        var keyProjection = Steps.Child<ProjectionMlp>(method, "key_projection");
        double[][] queue = Numbers.Rows(Queue());
        foreach (double[] vector in queue)
            Assert.AreEqual(1, Numbers.Dot(vector, vector), 1e-5, "the queue begins with directions");
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]);
            Assert.AreEqual(2 * (step + 1), view.Calls, "two draws of the view in each step");
            var views = view.Returned([2 * step, 2 * step + 1]);
            double[][][] keys = Numbers.Parts(Steps.Call(keyProjection, keyEncoder.Embed(views)), 2);
            Numbers.AreEqual(queue.SelectMany(vector => vector), Queue(), "the queue until the step is over");
            Numbers.AreEqual(ByHand(), loss.Total, $"loss of step {step}");
            Steps.Backward(method, loss);
            Numbers.IsTheSlope(encoder.Weight, ByHand);

            double[][] before = Steps.Weights(keyEncoder), headBefore = Steps.Weights(keyProjection);
            Steps.Descend(method, progress: 0.5);
            Steps.Follows(before, keyEncoder, encoder, 0.6);
            Steps.Follows(headBefore, keyProjection, projection, 0.6);
            // The keys of the first view in front, in their order; the oldest drop out at the end.
            queue = [.. keys[0].Select(Numbers.Unit), .. queue[..(queueSize - Count)]];
            Numbers.AreEqual(queue.SelectMany(vector => vector), Queue(), $"queue after step {step}");

            double ByHand()
            {
                double[][][] queries = Numbers.Parts(Steps.Call(projection, encoder.Embed(views)), 2);
                return (OneWay(queries[0], keys[1]) + OneWay(queries[1], keys[0])) / 2;
            }

            double OneWay(double[][] q, double[][] k) => q.Select((query, i) =>
            {
                double positive = Math.Exp(Numbers.Cosine(query, k[i]) / 0.3);
                double negatives = queue.Sum(old => Math.Exp(Numbers.Cosine(query, old) / 0.3));
                return -Math.Log(positive / (positive + negatives));
            }).Average();
        }

        Tensor Queue() => method.state_dict()["queue.vectors"];
    }

    // Chen, Xie, He, 2021 (arXiv:2104.02057), algorithm 1: ctr(q1, k2) + ctr(q2, k1), each the cross entropy among the batch's own keys
    // times the temperature (the paper has twice that), with a momentum that rises to 1 along half a cosine.
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    [ByHand(typeof(MoCoV3Trainer.Method))]
    public void MoCoV3FindsTheKeyAmongThoseOfTheBatch(bool hasSecondView)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (first, second) = (new RecordedView(2), new RecordedView(3));
        TinyImageEncoder encoder = new(), keyEncoder = new(seed: 9);
        using var method = new MoCoV3Trainer.Method(encoder, keyEncoder, streams, new()
        {
            View = first, SecondView = hasSecondView ? second : null, Temperature = 0.3f, Momentum = 0.7f, ProjectionDimension = 4,
            HiddenDimension = 6,
        });
        var projection = Steps.Child<ProjectionMlp>(method, "projection");
        var keyProjection = Steps.Child<ProjectionMlp>(method, "key_projection");
        var prediction = Steps.Child<ProjectionMlp>(method, "prediction");
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 40 + step)]);
            Assert.AreEqual((hasSecondView ? 1 : 2) * (step + 1), first.Calls, "each step draws the first view anew");
            Assert.AreEqual(hasSecondView ? step + 1 : 0, second.Calls, "and the second");
            var views = hasSecondView ? cat([first.Returned(step), second.Returned(step)], 0) : first.Returned([2 * step, 2 * step + 1]);
            double[][][] k = Numbers.Parts(Steps.Call(keyProjection, keyEncoder.Embed(views)), 2);
            Numbers.AreEqual(ByHand(), loss.Total, $"loss of step {step}");
            Steps.Backward(method, loss);
            Numbers.IsTheSlope(encoder.Weight, ByHand);

            double[][] before = Steps.Weights(keyEncoder), headBefore = Steps.Weights(keyProjection);
            double progress = 0.3 * (step + 1);
            Steps.Descend(method, progress);
            Steps.Follows(before, keyEncoder, encoder, Steps.Rising(0.7, progress));
            Steps.Follows(headBefore, keyProjection, projection, Steps.Rising(0.7, progress));

            double ByHand()
            {
                double[][][] q = Numbers.Parts(Steps.Call(prediction, Steps.Call(projection, encoder.Embed(views))), 2);
                return 0.3 * (Numbers.OneDirection(q[0], k[1], 0.3) + Numbers.OneDirection(q[1], k[0], 0.3));
            }
        }
    }
}
