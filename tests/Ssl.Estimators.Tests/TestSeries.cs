using System.Runtime.InteropServices;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests;

/// <summary>Small batches of time series.</summary>
internal static class TestSeries
{
    /// <summary>Series of these lengths, two channels, values that tell channel and time.</summary>
    public static SeriesBatch Of(params int[] lengths)
    {
        var rows = new SeriesRows(new SeriesScaling([0, 0], [1, 1]), paddedLength: 1, "Series");
        for (var i = 0; i < lengths.Length; i++)
        {
            float[] channel = [.. Enumerable.Range(0, lengths[i]).Select(t => MathF.Sin(0.7f * t + i) + 0.01f * t)];
            rows.Add(new RawRow((double[])[.. channel, .. channel.Select(v => 2 - v)], default), keepsEmpty: true);
        }
        return rows.ToBatch([.. Enumerable.Range(0, lengths.Length)]);
    }

    /// <summary>Series that differ in pitch and in loudness: what survives another order of their stretches and noise.</summary>
    public static SeriesBatch Tones(int count, int length)
    {
        var rows = new SeriesRows(new SeriesScaling([0, 0], [1, 1]), paddedLength: 1, "Series");
        for (var i = 0; i < count; i++)
        {
            float[] channel = [.. Enumerable.Range(0, length + i % 3)
                .Select(t => (0.5f + 0.5f * (i % 4)) * MathF.Sin((0.2f + 0.1f * i) * t + i))];
            rows.Add(new RawRow((double[])[.. channel, .. channel.Select(v => 2 * v * v - 1)], default), keepsEmpty: true);
        }
        return rows.ToBatch([.. Enumerable.Range(0, count)]);
    }

    public static float[] Floats(Tensor tensor)
        => MemoryMarshal.Cast<byte, float>(tensor.to(ScalarType.Float32).cpu().contiguous().bytes).ToArray();
}
