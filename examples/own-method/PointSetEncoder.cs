using System.Text.Json.Nodes;
using Ssl.Estimators;
using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static Ssl.Estimators.Native.Scalars;
using static TorchSharp.torch;

namespace OwnMethod;

/// <summary>The description of an encoder of point sets.</summary>
public sealed class PointSetEncoderFactory(int embeddingDimension, int hiddenDimension = 64) : EncoderFactory
{
    private const string Name = "own.deep-sets";

    /// <summary>Announces the encoder, so that saved models with it can be read.</summary>
    public static void Register()
        => Register(Name, json => new PointSetEncoderFactory((int)json["embeddingDimension"]!, (int)json["hiddenDimension"]!));

    /// <inheritdoc/>
    public override string Kind => Name;

    /// <inheritdoc/>
    public override int EmbeddingDimension => embeddingDimension;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["embeddingDimension"] = embeddingDimension,
        ["hiddenDimension"] = hiddenDimension,
    };

    /// <summary>A network with fresh weights, on the CPU.</summary>
    public PointSetEncoder Create(RandomStreams streams) => new(embeddingDimension, hiddenDimension, streams);
}

/// <summary>
/// Deep Sets: every point, seen from the middle of its set, goes through the same small network; mean and maximum over the points do not
/// depend on their order.
/// </summary>
/// <remarks>Zaheer et al., "Deep Sets", 2017 (arXiv:1703.06114). N sets, P points, H the hidden dimension, D the embedding's.</remarks>
public sealed class PointSetEncoder : Encoder<PointSetBatch>
{
    [ComponentName(Name = "first")]
    private readonly Linear _first;

    [ComponentName(Name = "second")]
    private readonly Linear _second;

    [ComponentName(Name = "output")]
    private readonly Linear _output;

    internal PointSetEncoder(int embeddingDimension, int hiddenDimension, RandomStreams streams) : base("DeepSets")
    {
        EmbeddingDimension = embeddingDimension;
        _first = Drawn(2, hiddenDimension, streams);
        _second = Drawn(hiddenDimension, hiddenDimension, streams);
        _output = Drawn(2 * hiddenDimension, embeddingDimension, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int EmbeddingDimension { get; }

    /// <inheritdoc/>
    protected override Tensor Encode(PointSetBatch batch)
    {
        using var scope = NewDisposeScope();
        var mask = batch.Mask.unsqueeze(-1);                                                                    // [N, P, 1]
        var weights = mask.to(ScalarType.Float32);
        var middle = batch.Points.mul(weights).sum(dim: 1L, keepdim: true).div(weights.sum(dim: 1L, keepdim: true));         // [N, 1, 2]
        var points = _second.call(_first.call(batch.Points.sub(middle)).relu()).relu();                                     // [N, P, H]
        var mean = points.mul(weights).sum(dim: 1L).div(weights.sum(dim: 1L));                                  // [N, H]
        var largest = points.masked_fill(mask.logical_not(), Number(float.NegativeInfinity)).amax(1);           // [N, H]
        return _output.call(cat([mean, largest], 1)).MoveToOuterDisposeScope();                                 // [N, D]
    }

    // The weights come from the run's stream: the same seed gives the same network.
    private static Linear Drawn(int inputs, int outputs, RandomStreams streams)
    {
        var layer = nn.Linear(inputs, outputs, dtype: ScalarType.Float32);       // whatever the application has set as default
        using var noGrad = no_grad();
        using var drawn = Draws.Normal([outputs, inputs], CPU, streams.Weights);
        layer.weight.copy_(drawn.mul_(Number(Math.Sqrt(2.0 / inputs))));
        layer.bias!.zero_();
        return layer;
    }
}
