using Ssl.Estimators.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Layers of image networks whose initial weights come from a given generator.</summary>
internal static class ImageLayers
{
    /// <summary>
    /// A square convolution without bias: weights normal with deviation sqrt(2 / (outputs x side^2)) (He et al., 2015, fan out).
    /// </summary>
    public static Conv2d Convolution(long inputs, long outputs, long side, long stride, RandomStreams streams)
    {
        var layer = nn.Conv2d(inputs, outputs, side, stride, padding: side / 2, bias: false);
        Initialization.Normal(layer.weight, Math.Sqrt(2.0 / (outputs * side * side)), streams.Weights);
        return layer;
    }

    /// <summary>Mean over height and width: [N, C, H, W] to [N, C].</summary>
    public static Tensor GlobalMean(Tensor maps) => maps.mean([2L, 3L]);
}
