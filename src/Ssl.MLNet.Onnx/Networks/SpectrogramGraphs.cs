using Ssl.Estimators;
using Ssl.MLNet.Onnx.Graph;
using static TorchSharp.torch;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary><see cref="LogMelSpectrogram"/> as a graph.</summary>
internal static class SpectrogramGraphs
{
    /// <summary>Series of sounds.</summary>
    /// <param name="settings">Of the spectrogram.</param>
    /// <param name="samples">Single [N, samples], padded.</param>
    /// <param name="lengths">Samples of each, Int64 [N]; becomes the frames of each.</param>
    /// <returns>Single [N, bands, frames]; what stands behind the frames of a sound does not count.</returns>
    public static OnnxValue Compute(LogMelSpectrogram settings, OnnxValue samples, ref OnnxValue? lengths)
    {
        using var scope = NewDisposeScope();
        var graph = samples.Graph;
        var own = lengths!.Value;
        var places = graph.Places(samples.Length(1)).Unsqueeze(0);                                      // [1, samples]
        var sounds = (places < own.Unsqueeze(1)).Choose(samples * (float)(1 / settings.FullScale!.Value), graph.Constant(0f));
        // Silence fills up what is shorter than a window.
        var fill = (graph.Integers(settings.WindowSamples) - samples.Length(1)).Maximum(graph.Integers(0));
        sounds = graph.Node("Pad", [sounds, OnnxValue.Concat(0, graph.Integers(0, 0, 0), fill)]).Unsqueeze(1);                          // [N, 1, samples]
        var waves = graph.Node("Conv", [sounds, graph.Weight(Waves(settings, out var frequencies), "fourier_waves")],
            ("strides", (long[])[settings.HopSamples]));                                                // [N, 2 F, frames]
        var (real, imaginary) = (waves.Slice(1, 0, frequencies), waves.Slice(1, frequencies, long.MaxValue));
        var power = real * real + imaginary * imaginary;
        var bands = tensor(settings.BandWeights.ToArray(), [settings.NumberOfBands, settings.TransformLength / 2 + 1]).narrow(1, 0, frequencies);
        var frames = graph.Integer(1) + (own - graph.Integer(settings.WindowSamples)).Maximum(graph.Integer(0)) / graph.Integer(settings.HopSamples);
        lengths = (own > graph.Integer(0)).Choose(frames, graph.Integer(0));
        return (graph.Weight(bands, "mel_bands").MatMul(power) + LogMelSpectrogram.SilentPower).Log();  // [N, bands, frames]
    }

    // The Fourier transform of a window as a convolution: cosines, then sines, of the frequencies that a band holds. [2 F, 1, window].
    private static Tensor Waves(LogMelSpectrogram settings, out long frequencies)
    {
        var all = settings.TransformLength / 2 + 1;
        var highest = 0;
        for (var i = 0; i < settings.BandWeights.Length; i++)
        {
            if (settings.BandWeights[i] > 0)
                highest = Math.Max(highest, i % all);
        }
        frequencies = highest + 1;
        var weights = settings.WindowWeights;
        var waves = new float[2 * frequencies * settings.WindowSamples];
        for (var k = 0; k < frequencies; k++)
        {
            for (var t = 0; t < settings.WindowSamples; t++)
            {
                // In whole turns first: sines of large angles lose digits.
                var angle = 2 * Math.PI * ((long)k * t % settings.TransformLength) / settings.TransformLength;
                waves[k * settings.WindowSamples + t] = (float)(Math.Cos(angle) * weights[t]);
                waves[(frequencies + k) * settings.WindowSamples + t] = (float)(-Math.Sin(angle) * weights[t]);
            }
        }
        return tensor(waves, [2 * frequencies, 1, settings.WindowSamples]);
    }
}
