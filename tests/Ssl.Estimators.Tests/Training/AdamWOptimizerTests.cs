using Ssl.Estimators.Training.Optimizers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class AdamWOptimizerTests
{
    [TestMethod]
    [DataRow(1.5)]
    [DataRow(0.0)]
    public void NumbersAreThoseOfTorch(double clipNorm)
    {
        using var scope = NewDisposeScope();
        Parameter weight = new Parameter(Sines(12, 0.1).reshape(3, 4));
        Parameter bias = new Parameter(Sines(4, 0.2));
        using var optimizer = new AdamWOptimizer([("layer.weight", weight), ("layer.bias", bias)], weightDecay: 0.1, beta1: 0.8,
            beta2: 0.95, epsilon: 1e-6);
        for (int step = 0; step < AdamWNumbers.Steps; step++)
        {
            weight.grad = Sines(12, 1.0 + step).reshape(3, 4) * (step + 1);
            bias.grad = step == 3 ? null : Sines(4, 2.0 + step) * (step + 1);
            Tensor? norm = optimizer.Step(0.01 * (step + 1), clipNorm);
            if (clipNorm > 0)
                Assert.AreEqual(AdamWNumbers.Norms[step], norm!.ToDouble(), 1e-5 * AdamWNumbers.Norms[step]);
            else
                Assert.IsNull(norm);
        }
        AssertClose(clipNorm > 0 ? AdamWNumbers.ClippedWeight : AdamWNumbers.UnclippedWeight, weight);
        AssertClose(clipNorm > 0 ? AdamWNumbers.ClippedBias : AdamWNumbers.UnclippedBias, bias);
        Assert.AreEqual(AdamWNumbers.Steps - 1, optimizer.Parameters[1].Steps, "a step without a gradient does not count");
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(1.0)]
    public void JoinedParametersAgreeWithTheKernel(double clipNorm)
    {
        using var scope = NewDisposeScope();
        (string Name, Parameter Value)[] separate = Several(), together = Several();
        Func<string, ParameterRate> rate = name => name switch { "slow.weight" => new(0.25), "constant" => new(2, IsConstant: true), _ => new(1) };
        using var kernel = new AdamWOptimizer(separate, 0.1, rate: rate, peak: 0.02);
        using var joined = new AdamWOptimizer(together, 0.1, rate: rate, peak: 0.02, joins: true);
        for (int step = 0; step < 6; step++)
        {
            for (int i = 0; i < separate.Length; i++)
            {
                // "b" learns every other step, "late" from the third on: neighbors that have made different numbers of steps.
                bool learns = separate[i].Name switch { "b" => step % 2 == 0, "late" => step > 1, _ => true };
                (separate[i].Value.grad, together[i].Value.grad) = (Gradient(), Gradient());
                Tensor? Gradient() => learns ? Sines((int)separate[i].Value.NumberOfElements, step + i).reshape(separate[i].Value.shape) * 3 : null;
            }
            Tensor? expected = kernel.Step(0.02 / (step + 1), clipNorm), norm = joined.Step(0.02 / (step + 1), clipNorm);
            Assert.AreEqual(expected is null, norm is null);
            if (expected is not null)
                Assert.AreEqual(expected.ToDouble(), norm!.ToDouble(), 1e-5 * expected.ToDouble());
            for (int i = 0; i < separate.Length; i++)
            {
                string where = $"{separate[i].Name}, step {step}";
                Assert.IsLessThan(1e-6, (separate[i].Value - together[i].Value).abs().max().ToDouble(), where);
                Assert.IsLessThan(1e-6, (kernel.Parameters[i].Average - joined.Parameters[i].Average).abs().max().ToDouble(), where);
                Assert.IsLessThan(1e-6, (kernel.Parameters[i].SquareAverage - joined.Parameters[i].SquareAverage).abs().max().ToDouble(), where);
                Assert.AreEqual(kernel.Parameters[i].Steps, joined.Parameters[i].Steps, where);
                CollectionAssert.AreEqual(together[i].Value.shape, joined.Parameters[i].Average.shape);
            }
        }
        joined.Dispose();
        foreach (var (name, value) in together)
            Assert.AreEqual(0, value.storage_offset(), $"{name} still lies in the vector");
    }

    [TestMethod]
    public void CopiesInBFloat16LearnForTheirParameters()
    {
        using var scope = NewDisposeScope();
        (string Name, Parameter Value)[] exact = Several(), copied = Several();
        using var plain = new AdamWOptimizer(exact, 0.1, joins: true);
        using var rounding = new AdamWOptimizer(copied, 0.1, joins: true, rounds: true);
        Assert.IsNull(plain.RoundWeights());
        for (int step = 0; step < 6; step++)
        {
            var copies = rounding.RoundWeights()!;
            for (int i = 0; i < exact.Length; i++)
            {
                Tensor copy = copies[copied[i].Value.Handle], now = copied[i].Value.to(ScalarType.BFloat16);
                Assert.IsTrue(copy.is_leaf && copy.requires_grad, copied[i].Name);
                Assert.IsTrue(copy.eq(now).all().item<bool>(), $"{copied[i].Name} in step {step}");
                // By turns the copy alone has a gradient, the parameter alone, both, or none.
                Tensor gradient = (Sines((int)now.numel(), step + i).reshape(now.shape) * 3).to(ScalarType.BFloat16), whole = gradient.to(ScalarType.Float32);
                (Tensor? ofCopy, Tensor? ofExact) = ((step + i) % 4) switch
                {
                    0 => (gradient, null),
                    1 => (null, whole),
                    2 => (gradient, whole),
                    _ => ((Tensor?)null, (Tensor?)null),
                };
                (copy.grad, copied[i].Value.grad) = (ofCopy, ofExact);
                exact[i].Value.grad = ofCopy is null ? ofExact : ofExact is null ? whole : whole * 2;
            }
            Tensor? expected = plain.Step(0.02, 1), norm = rounding.Step(0.02, 1);
            Assert.AreEqual(expected!.ToDouble(), norm!.ToDouble());
            for (int i = 0; i < exact.Length; i++)
                Assert.IsTrue(exact[i].Value.eq(copied[i].Value).all().item<bool>(), $"{exact[i].Name} after step {step}");
            rounding.ZeroGradients();
            Assert.IsTrue(copies.Values.Concat(copied.Select(item => item.Value)).All(value => value.grad is null));
        }
    }

    private static (string, Parameter)[] Several() =>
    [
        ("a", new Parameter(Sines(12, 0.1).reshape(3, 4))),
        ("bias", new Parameter(Sines(4, 0.2))),
        ("b", new Parameter(Sines(6, 0.3).reshape(2, 3))),
        ("temperature", new Parameter(Sines(1, 0.4).squeeze(0))),
        ("slow.weight", new Parameter(Sines(6, 0.5).reshape(2, 3))),
        ("late", new Parameter(Sines(6, 0.6).reshape(2, 3))),
        ("constant", new Parameter(Sines(6, 0.7).reshape(3, 2))),
    ];

    [TestMethod]
    public void ParametersThatTheKernelDoesNotTakeAreJoined()
    {
        using var scope = NewDisposeScope();
        Parameter plain = new Parameter(Sines(12, 0.1).reshape(3, 4));
        Parameter transposed = new Parameter(Sines(12, 0.1).reshape(3, 4).t().contiguous().t());
        Parameter precise = new Parameter(Sines(12, 0.1).reshape(3, 4).to(ScalarType.Float64));
        Assert.IsFalse(AdamWKernel.Handles(transposed));
        Assert.IsFalse(AdamWKernel.Handles(precise));
        using var kernel = new AdamWOptimizer([("weight", plain)], 0.1);
        using var vectors = new AdamWOptimizer([("transposed", transposed), ("precise", precise)], 0.1);
        for (int step = 0; step < 5; step++)
        {
            plain.grad = Sines(12, step).reshape(3, 4) * 3;
            transposed.grad = Sines(12, step).reshape(3, 4) * 3;
            precise.grad = Sines(12, step).reshape(3, 4).to(ScalarType.Float64) * 3;
            // Two equal halves: longer by the root of 2, and so is what they may be.
            double first = kernel.Step(0.05, 1)!.ToDouble();
            Assert.AreEqual(first * Math.Sqrt(2), vectors.Step(0.05, Math.Sqrt(2))!.ToDouble(), 1e-5);
        }
        Assert.IsLessThan(2e-6, (plain - transposed).abs().max().ToDouble());
        Assert.IsLessThan(2e-6, (plain - precise).abs().max().ToDouble());
    }

    [TestMethod]
    public void AConstantRateIsThePeakInEveryStep()
    {
        using var scope = NewDisposeScope();
        Parameter constant = new Parameter(Sines(12, 0.1).reshape(3, 4)), plain = new Parameter(Sines(12, 0.1).reshape(3, 4));
        Parameter other = new Parameter(Sines(4, 0.2)), otherPlain = new Parameter(Sines(4, 0.2));
        using var first = new AdamWOptimizer([("a", constant), ("b", other)], 0.1, rate: name => new(3, IsConstant: name == "a"), peak: 0.02);
        using var second = new AdamWOptimizer([("a", plain)], 0.1);
        using var third = new AdamWOptimizer([("b", otherPlain)], 0.1);
        for (int step = 0; step < 3; step++)
        {
            (constant.grad, plain.grad) = (Sines(12, step).reshape(3, 4), Sines(12, step).reshape(3, 4));
            (other.grad, otherPlain.grad) = (Sines(4, step), Sines(4, step));
            first.Step(0.01 / (step + 1), 0);
            second.Step(3 * 0.02, 0);
            third.Step(3 * (0.01 / (step + 1)), 0);
        }
        Assert.IsTrue(constant.equal(plain).all().item<bool>());
        Assert.IsTrue(other.equal(otherPlain).all().item<bool>());
    }

    [TestMethod]
    public void AScaledParameterIsOneWithAScaledLearningRate()
    {
        using var scope = NewDisposeScope();
        Parameter scaled = new Parameter(Sines(12, 0.1).reshape(3, 4)), plain = new Parameter(Sines(12, 0.1).reshape(3, 4));
        Parameter other = new Parameter(Sines(4, 0.2)), otherPlain = new Parameter(Sines(4, 0.2));
        using var first = new AdamWOptimizer([("a", scaled), ("b", other)], 0.1, rate: name => new(name == "a" ? 0.25 : 1));
        using var second = new AdamWOptimizer([("a", plain)], 0.1);
        using var third = new AdamWOptimizer([("b", otherPlain)], 0.1);
        for (int step = 0; step < 3; step++)
        {
            (scaled.grad, plain.grad) = (Sines(12, step).reshape(3, 4), Sines(12, step).reshape(3, 4));
            (other.grad, otherPlain.grad) = (Sines(4, step), Sines(4, step));
            first.Step(0.04, 0);
            second.Step(0.01, 0);
            third.Step(0.04, 0);
        }
        Assert.IsTrue(scaled.equal(plain).all().item<bool>());
        Assert.IsTrue(other.equal(otherPlain).all().item<bool>());
    }

    [TestMethod]
    public void ManyChunksAndATailAreUpdatedAlike()
    {
        using var scope = NewDisposeScope();
        // More than one thread's worth, and no multiple of any vector width.
        const int count = 300_007;
        Parameter large = new Parameter(ones(count));
        Parameter small = new Parameter(ones(3));
        using var first = new AdamWOptimizer([("a", large)], 0);
        using var second = new AdamWOptimizer([("a", small)], 0);
        for (int step = 0; step < 3; step++)
        {
            large.grad = full([count], 0.5);
            small.grad = full([3], 0.5);
            double norm = first.Step(0.1, 1e9)!.ToDouble();
            Assert.AreEqual(0.5 * Math.Sqrt(count), norm, 1e-3);
            second.Step(0.1, 1e9);
        }
        float expected = small.data<float>()[0];
        float[] values = large.data<float>().ToArray();
        Assert.AreEqual(expected, values.Min(), 1e-6f);
        Assert.AreEqual(expected, values.Max(), 1e-6f);
        Assert.AreNotEqual(1f, expected);
    }

    [TestMethod]
    public void OnlyMatricesOutsideOfNormsDecay()
    {
        using var scope = NewDisposeScope();
        (string, Parameter)[] parameters =
        [
            ("encoder.weight", new Parameter(ones(2, 2))),
            ("encoder.bias", new Parameter(ones(2))),
            ("norm.weight", new Parameter(ones(2))),
            ("layer.norm1.weight", new Parameter(ones(2, 2))),
            ("attention.bias", new Parameter(ones(2, 2))),
            ("tokens", new Parameter(ones(3, 2))),
            ("temperature", new Parameter(ones([]))),
        ];
        using var optimizer = new AdamWOptimizer(parameters, weightDecay: 0.5);
        foreach ((_, Parameter parameter) in parameters)
            parameter.grad = zeros_like(parameter);
        optimizer.Step(0.1, 1);
        // With a gradient of 0 only the decay moves: by 1 - 0.1 * 0.5.
        float[] values = [.. parameters.Select(item => item.Item2.detach().reshape(-1).data<float>()[0])];
        CollectionAssert.AreEqual(new[] { 0.95f, 1, 1, 1, 1, 0.95f, 1 }, values);
    }

    [TestMethod]
    public void FrozenAndSharedParameters()
    {
        using var scope = NewDisposeScope();
        Parameter shared = new Parameter(ones(2, 2));
        Parameter frozen = new Parameter(ones(2, 2), requires_grad: false);
        using var optimizer = new AdamWOptimizer([("a", shared), ("frozen", frozen), ("b", shared)], 0.1);
        Assert.HasCount(1, optimizer.Parameters);
        Assert.AreEqual("a", optimizer.Parameters[0].Name);
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.PositiveInfinity)]
    public void AGradientThatIsNotFiniteChangesNothing(float value)
    {
        using var scope = NewDisposeScope();
        Parameter weight = new Parameter(ones(2, 2));
        using var optimizer = new AdamWOptimizer([("weight", weight)], 0.1);
        weight.grad = full([2, 2], value);
        Assert.IsFalse(double.IsFinite(optimizer.Step(0.1, 1)!.ToDouble()));
        CollectionAssert.AreEqual(new float[] { 1, 1, 1, 1 }, weight.detach().data<float>().ToArray());
        Assert.AreEqual(0, optimizer.Parameters[0].Steps);
    }

    [TestMethod]
    public void WithoutGradientsThereIsNoStep()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new AdamWOptimizer([("weight", new Parameter(ones(2, 2)))], 0.1);
        Assert.IsNull(optimizer.Step(0.1, 1));
    }

    private static Tensor Sines(int count, double phase)
    {
        float[] values = [.. Enumerable.Range(0, count).Select(i => (float)Math.Sin(0.7 * i + phase))];
        return tensor(values);
    }

    private static void AssertClose(double[] expected, Tensor actual)
    {
        float[] values = actual.detach().reshape(-1).data<float>().ToArray();
        for (int i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], values[i], 2e-6, $"element {i}");
    }
}
