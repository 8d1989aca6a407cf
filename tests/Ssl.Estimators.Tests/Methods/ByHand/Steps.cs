using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Names the method whose loss a test computes by hand; <see cref="EveryMethodTests"/> asks for one of each.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class ByHandAttribute(Type method) : Attribute
{
    public Type Method => method;
}

/// <summary>Steps of a training, and what they do to the networks of a method.</summary>
internal static class Steps
{
    /// <summary>A part of a method, by the name under which it is registered.</summary>
    public static T Child<T>(nn.Module module, string name) where T : nn.Module
        => (T)module.named_children().Single(child => child.name == name).module;

    /// <summary>A weight of a method, by its whole name.</summary>
    public static Tensor Weight(nn.Module module, string name) => module.named_parameters().Single(weight => weight.name == name).parameter;

    /// <summary>What a head or encoder gives, without gradient.</summary>
    public static Tensor Call(nn.Module<Tensor, Tensor> head, Tensor input)
    {
        using var noGrad = no_grad();
        return head.call(input);
    }

    /// <summary>The gradients of a step, and of that step alone.</summary>
    public static void Backward(PretrainingMethod method, StepLoss loss)
    {
        method.zero_grad();
        loss.Total.backward();
    }

    /// <summary>Plain gradient descent, and what the method does after a step.</summary>
    public static void Descend(PretrainingMethod method, double progress, double rate = 0.3)
    {
        using (no_grad())
        {
            foreach (var parameter in method.parameters())
            {
                if (parameter.grad is { } gradient)
                    parameter.sub_(gradient * rate);
            }
        }
        method.OnStepCompleted(progress);
    }

    /// <summary>The weights of a network as they are.</summary>
    public static double[][] Weights(nn.Module module) => [.. module.parameters().Select(Numbers.Values)];

    /// <summary>BYOL, section 3.3 (arXiv:2006.07733): 1 - (1 - start) x (cos(pi x progress) + 1) / 2.</summary>
    public static double Rising(double start, double progress) => 1 - (1 - start) * (Math.Cos(Math.PI * progress) + 1) / 2;

    /// <summary>
    /// Fails unless a network is momentum x what it was + (1 - momentum) x the trained one, and got no gradient of its own.
    /// </summary>
    /// <param name="before">Its weights before the step.</param>
    /// <param name="target">The network.</param>
    /// <param name="online">The trained one, after the step.</param>
    /// <param name="momentum">The share that stays.</param>
    public static void Follows(double[][] before, nn.Module target, nn.Module online, double momentum)
    {
        double[][] leader = Weights(online), now = Weights(target);
        double moved = 0;
        for (var i = 0; i < now.Length; i++)
        {
            for (var k = 0; k < now[i].Length; k++)
            {
                Assert.AreEqual(momentum * before[i][k] + (1 - momentum) * leader[i][k], now[i][k], 1e-6, $"weight {i}, entry {k}");
                moved = Math.Max(moved, Math.Abs(now[i][k] - before[i][k]));
            }
        }
        Assert.IsGreaterThan(1e-4, moved, "the network moves");
        Assert.IsTrue(target.parameters().All(parameter => parameter.grad is null), "a following network gets no gradient");
    }
}
