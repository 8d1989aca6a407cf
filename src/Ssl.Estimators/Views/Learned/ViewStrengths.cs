using System.Globalization;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Views;

/// <summary>What one training has learned of its views: a parameter of logits for every <see cref="LearnableImageView"/>.</summary>
internal sealed class ViewStrengths : nn.Module
{
    private readonly List<BoundView> _views = [];

    public ViewStrengths() : base(nameof(ViewStrengths))
    {
    }

    /// <summary>The view with the strengths of this training; the same for the same view.</summary>
    public ImageView Bind(LearnableImageView view)
    {
        if (_views.Find(bound => ReferenceEquals(bound.View, view)) is { } known)
            return known;
        var added = new BoundView(view);
        register_module(_views.Count.ToString(CultureInfo.InvariantCulture), added.Logits);
        _views.Add(added);
        return added;
    }

    /// <summary>The scale of a parameter's learning rate.</summary>
    /// <param name="parameterName">Such as "0.logits".</param>
    public double LearningRateScale(string parameterName)
        => _views[int.Parse(parameterName.Split('.')[0], CultureInfo.InvariantCulture)].View.LearningRateScale;

    /// <summary>Where every strength stands: detached scalars.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Terms()
    {
        using var noGrad = no_grad();
        return [.. _views.SelectMany(bound
            => bound.View.Strengths.Zip(bound.Values(bound.Logits.Share()), (strength, value) => (strength.Name, value)))];
    }

    private sealed class BoundView(LearnableImageView view) : ImageView
    {
        public LearnableImageView View => view;

        public StrengthLogits Logits { get; } = new(view.Strengths.Count);

        internal override bool Learns => true;

        public override Tensor Apply(Tensor images, Generator generator)
        {
            using var scope = NewDisposeScope();
            var share = Logits.Share();
            // The same value; the gradient has the other sign: the strengths climb what the encoder descends.
            return view.Apply(images, Values(share.detach().mul(Number(2)) - share), generator).MoveToOuterDisposeScope();
        }

        // Scalars in the order of the view's strengths; [S] from 0 to 1.
        public Tensor[] Values(Tensor share)
            => [.. view.Strengths.Select((strength, i)
                => share.select(0, i).mul(Number(strength.Maximum - strength.Minimum)).add(Number(strength.Minimum), One))];
    }

    private sealed class StrengthLogits : nn.Module
    {
        [ComponentName(Name = "logits")]
        private readonly Parameter _logits;

        public StrengthLogits(int count) : base(nameof(StrengthLogits))
        {
            _logits = nn.Parameter(zeros(count, dtype: ScalarType.Float32));
            RegisterComponents();
        }

        /// <summary>[S]: where each strength is between its bounds, from 0 to 1.</summary>
        public Tensor Share() => _logits.sigmoid();
    }
}
