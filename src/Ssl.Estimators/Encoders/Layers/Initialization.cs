using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Layers whose initial weights come from a given generator. All weights of encoders and heads are made here, so that the sizes which a file
/// asks for can be held against what is in it before any memory is taken.
/// </summary>
internal static class Initialization
{
    // What a network has beside the weights of its file: tables that are computed, not stored.
    private const long FurtherValues = 1 << 16;

    [ThreadStatic]
    private static bool t_skipped;

    [ThreadStatic]
    private static LimitScope? t_limit;

    /// <summary>
    /// Until it is disposed of, this thread makes no network with more weights than a file has values: a damaged or hostile file may ask for
    /// any size.
    /// </summary>
    /// <param name="values">Values of all tensors in the file.</param>
    public static IDisposable Limit(long values) => new LimitScope(values);

    /// <summary>Asks for weights that are made elsewhere.</summary>
    /// <param name="sizes">Sizes of the tensor.</param>
    /// <exception cref="FormatException">A file is being read that has fewer values in all.</exception>
    public static void Take(params ReadOnlySpan<long> sizes) => t_limit?.Take(sizes);

    /// <summary>Weights of 0.</summary>
    /// <param name="sizes">Sizes of the tensor.</param>
    public static Parameter Weights(params long[] sizes)
    {
        Take(sizes);
        return nn.Parameter(zeros(sizes, dtype: ScalarType.Float32));
    }

    /// <summary>Layers one behind the other, made one by one: how many a file states may be beyond all memory.</summary>
    /// <param name="count">How many.</param>
    /// <param name="create">Makes the one of a number, from 0.</param>
    public static ModuleList<T> Blocks<T>(int count, Func<int, T> create) where T : nn.Module
    {
        var blocks = new List<T>();
        for (var i = 0; i < count; i++)
            blocks.Add(create(i));
        return new ModuleList<T>([.. blocks]);
    }

    /// <summary>A normalization over the last dimension: factors of 1 and a bias of 0.</summary>
    public static LayerNormalization Norm(long dimension, double epsilon = 1e-5) => new(dimension, epsilon);

    /// <summary>A convolution over patches that do not overlap; the caller draws its weights.</summary>
    public static Conv2d PatchConvolution(long channels, long dimension, long patchSize)
    {
        Take(dimension, channels, patchSize, patchSize);
        return nn.Conv2d(channels, dimension, patchSize, patchSize, dtype: ScalarType.Float32);
    }

    /// <summary>A linear layer of zeros, whose weights the caller draws.</summary>
    public static LinearLayer NewLinear(long inputs, long outputs, bool hasBias = true) => new(inputs, outputs, hasBias);

    /// <summary>
    /// Until it is disposed of, layers that this thread makes keep what their constructors gave them: for weights that are overwritten
    /// at once, where drawing 13 million numbers would cost more than reading them.
    /// </summary>
    public static IDisposable Skip() => new SkipScope();

    /// <summary>A linear layer: weights uniform in +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010), bias 0.</summary>
    public static LinearLayer Linear(long inputs, long outputs, Generator generator, bool hasBias = true)
    {
        var layer = NewLinear(inputs, outputs, hasBias);
        Uniform(layer.Weight, Math.Sqrt(6.0 / (inputs + outputs)), generator);
        return layer;
    }

    /// <summary>A linear layer as PyTorch makes them: weights and biases uniform between -1 and 1 / sqrt(inputs).</summary>
    public static LinearLayer UniformLinear(long inputs, long outputs, Generator generator)
    {
        var layer = NewLinear(inputs, outputs);
        double bound = 1 / Math.Sqrt(inputs);
        Uniform(layer.Weight, bound, generator);
        Uniform(layer.Bias!, bound, generator);
        return layer;
    }

    /// <summary>A linear layer of a transformer: weights normal with deviation scale / sqrt(inputs), bias 0.</summary>
    public static LinearLayer NormalLinear(long inputs, long outputs, Generator generator, double scale = 1)
    {
        var layer = NewLinear(inputs, outputs);
        Normal(layer.Weight, scale / Math.Sqrt(inputs), generator);
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

    /// <summary>Entries of one value.</summary>
    public static void Fill(Tensor weights, double value)
    {
        using var quiet = no_grad();
        weights.fill_(Number(value));
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

    private sealed class LimitScope : IDisposable
    {
        private readonly LimitScope? _before = t_limit;
        private readonly long _values;
        private Int128 _left;

        public LimitScope(long values)
        {
            _values = values;
            _left = values + (Int128)FurtherValues;
            t_limit = this;
        }

        public void Take(ReadOnlySpan<long> sizes)
        {
            Int128 taken = 1;
            foreach (var size in sizes)
                taken *= Math.Clamp(size, 1, int.MaxValue);
            _left -= taken;
            if (_left < 0)
            {
                throw new FormatException($"A network of the sizes that the file states has more weights than the file has values ({_values}): "
                    + "it is damaged, or its parts do not belong together.");
            }
        }

        public void Dispose() => t_limit = _before;
    }
}
