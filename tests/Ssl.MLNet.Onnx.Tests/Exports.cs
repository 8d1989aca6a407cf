using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.MLNet.Onnx.Tests;

/// <summary>What the tests of the kinds of columns share.</summary>
internal static class Exports
{
    private static readonly DirectoryInfo s_folder = Directory.CreateTempSubdirectory("ssl-onnx-");

    private static int s_files;

    /// <summary>A file in a folder of its own for each call.</summary>
    public static string File(string name) => Path.Combine(s_folder.CreateSubdirectory($"{Interlocked.Increment(ref s_files)}").FullName, name);

    /// <summary>Deletes all of them.</summary>
    public static void DeleteFiles() => s_folder.Delete(recursive: true);

    /// <summary>An encoder with random weights, and statistics of batches that are not those of a fresh network.</summary>
    public static EncoderTransformer Untrained(MLContext mlContext, RowFormat format)
    {
        using var streams = new RandomStreams(3);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var network = format.CreateNetwork(streams);
        foreach (var (name, weight) in network.named_parameters())
        {
            if (weight.dim() == 1)      // norms and biases are ones and zeros
                weight.add_(randn_like(weight).mul_(0.2));
        }
        foreach (var (name, buffer) in network.named_buffers())
        {
            // Of words: every fiftieth token is not counted.
            if (name == "places")
                buffer.copy_(arange(buffer.shape[0]).remainder(51));
            if (name is "rarity" or "directions")
                buffer.narrow(0, 1, buffer.shape[0] - 1).add_(rand_like(buffer.narrow(0, 1, buffer.shape[0] - 1)));
            if (name.EndsWith("running_mean", StringComparison.Ordinal))
                buffer.add_(randn_like(buffer).mul_(0.3));
            else if (name.EndsWith("running_var", StringComparison.Ordinal))
                buffer.mul_(rand_like(buffer).add_(0.5));
        }
        network.eval();
        return new EncoderTransformer(mlContext, EncoderModel.CopyOf(network, format, CPU, "Features", new JsonObject()));
    }

    /// <summary>What ONNX Runtime makes of inputs: the first output.</summary>
    public static float[] Run(string path, params (string Name, Array Values, long[] Shape)[] inputs)
    {
        using var session = new InferenceSession(path);
        using var options = new RunOptions();
        var values = inputs.ToDictionary(input => input.Name, input => input.Values switch
        {
            float[] numbers => OrtValue.CreateTensorValueFromMemory(numbers, input.Shape),
            long[] numbers => OrtValue.CreateTensorValueFromMemory(numbers, input.Shape),
            bool[] flags => OrtValue.CreateTensorValueFromMemory(flags, input.Shape),
            double[] numbers => OrtValue.CreateTensorValueFromMemory(numbers, input.Shape),
            string[] texts => Texts(texts, input.Shape),
            _ => throw new ArgumentException("An input of another type."),
        });
        using var outputs = session.Run(options, values, [session.OutputNames[0]]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static OrtValue Texts(string[] texts, long[] shape)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        for (var i = 0; i < texts.Length; i++)
            value.StringTensorSetElementAt(texts[i].AsSpan(), i);
        return value;
    }

    /// <summary>Fails unless two rows of numbers are the same up to a difference.</summary>
    public static void AreClose(IReadOnlyList<float> expected, IReadOnlyList<float> actual, double most = 1e-5)
    {
        Assert.HasCount(expected.Count, actual);
        for (var i = 0; i < expected.Count; i++)
            Assert.AreEqual(expected[i], actual[i], most * Math.Max(1, Math.Abs(expected[i])), $"number {i}");
    }
}
