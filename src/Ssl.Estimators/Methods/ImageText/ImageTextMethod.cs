using System.Runtime.CompilerServices;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;

namespace Ssl.Estimators.Methods;

/// <summary>What methods share whose network has an encoder of images and one of texts in it: each learns at a rate of its own, or not at all.</summary>
internal abstract class ImageTextMethod : PretrainingMethod
{
    // In a box, since RegisterComponents finds modules in the fields of base classes, too.
    private readonly StrongBox<(Encoder Encoder, string Prefix)> _images, _texts;
    private readonly ImageTextPretrainingOptions _settings;

    /// <summary>A method around a network.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="encoder">The network.</param>
    /// <param name="options">Of the run.</param>
    /// <param name="images">The encoder of images in it, and how the names of its parameters begin.</param>
    /// <param name="texts">The same of texts.</param>
    private protected ImageTextMethod(string name, Encoder encoder, ImageTextPretrainingOptions options, (Encoder Encoder, string Prefix) images,
        (Encoder Encoder, string Prefix) texts) : base(name, encoder)
        => (_settings, _images, _texts) = (options, new(images), new(texts));

    private protected sealed override bool IsLocked(string parameterName)
        => _settings.LocksImageEncoder && parameterName.StartsWith(_images.Value.Prefix, StringComparison.Ordinal)
            || _settings.LocksTextEncoder && parameterName.StartsWith(_texts.Value.Prefix, StringComparison.Ordinal);

    internal sealed override ParameterRate RateOf(string parameterName)
    {
        var rate = base.RateOf(parameterName);
        return Starts(_settings.ImageEncoder, _images.Value.Prefix) || Starts(_settings.TextEncoder, _texts.Value.Prefix)
            ? rate with { Scale = rate.Scale * _settings.StartedEncoderLearningRate / _settings.EffectiveLearningRate } : rate;

        bool Starts(EncoderFactory? encoder, string prefix)
            => encoder is { StartsFromWeights: true } && parameterName.StartsWith($"encoder.{prefix}", StringComparison.Ordinal);
    }

    // The loop has put all of it into training mode: what does not learn drops nothing.
    internal sealed override void OnEpochStarting(int epoch)
    {
        base.OnEpochStarting(epoch);
        if (_settings.LocksImageEncoder)
            _images.Value.Encoder.eval();
        if (_settings.LocksTextEncoder)
            _texts.Value.Encoder.eval();
    }
}
