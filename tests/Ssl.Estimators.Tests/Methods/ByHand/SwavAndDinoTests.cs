using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Methods whose views predict shares over prototypes, with two large and three small views.</summary>
[TestClass]
public sealed class SwavAndDinoTests
{
    private const int Count = 5, Locals = 3;

    // Caron et al., 2020 (arXiv:2006.09882), equations 1 and 2, multi-crop as equation 6: every other view predicts the assignment of
    // each large one. Assignments by algorithm 1: exp(score / .05), three rounds, each prototype gets 1 / K of all, then each view 1.
    [TestMethod]
    [ByHand(typeof(SwavTrainer.Method))]
    public void SwavPredictsBalancedAssignmentsOfTheOtherViews()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (large, small) = (new RecordedView(2), new RecordedView(3, side: 4));
        var encoder = new TinyImageEncoder();
        using var method = new SwavTrainer.Method(encoder, streams, new()
        {
            Crops = new MultiCrop(large, 2, small, Locals), Temperature = 0.3f, NumberOfPrototypes = 6, ProjectionDimension = 4,
        });
        var projection = Steps.Child<ProjectionMlp>(method, "projection");
        var prototypes = Steps.Child<LinearLayer>(method, "prototypes");
        for (var step = 0; step < 3; step++)
        {
            double[][] unit = Numbers.Rows(prototypes.Weight);
            foreach (double[] prototype in unit)
                Assert.AreEqual(1, Numbers.Dot(prototype, prototype), 1e-5, $"length of a prototype in step {step}");
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]);
            Assert.AreEqual(2 * (step + 1), large.Calls, "two large views in each step");
            Assert.AreEqual(Locals * (step + 1), small.Calls, "three small views in each step");
            double[][][] fixedTargets = [.. Scores()[..2].Select(Sinkhorn)];
            Numbers.AreEqual(ByHand(fixedTargets), loss.Total, $"loss of step {step}");
            Steps.Backward(method, loss);
            Numbers.IsTheSlope(encoder.Weight, () => ByHand(fixedTargets));
            Assert.IsGreaterThan(0.1, Numbers.SlopeError(encoder.Weight, () => ByHand([.. Scores()[..2].Select(Sinkhorn)])),
                "targets that move would give another gradient");
            double[][] kept = Numbers.Rows(prototypes.Weight - 0.3 * prototypes.Weight.grad!);
            Steps.Descend(method, progress: 0.5, rate: 0.3);
            Numbers.AreEqual(kept.SelectMany(Numbers.Unit), prototypes.Weight, "prototypes after the step, at length 1");

            // [N, K] for each view, the two large ones first.
            double[][][] Scores() => Views(large, small, step, encoder,
                embeddings => Numbers.Rows(Steps.Call(projection, embeddings)),
                z => [.. Numbers.Rows(prototypes.Weight).Select(prototype => Numbers.Dot(prototype, Numbers.Unit(z)))]);

            double ByHand(double[][][] targets) => OverPairs(targets, Scores(), 0.3);
        }
    }

    // The authors' code takes the prototypes' gradient away in the first 313 steps.
    [TestMethod]
    public void SwavsPrototypesStayAsTheyWereDrawnAtFirst()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var method = new SwavTrainer.Method(new TinyImageEncoder(), streams, new()
        {
            Crops = new MultiCrop(new RecordedView(2), 2, new RecordedView(3, side: 4), Locals), NumberOfPrototypes = 6,
            ProjectionDimension = 4, FrozenPrototypesFraction = 0.5,
        });
        Tensor prototypes = Steps.Child<LinearLayer>(method, "prototypes").Weight, head = Steps.Weight(method, "projection.layers.0.weight");
        double[] drawn = Numbers.Values(prototypes);
        for (var step = 0; step < 4; step++)
        {
            double[] before = Numbers.Values(prototypes), headBefore = Numbers.Values(head);
            method.OnStepStarting(step / 4.0);
            Steps.Backward(method, method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]));
            Steps.Descend(method, (step + 1) / 4.0);
            CollectionAssert.AreNotEqual(headBefore, Numbers.Values(head), "the rest learns");
            if (step < 2)
                CollectionAssert.AreEqual(drawn, Numbers.Values(prototypes), $"step {step}");
            else
                CollectionAssert.AreNotEqual(before, Numbers.Values(prototypes), $"step {step}");
        }
    }

    // Caron et al., 2021 (arXiv:2104.14294), equations 1 to 4: the student's softmax at its temperature against the teacher's of
    // (output - center) at its own; center = .9 x center + .1 x mean of the teacher's outputs, after its use; the teacher's momentum rises.
    [TestMethod]
    [ByHand(typeof(DinoTrainer.Method))]
    public void DinosStudentPredictsTheSharpenedAndCenteredTeacher()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (large, small) = (new RecordedView(2), new RecordedView(3, side: 4));
        TinyImageEncoder encoder = new(), teacher = new(seed: 9);
        using var method = new DinoTrainer.Method(encoder, teacher, streams, new()
        {
            Crops = new MultiCrop(large, 2, small, Locals), Temperature = 0.2f, TeacherTemperature = 0.07f, NumberOfPrototypes = 6,
            HiddenDimension = 8, Momentum = 0.7f,
        });
        PrototypeHead head = Steps.Child<PrototypeHead>(method, "head"), teacherHead = Steps.Child<PrototypeHead>(method, "teacher_head");
        double[] center = new double[6];
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]);
            Assert.AreEqual(2 * (step + 1), large.Calls, "two large views in each step");
            Assert.AreEqual(Locals * (step + 1), small.Calls, "three small views in each step");
            double[][] outputs = Numbers.Rows(Steps.Call(teacherHead, teacher.Embed(large.Returned([2 * step, 2 * step + 1]))));
            double[][][] targets = [.. outputs
                .Select(row => Numbers.Softmax([.. row.Select((value, k) => (value - center[k]) / 0.07)])).Chunk(Count)];
            Numbers.AreEqual(ByHand(), loss.Total, $"loss of step {step}");
            Steps.Backward(method, loss);
            Numbers.IsTheSlope(encoder.Weight, ByHand);

            center = [.. center.Select((old, k) => 0.9 * old + 0.1 * outputs.Average(row => row[k]))];
            Numbers.AreEqual(center, method.state_dict()["center"], $"center after step {step}");
            double[][] before = Steps.Weights(teacher), headBefore = Steps.Weights(teacherHead);
            double progress = 0.3 * (step + 1);
            Steps.Descend(method, progress);
            Steps.Follows(before, teacher, encoder, Steps.Rising(0.7, progress));
            Steps.Follows(headBefore, teacherHead, head, Steps.Rising(0.7, progress));

            double ByHand() => OverPairs(targets, Views(large, small, step, encoder,
                embeddings => Numbers.Rows(Steps.Call(head, embeddings)), scores => scores), 0.2);
        }
    }

    // Each view's rows: the two large views in one batch, the small ones in another, as batch normalization sees them.
    private static double[][][] Views(RecordedView large, RecordedView small, int step, TinyImageEncoder encoder,
        Func<Tensor, double[][]> head, Func<double[], double[]> scores)
    {
        double[][] of(RecordedView view, int count)
            => head(encoder.Embed(view.Returned([.. Enumerable.Range(count * step, count)])));
        return [.. ((double[][])[.. of(large, 2), .. of(small, Locals)]).Select(scores).Chunk(Count)];
    }

    // The mean over all pairs of a large view and another view.
    private static double OverPairs(double[][][] targets, double[][][] scores, double temperature)
    {
        double sum = 0;
        var pairs = 0;
        for (var target = 0; target < targets.Length; target++)
        {
            for (var view = 0; view < scores.Length; view++)
            {
                if (view == target)
                    continue;
                sum += targets[target].Zip(scores[view], (q, s) => Numbers.CrossEntropy(Numbers.Divided(s, temperature), q)).Average();
                pairs++;
            }
        }
        Assert.AreEqual(2 * (1 + Locals), pairs);
        return sum / pairs;
    }

    private static double[][] Sinkhorn(double[][] scores)
    {
        double[][] shares = [.. scores.Select(row => row.Select(score => Math.Exp(score / 0.05)).ToArray())];
        int views = shares.Length, prototypes = shares[0].Length;
        for (var round = 0; round < 3; round++)
        {
            for (var k = 0; k < prototypes; k++)
            {
                double column = shares.Sum(row => row[k]);
                foreach (double[] row in shares)
                    row[k] *= (double)views / prototypes / column;
            }
            foreach (double[] row in shares)
            {
                double whole = row.Sum();
                for (var k = 0; k < prototypes; k++)
                    row[k] /= whole;
            }
        }
        return shares;
    }
}
