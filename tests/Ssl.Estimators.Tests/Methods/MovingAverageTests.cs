using Ssl.Estimators.Methods;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

[TestClass]
public class MovingAverageTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void TheTargetFollowsParameterByParameter(bool joins)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var online = Network();
        using var target = Network();
        MovingAverage.Begin(target, online);
        foreach (var parameter in online.parameters())
            parameter.add_(ones_like(parameter));
        Tensor[] expected = [.. target.parameters().Zip(online.parameters(), (follower, leader) => follower * 0.75 + leader * 0.25)];
        MovingAverage.Follow(target, online, 0.75, joins);
        foreach (var (follower, value) in target.parameters().Zip(expected))
        {
            Assert.IsLessThan(1e-6, (follower - value).abs().max().ToDouble());
            Assert.IsFalse(follower.requires_grad);
        }
        // Once more, now that it lies in a vector; the trained network stays as it is.
        Tensor[] leaders = [.. online.parameters().Select(parameter => parameter.clone())];
        MovingAverage.Follow(target, online, 0, joins);
        foreach (var (follower, leader, before) in target.parameters().Zip(online.parameters(), leaders))
        {
            Assert.IsTrue(follower.equal(leader).all().item<bool>());
            Assert.IsTrue(leader.equal(before).all().item<bool>());
            Assert.IsTrue(leader.requires_grad);
        }
    }

    private static nn.Module<Tensor, Tensor> Network() => nn.Sequential(("first", nn.Linear(3, 4)), ("second", nn.Linear(4, 2, hasBias: false)));
}
