using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Networks;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Inputs;

/// <summary>A column of time series or sounds, and their lengths where these differ. Scaling and the spectrogram are in the model.</summary>
internal sealed class SeriesInput(SeriesRowFormat format) : ModelInput
{
    private const string Timestamps = "length";

    private readonly string _column = format.Columns[0];
    private readonly int _channels = format.Spectrogram is null ? format.Scaling.Channels : 1;

    // Of sounds the number of samples is not known, only that of the spectrogram's frames.
    private readonly int? _length = format.Spectrogram is null ? format.Layout.Length : null;

    private string LengthsName => $"{_column}_length";

    public override string Preparation => (format.Spectrogram is { } sound ? $"'{_column}' holds samples of sounds, {sound.SampleRate} a second, the loudest {sound.FullScale:R}"
        : $"'{_column}' holds time series, [rows, channels, timestamps], NaN where a value is missing")
        + (_length is null ? $"; padded to the longest, and '{LengthsName}' has the {(format.Spectrogram is null ? "timestamps" : "samples")} of each" : "");

    public override OnnxValue Embed(NetworkWeights weights)
    {
        var graph = weights.Graph;
        var input = format.Spectrogram is null
            ? graph.Input(_column, DataType.Float, "Time series, channel by channel; NaN where a value is missing.", Rows, _channels,
                _length is { } length ? length : Timestamps)
            : graph.Input(_column, DataType.Float, "Samples of sounds.", Rows, Timestamps);
        OnnxValue? lengths = _length is null ? graph.Input(LengthsName, DataType.Int64, "Timestamps, or samples, of each row.", Rows) : null;
        var raw = format.Spectrogram is { } spectrogram ? SpectrogramGraphs.Compute(spectrogram, input, ref lengths) : input;           // [N, C, T]
        return SeriesGraphs.Encode(format.Factory, format.Layout, weights, Scaled(raw, lengths));
    }

    private SeriesValues Scaled(OnnxValue raw, OnnxValue? lengths)
    {
        var graph = raw.Graph;
        var places = graph.Places(raw.Length(2)).Unsqueeze(0);                                          // [1, T]
        // A series of nothing is one missing value.
        var ends = (lengths ?? raw.Length(2)).Maximum(graph.Integers(1)).Unsqueeze(1);                  // [N or 1, 1]
        var inside = (places < ends).Expand(OnnxValue.Concat(0, raw.Length(0), raw.Length(2)));         // [N, T]
        var real = (lengths is { } own ? (places < own.Unsqueeze(1)) : inside).Unsqueeze(1);            // [N, 1, T]
        var present = !(raw.IsNaN() | raw.IsInfinite()) & real;                                         // [N, C, T]
        OnnxValue scaled;
        if (format.Scaling.Scales.Count > 0)
            scaled = NumberScaling.Scale(raw.To(DataType.Double), format.Scaling.Scales, format.Scaling.Channels, 1);
        else
        {
            using var scope = NewDisposeScope();
            scaled = (raw - graph.Weight(tensor(format.Scaling.Means.ToArray(), [format.Scaling.Channels, 1]), "means"))
                / graph.Weight(tensor(format.Scaling.Deviations.ToArray(), [format.Scaling.Channels, 1]), "deviations");
        }
        var observed = present.To(DataType.Float).Max(false, 1) > graph.Constant(0f);                   // [N, T]
        return new SeriesValues(present.Choose(scaled, graph.Constant(0f)), inside, observed);
    }

    public override RawRow Narrowed(RawRow row) => row with { Numbers = row.Numbers.ToArray().Select(number => (double)(float)number).ToArray() };

    public override Dictionary<string, OrtValue> Values(IReadOnlyList<RawRow> rows, RowStore store)
    {
        var longest = Math.Max(1, _length ?? rows.Max(row => row.Numbers.Length / _channels));
        var values = new float[rows.Count * _channels * longest];
        var lengths = new long[rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            var numbers = rows[i].Numbers.Span;
            var length = numbers.Length / _channels;
            lengths[i] = length;
            for (var j = 0; j < numbers.Length; j++)
                values[(i * _channels + j / length) * longest + j % length] = (float)numbers[j];
        }
        long[] shape = format.Spectrogram is null ? [rows.Count, _channels, longest] : [rows.Count, longest];
        var all = new Dictionary<string, OrtValue> { [_column] = OrtValue.CreateTensorValueFromMemory(values, shape) };
        if (_length is null)
            all.Add(LengthsName, OrtValue.CreateTensorValueFromMemory(lengths, [rows.Count]));
        return all;
    }

    public override RawRow MadeUp(Random random)
    {
        var sound = format.Spectrogram;
        var length = _length ?? (sound is null ? random.Next(1, 200) : random.Next(sound.WindowSamples / 2, 20 * sound.HopSamples + sound.WindowSamples));
        var numbers = new double[_channels * length];
        var (level, wave) = (0.0, random.NextDouble() * 0.3 + 0.01);
        for (var i = 0; i < numbers.Length; i++)
        {
            level += random.NextDouble() - 0.5;
            numbers[i] = sound is not null ? (float)((Math.Sin(i * wave) * 0.3 + random.NextDouble() * 0.1) * sound.FullScale!.Value)
                : random.Next(20) == 0 ? double.NaN : (float)Typical(i / length, level, random);
        }
        return new RawRow(numbers, default);
    }

    private double Typical(int channel, double level, Random random)
    {
        if (format.Scaling.Scales.Count == 0)
            return format.Scaling.Means[channel] + level * format.Scaling.Deviations[channel];
        var scale = format.Scaling.Scales[channel];
        return scale.TrainingQuantiles is { } quantiles ? quantiles[random.Next(quantiles.Count)] + (random.Next(2) == 0 ? 0 : level * 0.01)
            : scale.Center + (scale.Factor == 0 ? 0 : level / scale.Factor);
    }
}
