using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Layers whose initial weights come from a given generator.</summary>
internal static class Initialization
{
    [ThreadStatic]
    private static bool t_skipped;

    /// <summary>
    /// Until it is disposed of, layers that this thread makes keep what their constructors gave them: for weights that are overwritten
    /// at once, where drawing 13 million numbers would cost more than reading them.
    /// </summary>
    public static IDisposable Skip() => new SkipScope();

    /// <summary>A linear layer: weights uniform in +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010), bias 0.</summary>
    public static Linear Linear(long inputs, long outputs, Generator generator, bool hasBias = true)
    {
        var layer = nn.Linear(inputs, outputs, hasBias, dtype: ScalarType.Float32);
        if (t_skipped)
            return layer;
        double bound = Math.Sqrt(6.0 / (inputs + outputs));
        Uniform(layer.weight, bound, generator);
        if (hasBias)
            Zeros(layer.bias!);
        return layer;
    }

    /// <summary>A linear layer as PyTorch makes them: weights and biases uniform between -1 and 1 / sqrt(inputs).</summary>
    public static Linear UniformLinear(long inputs, long outputs, Generator generator)
    {
        var layer = nn.Linear(inputs, outputs, dtype: ScalarType.Float32);
        double bound = 1 / Math.Sqrt(inputs);
        Uniform(layer.weight, bound, generator);
        Uniform(layer.bias!, bound, generator);
        return layer;
    }

    /// <summary>A linear layer of a transformer: weights normal with deviation scale / sqrt(inputs), bias 0.</summary>
    public static Linear NormalLinear(long inputs, long outputs, Generator generator, double scale = 1)
    {
        var layer = nn.Linear(inputs, outputs, dtype: ScalarType.Float32);
        Normal(layer.weight, scale / Math.Sqrt(inputs), generator);
        Zeros(layer.bias!);
        return layer;
    }

    /// <summary>An embedding table: entries normal with deviation 1 / sqrt(dimension), so that vectors have about unit length.</summary>
    public static EmbeddingTable Embedding(long count, long dimension, Generator generator)
    {
        var table = new EmbeddingTable(count, dimension);
        Normal(table.Weight, 1 / Math.Sqrt(dimension), generator);
        return table;
    }

    /// <summary>Entries between plus and minus a bound, evenly.</summary>
    public static void Uniform(Tensor weights, double bound, Generator generator)
    {
        if (t_skipped)
            return;
        using var quiet = no_grad(); // the functions of nn.init ignore the generator that they take (TorchSharp 0.107)
        weights.uniform_(-bound, bound, generator);
    }

    /// <summary>Normal entries around 0.</summary>
    public static void Normal(Tensor weights, double deviation, Generator generator)
    {
        if (t_skipped)
            return;
        using var quiet = no_grad();
        weights.normal_(0, deviation, generator);
    }

    /// <summary>Entries 0.</summary>
    public static void Zeros(Tensor weights)
    {
        using var quiet = no_grad();
        weights.zero_();
    }

    private sealed class SkipScope : IDisposable
    {
        private readonly bool _before = t_skipped;

        public SkipScope() => t_skipped = true;

        public void Dispose() => t_skipped = _before;
    }
}
