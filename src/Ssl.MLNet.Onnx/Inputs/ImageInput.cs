using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Networks;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Inputs;

/// <summary>A column of images: their pixels, as ML.NET's ExtractPixels gives them.</summary>
internal sealed class ImageInput(ImageRowFormat format) : ModelInput
{
    private readonly ImageShape _shape = format.Factory.Shape;
    private readonly float _white = format.IsLoaded ? 255 : format.Maximum;

    public override string Preparation => string.Create(CultureInfo.InvariantCulture, $"'{format.Columns[0]}' holds pixels channel by channel (red, green, blue), row by row, from 0 ")
        + string.Create(CultureInfo.InvariantCulture, $"to {_white}: images of {_shape.Width} x {_shape.Height}, as ML.NET's ResizeImages and ExtractPixels give them");

    public override OnnxValue Embed(NetworkWeights weights) => ImageGraphs.Encode(format.Factory, weights, Bytes(weights.Graph));

    /// <summary>Adds the input, and makes bytes of it as the library does: rounded, cut off at black and white, black where there is no number.</summary>
    public OnnxValue Bytes(OnnxBuilder graph)
    {
        var pixels = graph.Input(format.Columns[0], DataType.Float, string.Create(CultureInfo.InvariantCulture, $"Pixels from 0 to {_white}, channel by channel."),
            Rows, _shape.Channels, _shape.Height, _shape.Width);
        var scaled = pixels * (255 / _white);
        var bytes = (scaled.Clip(graph.Constant(0f), graph.Constant(255f)) + 0.5f).Floor();
        return scaled.IsNaN().Choose(graph.Constant(0f), bytes);
    }

    public override Dictionary<string, OrtValue> Values(IReadOnlyList<RawRow> rows, RowStore store)
    {
        var pixels = new float[rows.Count * _shape.Length];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = rows[i / _shape.Length].Pixels.Span[i % _shape.Length] * _white / 255;
        return new() { [format.Columns[0]] = OrtValue.CreateTensorValueFromMemory(pixels, [rows.Count, _shape.Channels, _shape.Height, _shape.Width]) };
    }

    public override RawRow MadeUp(Random random)
    {
        var pixels = new byte[_shape.Length];
        random.NextBytes(pixels);
        // Of one brightness in all, with more or less of noise.
        var (level, noise) = (random.Next(256), random.Next(1, 256));
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)Math.Clamp(level + (pixels[i] - 128) * noise / 255, 0, 255);
        return new RawRow { Pixels = pixels };
    }
}
