using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary><see cref="ColorJitter"/>, and noise, whose strengths are learned adversarially.</summary>
/// <remarks>
/// Saturation and hue need three channels; they keep their start for others. One order of the steps is drawn for each batch.
/// </remarks>
public sealed class LearnableColorJitter : LearnableImageView
{
    private readonly double _share;

    /// <summary>A view with these bounds; each strength starts in the middle of its own.</summary>
    /// <param name="minimumStrength">Least brightness, contrast and saturation: factors from 1 - strength to 1 + strength. From 0 to
    /// <paramref name="maximumStrength"/>.</param>
    /// <param name="maximumStrength">Largest brightness, contrast and saturation. At most 1.</param>
    /// <param name="maximumHue">Largest turn of the hue to either side, as a share of the circle; the least one is 0. From 0 to
    /// 0.5.</param>
    /// <param name="maximumNoise">Largest deviation of the noise added to every pixel; the least one is 0. From 0 to 1.</param>
    /// <param name="share">Share of the images that are changed. From 0 to 1.</param>
    /// <param name="learningRateScale">Multiplies the encoder's learning rate for the strengths. Greater than 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public LearnableColorJitter(double minimumStrength = 0.1, double maximumStrength = 1, double maximumHue = 0.2,
        double maximumNoise = 0.1,
        double share = 0.8, double learningRateScale = 10)
        : base(Bounds(minimumStrength, maximumStrength, maximumHue, maximumNoise, share), learningRateScale) => _share = share;

    private static LearnableStrength[] Bounds(double minimumStrength, double maximumStrength, double maximumHue, double maximumNoise,
        double share)
    {
        new OptionFaults()
            .InRange(maximumStrength, 0, 1)
            .InRange(minimumStrength, 0, maximumStrength)
            .InRange(maximumHue, 0, 0.5)
            .InRange(maximumNoise, 0, 1)
            .InRange(share, 0, 1)
            .ThrowIfAny();
        return
        [
            new("brightness", minimumStrength, maximumStrength), new("contrast", minimumStrength, maximumStrength),
            new("saturation", minimumStrength, maximumStrength), new("hue", 0, maximumHue), new("noise", 0, maximumNoise),
        ];
    }

    /// <inheritdoc/>
    protected internal override Tensor Apply(Tensor images, IReadOnlyList<Tensor> strengths, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(strengths);
        using var scope = NewDisposeScope();
        var hit = Chosen(images, _share, generator);                                                // [N, 1, 1, 1]
        List<Func<Tensor, Tensor>> steps =
        [
            state => ColorJitter.Brightness(state, Even(strengths[0]).add(Number(1), One)),
            state => ColorJitter.Contrast(state, Even(strengths[1]).add(Number(1), One)),
            state => state.add(Draws.Normal(state.shape, state.device, generator).mul_(hit) * strengths[4], One).clamp(Number(0),
                Number(1)),
        ];
        if (images.shape[1] == 3)
        {
            steps.Add(state => ColorJitter.Saturation(state, Even(strengths[2]).add(Number(1), One)));
            steps.Add(state => ColorJitter.Hue(state, Even(strengths[3])));
        }
        var changed = images;
        foreach (var step in Order(steps.Count, generator))
            changed = steps[(int)step](changed);
        return changed.MoveToOuterDisposeScope();

        // Evenly from -strength to strength, 0 for images that are not hit: [N, 1, 1, 1].
        Tensor Even(Tensor strength) => Draw(images, -1, 1, generator).mul_(hit) * strength;
    }
}
