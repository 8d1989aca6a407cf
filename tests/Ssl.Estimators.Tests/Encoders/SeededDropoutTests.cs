using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders;

[TestClass]
public sealed class SeededDropoutTests
{
    [TestMethod]
    [DataRow(0.1)]
    [DataRow(0.5)]
    [DataRow(0.9)]
    public void DropsItsShareAndKeepsTheExpectation(double rate)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var dropout = new SeededDropout(rate, generator);
        var output = dropout.call(ones(1000, 203));         // not a multiple of 8
        double dropped = output.eq(0).to(ScalarType.Float32).mean().item<float>();
        Assert.AreEqual(rate, dropout.Rate, 1.0 / 512);
        Assert.AreEqual(dropout.Rate, dropped, 0.005);
        Assert.AreEqual(1, output.mean().item<float>(), 0.02);
        Assert.AreEqual(1 / (1 - dropout.Rate), output.max().item<float>(), 1e-5);
        // No column or row is favored.
        Assert.IsTrue((output.eq(0).to(ScalarType.Float32).mean([0]) - dropped).abs().max().item<float>() < 0.08);
    }

    [TestMethod]
    public void GradientsPassWhereValuesPass()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var dropout = new SeededDropout(0.4, generator);
        var input = randn(50, 7).requires_grad_();
        var output = dropout.call(input);
        output.sum().backward();
        Assert.AreEqual(0, (input.grad! * input - output).abs().max().item<float>(), 1e-5);
    }

    [TestMethod]
    public void EveryCallDrawsAnew()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var dropout = new SeededDropout(0.5, generator);
        var input = ones(100);
        Assert.IsTrue((dropout.call(input) - dropout.call(input)).abs().sum().item<float>() > 0);
    }

    [TestMethod]
    public void NothingIsDroppedInEvaluationOrAtRateZero()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var dropout = new SeededDropout(0.5, generator);
        dropout.eval();
        var input = randn(20, 20);
        Assert.AreEqual(0f, (dropout.call(input) - input).abs().max().item<float>());
        Assert.AreSame(input, dropout.Pass(input), "no call for nothing");
        dropout.train();
        Assert.AreNotEqual(0f, (dropout.Pass(input) - input).abs().max().item<float>());
        using var none = new SeededDropout(0, generator);
        Assert.AreEqual(0f, (none.call(input) - input).abs().max().item<float>());
        Assert.Throws<ArgumentOutOfRangeException>(() => new SeededDropout(1, generator));
    }
}
