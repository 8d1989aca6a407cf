using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>A second network that follows the trained one as a moving average: the target or teacher of BYOL, MoCo and DINO.</summary>
/// <remarks>
/// Parameters are averaged; buffers (the statistics of batch normalization) are the target's own, from its own forward passes.
/// </remarks>
public static class MovingAverage
{
    /// <summary>Makes a network begin as a copy of another, without gradients of its own.</summary>
    /// <param name="target">Of the same architecture; changed in place.</param>
    /// <param name="online">The trained network.</param>
    public static void Begin(nn.Module target, nn.Module online)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var source = online.state_dict();
        foreach (var (name, value) in target.state_dict())
        {
            if (!source.TryGetValue(name, out var from) || !from.shape.SequenceEqual(value.shape))
                throw new ArgumentException($"The target network must have the trained network's architecture: '{name}' differs.",
                    nameof(target));
            value.copy_(from);
        }
        foreach (var parameter in target.parameters())
            parameter.requires_grad_(false);
    }

    /// <summary>target = momentum x target + (1 - momentum) x online, parameter by parameter.</summary>
    public static void Follow(nn.Module target, nn.Module online, double momentum) => Follow(target, online, momentum, null);

    /// <summary>The same, where the caller says how.</summary>
    /// <param name="target">Changed.</param>
    /// <param name="online">The trained network.</param>
    /// <param name="momentum">Share of the target that stays.</param>
    /// <param name="joins">
    /// Whether all parameters are averaged in one vector, of which the target's are parts from then on; null for what is fastest where they
    /// are: on a GPU few calls.
    /// </param>
    internal static void Follow(nn.Module target, nn.Module online, double momentum, bool? joins)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Parameter[] followers = [.. target.parameters()], leaders = [.. online.parameters()];
        if (joins ?? Array.TrueForAll(followers, parameter => parameter.device_type != DeviceType.CPU)
            && followers.Concat(leaders).All(parameter => parameter.dtype == ScalarType.Float32 && parameter.is_contiguous()))
        {
            Tensor average = nn.utils.parameters_to_vector(followers).mul_(Number(momentum))
                .add_(nn.utils.parameters_to_vector(leaders), Number(1 - momentum));
            nn.utils.vector_to_parameters(average, followers);
            return;
        }
        foreach (var (follower, leader) in followers.Zip(leaders))
            follower.mul_(Number(momentum)).add_(leader, Number(1 - momentum));
    }

    /// <summary>The momentum at a point of the training: from its start to 1 along half a cosine (BYOL).</summary>
    public static double Rising(double start, double progress) => 1 - (1 - start) * (Math.Cos(Math.PI * progress) + 1) / 2;
}
