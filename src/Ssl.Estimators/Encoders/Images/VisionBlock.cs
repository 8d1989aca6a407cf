using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A pre-norm transformer block without mask or dropout, its parts named as in timm.</summary>
internal sealed class VisionBlock : nn.Module<Tensor, Tensor>
{
    public const double DefaultEpsilon = 1e-6;
    public const int DefaultHiddenRatio = 4;

    [ComponentName(Name = "norm1")]
    private readonly LayerNormalization _attentionNorm;

    [ComponentName(Name = "attn")]
    private readonly VisionAttention _attention;

    [ComponentName(Name = "norm2")]
    private readonly LayerNormalization _hiddenNorm;

    [ComponentName(Name = "mlp")]
    private readonly VisionMlp _hidden;

    private VisionBlock(int dimension, int numberOfHeads, int hiddenDimension, double epsilon, double residualScale, RandomStreams streams)
        : base(nameof(VisionBlock))
    {
        _attentionNorm = Initialization.Norm(dimension, epsilon);
        _attention = new VisionAttention(dimension, numberOfHeads, residualScale, streams.Weights);
        _hiddenNorm = Initialization.Norm(dimension, epsilon);
        _hidden = new VisionMlp(dimension, hiddenDimension, residualScale, streams.Weights);
        RegisterComponents();
    }

    /// <summary>Blocks whose residual branches start smaller the more there are, so that the sum keeps its scale.</summary>
    public static ModuleList<VisionBlock> Stack(int count, int dimension, int numberOfHeads, RandomStreams streams)
        => Stack(count, dimension, numberOfHeads, DefaultHiddenRatio * dimension, DefaultEpsilon, streams);

    /// <inheritdoc cref="Stack(int, int, int, RandomStreams)"/>
    public static ModuleList<VisionBlock> Stack(int count, int dimension, int numberOfHeads, int hiddenDimension, double epsilon, RandomStreams streams)
        => Initialization.Blocks(count, _ =>
            new VisionBlock(dimension, numberOfHeads, hiddenDimension, epsilon, 1 / Math.Sqrt(2 * count), streams));

    public override Tensor forward(Tensor tokens)                                                   // [N, L, D] to [N, L, D]
    {
        using var scope = NewDisposeScope();
        tokens = tokens.add(_attention.call(_attentionNorm.call(tokens)), One);
        return tokens.add(_hidden.call(_hiddenNorm.call(tokens)), One).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head self-attention over one fused query-key-value projection.</summary>
internal sealed class VisionAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "qkv")]
    private readonly LinearLayer _queryKeyValue;

    [ComponentName(Name = "proj")]
    private readonly LinearLayer _output;

    private readonly int _numberOfHeads;

    public VisionAttention(int dimension, int numberOfHeads, double residualScale, Generator weights) : base(nameof(VisionAttention))
    {
        _numberOfHeads = numberOfHeads;
        _queryKeyValue = Initialization.NormalLinear(dimension, 3L * dimension, weights);
        _output = Initialization.NormalLinear(dimension, dimension, weights, residualScale);
        RegisterComponents();
    }

    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _output.call(HeadAttention.Compute(_queryKeyValue.call(tokens), _numberOfHeads, null)).MoveToOuterDisposeScope();
    }
}

/// <summary>Two linear layers with GELU between them.</summary>
internal sealed class VisionMlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")]
    private readonly LinearLayer _first;

    [ComponentName(Name = "fc2")]
    private readonly LinearLayer _second;

    public VisionMlp(int dimension, int hiddenDimension, double residualScale, Generator weights) : base(nameof(VisionMlp))
    {
        _first = Initialization.NormalLinear(dimension, hiddenDimension, weights);
        _second = Initialization.NormalLinear(hiddenDimension, dimension, weights, residualScale);
        RegisterComponents();
    }

    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _second.call(nn.functional.gelu(_first.call(tokens))).MoveToOuterDisposeScope();
    }
}

/// <summary>Fixed positions of a grid: half of a vector from the row, half from the column.</summary>
internal static class PositionGrid
{
    /// <summary>Sines and cosines as in MAE.</summary>
    /// <param name="rows">Rows of the grid.</param>
    /// <param name="columns">Columns of the grid.</param>
    /// <param name="dimension">D; a multiple of 4.</param>
    /// <returns>[1, rows x columns, D]; the caller's.</returns>
    public static Tensor SinesAndCosines(int rows, int columns, int dimension)
    {
        int quarter = dimension / 4;
        var values = new float[rows * columns * dimension];
        for (int place = 0; place < rows * columns; place++)
        {
            for (int k = 0; k < quarter; k++)
            {
                double frequency = Math.Pow(10_000, -(double)k / quarter);
                double column = place % columns * frequency, row = place / columns * frequency;
                int at = place * dimension + k;
                values[at] = (float)Math.Sin(column);
                values[at + quarter] = (float)Math.Cos(column);
                values[at + 2 * quarter] = (float)Math.Sin(row);
                values[at + 3 * quarter] = (float)Math.Cos(row);
            }
        }
        using var flat = tensor(values);
        using var grid = flat.view(1, rows * columns, dimension);
        return grid.clone();
    }
}
