using System.Runtime.CompilerServices;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>What methods share that compare two views of an image: they can learn how strong the views are.</summary>
public abstract class TwoViewMethod : PretrainingMethod
{
    private const string StrengthsName = "view_strengths";

    // Empty until a view has strengths to learn. In a box: RegisterComponents would find them here, too, and register them twice.
    private readonly StrongBox<ViewStrengths?> _strengths = new();

    /// <summary>A method around an encoder.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="encoder">What is pretrained; disposed of with the method.</param>
    protected TwoViewMethod(string name, ImageEncoder encoder) : base(name, encoder)
    {
    }

    /// <summary>The view for this training: with strengths of its own where it is a <see cref="LearnableImageView"/>.</summary>
    /// <param name="view">As the user gave it; <see langword="null"/> takes <see cref="ImageViews.For"/> the encoder's images.</param>
    protected ImageView Own(ImageView? view)
    {
        view ??= ImageViews.For(((ImageEncoder)Encoder).Shape);
        if (!view.Learns)
            return view;
        if (_strengths.Value is null)
            register_module(StrengthsName, _strengths.Value = new ViewStrengths());
        return view.Bind(_strengths.Value);
    }

    /// <summary>What a step gave, with the strengths where they are learned.</summary>
    /// <param name="total">What is minimized.</param>
    /// <param name="terms">Its parts.</param>
    /// <param name="embeddings">[V x N, D], view after view.</param>
    /// <param name="count">N.</param>
    private protected StepLoss Step(Tensor total, IReadOnlyList<(string Name, Tensor Value)> terms, Tensor embeddings, long count)
        => new(total, _strengths.Value is not { } strengths ? terms : [.. terms, .. strengths.Terms()],
            embeddings.detach().narrow(0, 0, count));

    /// <summary>Both views as the encoder embeds them, and behind them as one that follows it does, which no gradient goes through.</summary>
    /// <param name="encoder">The encoder.</param>
    /// <param name="following">Makes the keys.</param>
    /// <param name="views">Of N images one view after the other, 2N.</param>
    /// <param name="again">Whether the keys are known already.</param>
    /// <returns>[N, D], four times; twice without the keys.</returns>
    private protected static Tensor[] WithKeys(ImageEncoder encoder, ImageEncoder following, ImageBatch views, bool again)
    {
        var embeddings = encoder.call(views).chunk(2);
        if (again)
            return embeddings;
        using var noGrad = no_grad();
        return [.. embeddings, .. following.call(views).chunk(2)];
    }

    internal override ParameterRate RateOf(string parameterName)
        => parameterName.StartsWith($"{StrengthsName}.", StringComparison.Ordinal)
            ? new(_strengths.Value!.LearningRateScale(parameterName[(StrengthsName.Length + 1)..])) : base.RateOf(parameterName);
}
