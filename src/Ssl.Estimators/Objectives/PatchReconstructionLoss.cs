using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>How well hidden patches were rebuilt: masked autoencoders' squared error, SimMIM's absolute one.</summary>
public static class PatchReconstructionLoss
{
    private const double Epsilon = 1e-6;

    /// <summary>Mean squared error over patches that are standardized each on its own, where asked for.</summary>
    /// <remarks>He et al., "Masked Autoencoders Are Scalable Vision Learners", 2022 (arXiv:2111.06377).</remarks>
    /// <param name="predictions">[N, M, L]: the hidden patches only.</param>
    /// <param name="patches">[N, M, L]: their pixels.</param>
    /// <param name="normalizesPatches">Whether each patch's own mean and (unbiased) deviation are taken out of it first.</param>
    /// <returns>A scalar, at least 0.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor Squared(Tensor predictions, Tensor patches, bool normalizesPatches = true)
    {
        Require(predictions, patches);
        using var scope = NewDisposeScope();
        var targets = normalizesPatches && patches.shape[2] > 1 ? Standardize(patches) : patches;
        return Ranks.Mean((predictions - targets).pow(Number(2))).MoveToOuterDisposeScope();
    }

    /// <summary>Mean absolute error of the pixels.</summary>
    /// <remarks>Xie et al., "SimMIM", 2022 (arXiv:2111.09886).</remarks>
    /// <inheritdoc cref="Squared"/>
    public static Tensor Absolute(Tensor predictions, Tensor patches)
    {
        Require(predictions, patches);
        using var scope = NewDisposeScope();
        return Ranks.Mean((predictions - patches).abs()).MoveToOuterDisposeScope();
    }

    private static Tensor Standardize(Tensor patches)
    {
        var mean = patches.mean([2L], keepdim: true);                                               // [N, M, 1]
        var variance = patches.var([2L], unbiased: true, keepdim: true);
        return (patches - mean) / variance.add(Number(Epsilon), One).sqrt();
    }

    private static void Require(Tensor predictions, Tensor patches)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(patches);
        if (predictions.dim() != 3 || !predictions.shape.SequenceEqual(patches.shape))
        {
            throw new ArgumentException($"Predictions and patches must both be [N, M, L], got {Contrastive.Shape(predictions)} and "
                + $"{Contrastive.Shape(patches)}.", nameof(patches));
        }
    }
}
