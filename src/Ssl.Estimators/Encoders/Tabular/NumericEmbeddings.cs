using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A vector for every number of a row; a missing one has a vector of its own for each column.</summary>
/// <remarks>
/// Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", 2022 (arXiv:2203.05556).
/// N rows, C numbers, D the dimension of a cell, F frequencies, B bins.
/// </remarks>
internal abstract class NumericEmbeddings : nn.Module<Tensor, Tensor, Tensor>
{
    // Registered by the derived class: RegisterComponents finds the fields of base classes, too.
    [ComponentName(Name = "missing")]
    private readonly Parameter _missing;

    private protected NumericEmbeddings(string name, int numbers, int dimension) : base(name)
        => _missing = Initialization.Weights(numbers, dimension);

    /// <summary>The embeddings of this kind.</summary>
    public static NumericEmbeddings Create(NumericEmbedding kind, TableLayout layout, int dimension, RandomStreams streams)
        => kind == NumericEmbedding.Periodic
            ? new PeriodicEmbeddings(layout.NumericCount, dimension, streams)
            : new PiecewiseLinearEmbeddings(layout, dimension, streams);

    /// <summary>Vectors of numbers.</summary>
    /// <param name="numbers">Scaled numbers [N, C].</param>
    /// <param name="missing">Bool [N, C].</param>
    /// <returns>[N, C, D].</returns>
    public sealed override Tensor forward(Tensor numbers, Tensor missing)
    {
        using var scope = NewDisposeScope();
        return where(missing.unsqueeze(2), _missing, Embed(numbers)).MoveToOuterDisposeScope();
    }

    /// <summary>[N, C, D].</summary>
    private protected abstract Tensor Embed(Tensor numbers);
}

/// <summary>
/// ReLU(linear([sin(2 pi f x), cos(2 pi f x)])) with learned frequencies f; the linear layer is shared by all columns ("lite").
/// </summary>
internal sealed class PeriodicEmbeddings : NumericEmbeddings
{
    private const int NumberOfFrequencies = 16;
    private const double FrequencyScale = 0.3;

    [ComponentName(Name = "frequencies")]
    private readonly Parameter _frequencies;

    [ComponentName(Name = "linear")]
    private readonly LinearLayer _linear;

    public PeriodicEmbeddings(int numbers, int dimension, RandomStreams streams) : base(nameof(PeriodicEmbeddings), numbers, dimension)
    {
        _frequencies = Initialization.Weights(numbers, NumberOfFrequencies);
        Initialization.Normal(_frequencies, FrequencyScale, streams.Weights);
        _linear = Initialization.NormalLinear(2L * NumberOfFrequencies + 1, dimension, streams.Weights, Math.Sqrt(2));
        RegisterComponents();
    }

    private protected override Tensor Embed(Tensor numbers)
    {
        var cells = numbers.unsqueeze(2);                                               // [N, C, 1]
        var angles = cells * _frequencies * Number(2 * Math.PI);                              // [N, C, F]
        var waves = cat([cells, angles.sin(), angles.cos()], 2);                        // [N, C, 2 F + 1], the number itself beside them
        return _linear.Exact(waves).relu();                                             // [N, C, D]
    }
}

/// <summary>Piecewise-linear encoding at the training data's quantiles, then a linear layer for each column.</summary>
internal sealed class PiecewiseLinearEmbeddings : NumericEmbeddings
{
    internal const float NarrowestBin = 1e-4f;

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter _bias;

    private readonly float[] _edges;
    private readonly float[] _widths;
    private readonly int _bins;

    public PiecewiseLinearEmbeddings(TableLayout layout, int dimension, RandomStreams streams)
        : base(nameof(PiecewiseLinearEmbeddings), layout.NumericCount, dimension)
    {
        _bins = layout.NumericQuantiles[0].Length - 1;
        _edges = [.. layout.NumericQuantiles.SelectMany(edges => edges[..^1])];
        _widths = [.. layout.NumericQuantiles.SelectMany(edges => edges[1..].Zip(edges,
            (end, start) => Math.Max(end - start, NarrowestBin)))];
        _weight = Initialization.Weights(layout.NumericCount, _bins, dimension);
        Initialization.Normal(_weight, 1 / Math.Sqrt(_bins), streams.Weights);
        _bias = Initialization.Weights(layout.NumericCount, dimension);
        RegisterComponents();
    }

    private protected override Tensor Embed(Tensor numbers)
    {
        long c = numbers.shape[1];
        var edges = Constants.On(numbers.device, _edges).view(c, _bins);
        var widths = Constants.On(numbers.device, _widths).view(c, _bins);
        var passed = ((numbers.unsqueeze(2) - edges) / widths).clamp_(Number(0), Number(1));            // [N, C, B]
        var vectors = passed.transpose(0, 1).bmm(_weight).transpose(0, 1);              // [N, C, D]
        return vectors.add(_bias, One).relu();
    }
}
