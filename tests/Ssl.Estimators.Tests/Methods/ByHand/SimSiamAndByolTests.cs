using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Methods whose one view predicts the other, without negatives.</summary>
[TestClass]
public sealed class SimSiamAndByolTests
{
    private const int Count = 5;

    // Chen and He, 2021 (arXiv:2011.10566), equations 1, 2 and 4: D(p1, stop(z2)) / 2 + D(p2, stop(z1)) / 2, D the negative cosine.
    [TestMethod]
    [ByHand(typeof(SimSiamTrainer.Method))]
    public void SimSiamPredictsTheOtherViewWhichIsHeldFixed()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new SimSiamTrainer.Method(encoder, streams, new() { View = view, ProjectionDimension = 32 });
        var projection = Steps.Child<ProjectionMlp>(method, "projection");
        var prediction = Steps.Child<ProjectionMlp>(method, "prediction");
        var loss = method.Loss([TinyImageEncoder.Images(Count)]);
        Assert.AreEqual(2, view.Calls, "two draws of the view");
        double[][][] fixedTargets = Numbers.Parts(Projected(), 2);
        Numbers.AreEqual(ByHand(fixedTargets), loss.Total);
        loss.Total.backward();
        Numbers.IsTheSlope(encoder.Weight, () => ByHand(fixedTargets));
        Assert.IsGreaterThan(0.1, Numbers.SlopeError(encoder.Weight, () => ByHand(Numbers.Parts(Projected(), 2))),
            "targets that move would give another gradient");

        Tensor Projected() => Steps.Call(projection, encoder.Embed(view.Returned([0, 1])));

        double ByHand(double[][][] z)
        {
            double[][][] p = Numbers.Parts(Steps.Call(prediction, Projected()), 2);
            return MeanCosine(p[0], z[1]) / -2 + MeanCosine(p[1], z[0]) / -2;
        }
    }

    // Grill et al., 2020 (arXiv:2006.07733), equation 2: the squared distance of unit vectors, both ways (section 3.1), and equation 1:
    // target = tau x target + (1 - tau) x online, tau rising to 1 (section 3.3).
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    [ByHand(typeof(ByolTrainer.Method))]
    public void ByolPredictsWhatAFollowingNetworkSeesOfTheOtherView(bool hasSecondView)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (first, second) = (new RecordedView(2), new RecordedView(3));
        TinyImageEncoder encoder = new(), target = new(seed: 9);
        using var method = new ByolTrainer.Method(encoder, target, streams, new()
        {
            View = first, SecondView = hasSecondView ? second : null, Momentum = 0.7f, ProjectionDimension = 4, HiddenDimension = 6,
        });
        var projection = Steps.Child<ProjectionMlp>(method, "projection");
        var targetProjection = Steps.Child<ProjectionMlp>(method, "target_projection");
        var prediction = Steps.Child<ProjectionMlp>(method, "prediction");
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]);
            Assert.AreEqual((hasSecondView ? 1 : 2) * (step + 1), first.Calls, "each step draws the first view anew");
            Assert.AreEqual(hasSecondView ? step + 1 : 0, second.Calls, "and the second");
            var views = hasSecondView ? cat([first.Returned(step), second.Returned(step)], 0) : first.Returned([2 * step, 2 * step + 1]);
            double[][][] z = Numbers.Parts(Steps.Call(targetProjection, target.Embed(views)), 2);
            Numbers.AreEqual(ByHand(), loss.Total, $"loss of step {step}");

            Steps.Backward(method, loss);
            Numbers.IsTheSlope(encoder.Weight, ByHand);
            double[][] before = Steps.Weights(target), headBefore = Steps.Weights(targetProjection);
            double progress = 0.3 * (step + 1);
            Steps.Descend(method, progress);
            Steps.Follows(before, target, encoder, Steps.Rising(0.7, progress));
            Steps.Follows(headBefore, targetProjection, projection, Steps.Rising(0.7, progress));

            double ByHand()
            {
                double[][][] p = Numbers.Parts(Steps.Call(prediction, Steps.Call(projection, encoder.Embed(views))), 2);
                return SquaredDistanceOfUnits(p[0], z[1]) + SquaredDistanceOfUnits(p[1], z[0]);
            }
        }
    }

    // Adam's first step moves every weight by its learning rate, whatever the gradient. Half of the run is over in the middle of its only
    // step: a learning rate on a half cosine is half of its peak there.
    [TestMethod]
    [DataRow(3.0, false)]
    [DataRow(3.0, true)]
    [DataRow(1.0, true)]
    public void ThePredictorLearnsAtARateOfItsOwn(double multiplier, bool isConstant)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var siamese = new SimSiamTrainer.Options
        {
            View = new RecordedView(2), ProjectionDimension = 32, PredictorLearningRateMultiplier = multiplier,
            ConstantPredictorLearningRate = isConstant,
        };
        Learns(new SimSiamTrainer.Method(new TinyImageEncoder(), streams, siamese), isConstant ? multiplier : multiplier / 2);
        if (isConstant)
            return;
        var byol = new ByolTrainer.Options
        {
            View = new RecordedView(2), ProjectionDimension = 4, HiddenDimension = 6, PredictorLearningRateMultiplier = multiplier,
        };
        Learns(new ByolTrainer.Method(new TinyImageEncoder(), new TinyImageEncoder(), streams, byol), multiplier / 2);

        void Learns(PretrainingMethod method, double predictor)
        {
            const double rate = 1e-3;
            // Matrices: what a batch norm behind it takes away again, such as a bias, has no gradient but rounding.
            var before = method.named_parameters().Where(item => item.parameter.requires_grad && item.parameter.dim() == 2)
                .Select(item => (item.name, Weight: item.parameter, Before: item.parameter.detach().clone())).ToArray();
            PretrainingLoop.Run(method, new OneBatch(), new TrainingSettings
            {
                NumberOfEpochs = 1, LearningRate = rate, WarmupFraction = 0, WeightDecay = 0, GradientClipNorm = 0,
            }, streams, CPU);
            foreach (var (name, weight, was) in before)
            {
                double moved = weight.sub(was).abs().max().item<float>();
                double expected = rate * (name.StartsWith("prediction.", StringComparison.Ordinal) ? predictor : 0.5);
                Assert.AreEqual(expected, moved, 0.02 * expected, $"{method.GetName()}: {name}");
            }
            Assert.IsTrue(before.Any(item => item.name.StartsWith("prediction.", StringComparison.Ordinal)));
            method.Dispose();
        }
    }

    private sealed class OneBatch : IBatchSource
    {
        public long? RowCount => Count;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
            => [[TinyImageEncoder.Images(Count)]];
    }

    private static double MeanCosine(double[][] a, double[][] b) => a.Zip(b, Numbers.Cosine).Average();

    private static double SquaredDistanceOfUnits(double[][] a, double[][] b)
        => a.Zip(b, (x, y) => Numbers.SquaredDistance(Numbers.Unit(x), Numbers.Unit(y))).Average();
}
