using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// A view whose strengths are learned beside the encoder, as its adversary: they climb the loss that the encoder descends, within bounds.
/// </summary>
/// <remarks>
/// <para>
/// A strength is minimum + (maximum - minimum) x sigmoid(logit); training starts in the middle and moves the logits with the optimizer of
/// the encoder, the sign of their gradient reversed. What is drawn at random for an image (how far, which way) is scaled by the strength,
/// so that the gradient reaches it (reparametrisation). The idea of a bounded adversary that makes the views: Tamkin et al., "Viewmaker
/// Networks", 2021 (arXiv:2010.07432), which trains a network where this has one number an operation; the reversed gradient: Ganin and
/// Lempitsky, 2015 (arXiv:1409.7495).
/// </para>
/// <para>
/// The view itself never changes: each <c>Fit</c> learns strengths of its own from the start, and reports them with the terms of the loss.
/// Methods that compare two views of an image can learn them (SimCLR, DCL, MoCo, MoCo v3, NNCLR, BYOL, SimSiam, Barlow Twins, VICReg);
/// the others refuse the view. Put it behind the crop in <see cref="ImageViews.Compose"/>: what follows it must be differentiable.
/// </para>
/// <para>Write your own by deriving from it: use each strength where an amount is scaled, and only operations that have a gradient.</para>
/// </remarks>
public abstract class LearnableImageView : ImageView
{
    /// <summary>A view with these strengths.</summary>
    /// <param name="strengths">At least one; names differ.</param>
    /// <param name="learningRateScale">Multiplies the encoder's learning rate for the strengths. Greater than 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    protected LearnableImageView(IReadOnlyList<LearnableStrength> strengths, double learningRateScale)
    {
        ArgumentNullException.ThrowIfNull(strengths);
        var faults = new OptionFaults()
            .Require(strengths.Count > 0, nameof(strengths), "must hold at least one strength", strengths.Count)
            .Positive(learningRateScale);
        foreach (var (name, minimum, maximum) in strengths)
        {
            faults.Require(double.IsFinite(minimum) && double.IsFinite(maximum) && minimum <= maximum, name,
                "must have a minimum that is at most its maximum", $"{minimum} to {maximum}");
            faults.Require(strengths.Count(other => other.Name == name) == 1, name, "must be named once", name);
        }
        faults.ThrowIfAny();
        Strengths = [.. strengths];
        LearningRateScale = learningRateScale;
    }

    /// <summary>What is learned.</summary>
    public IReadOnlyList<LearnableStrength> Strengths { get; }

    /// <summary>Multiplies the encoder's learning rate for the strengths.</summary>
    public double LearningRateScale { get; }

    internal sealed override bool Learns => true;

    /// <summary>Changed copies of images, with the strengths at their start: the middle of the bounds.</summary>
    /// <param name="images">Single [N, channels, height, width] from 0 to 1; must not be changed or disposed of.</param>
    /// <param name="generator">On the images' device.</param>
    /// <returns>Single [N, channels, height, width] from 0 to 1; the caller's.</returns>
    public sealed override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        Tensor[] initial = [.. Strengths.Select(strength => full([], Number(strength.Initial), dtype: ScalarType.Float32, device: images.device))];
        return Apply(images, initial, generator).MoveToOuterDisposeScope();
    }

    /// <summary>Changed copies of images.</summary>
    /// <param name="images">Single [N, channels, height, width] from 0 to 1; must not be changed or disposed of.</param>
    /// <param name="strengths">Scalars in the order of <see cref="Strengths"/>, with gradient in training.</param>
    /// <param name="generator">On the images' device.</param>
    /// <returns>Single [N, channels, height, width] from 0 to 1; the caller's.</returns>
    protected internal abstract Tensor Apply(Tensor images, IReadOnlyList<Tensor> strengths, Generator generator);

    internal sealed override ImageView Bind(ViewStrengths strengths) => strengths.Bind(this);
}
