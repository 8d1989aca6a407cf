using Ssl.Estimators;

namespace Ssl.MLNet.Tests;

internal static class Encoders
{
    public static TextEncoderFactory Small()
        => TextEncoders.Transformer(dimension: 16, numberOfLayers: 1, numberOfHeads: 2, maximumTokens: 16);
}
