using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Modules;
using static Ssl.Estimators.Native.Scalars;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training.Toy;

/// <summary>tanh(x W + b).</summary>
internal sealed class ToyEncoder : Encoder<VectorBatch>
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    public ToyEncoder(int inputs, int outputs, RandomStreams streams) : base(nameof(ToyEncoder))
    {
        EmbeddingDimension = outputs;
        weight = new Parameter(randn(inputs, outputs, generator: streams.Weights));
        bias = new Parameter(zeros(outputs));
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    public Tensor Embed(Tensor values) => values.mm(weight).add(bias, One).tanh();

    protected override Tensor Encode(VectorBatch batch) => Embed(batch.Values);
}

/// <summary>A denoising autoencoder with a moving average of its encoder's output: uses every hook that a method has.</summary>
internal sealed class ToyMethod : PretrainingMethod
{
    private readonly ToyEncoder encoder;
    private readonly Parameter decoder;
    private readonly Tensor center;
    private readonly RandomStreams _streams;
    private Tensor? _lastMean;

    public ToyMethod(RandomStreams streams, int inputs = 6, int dimension = 4)
        : this(new ToyEncoder(inputs, dimension, streams), inputs, streams)
    {
    }

    private ToyMethod(ToyEncoder encoder, int inputs, RandomStreams streams) : base(nameof(ToyMethod), encoder)
    {
        this.encoder = encoder;
        _streams = streams;
        decoder = new Parameter(randn(encoder.EmbeddingDimension, inputs, generator: streams.Weights));
        center = zeros(encoder.EmbeddingDimension);
        RegisterComponents();
    }

    /// <summary>Called with every loss before it is returned: lets a test spoil one.</summary>
    public Func<Tensor, Tensor> Spoil { get; init; } = loss => loss;

    public List<double> Progress { get; } = [];

    /// <summary>What the method was told before each step.</summary>
    public List<double> Starts { get; } = [];

    public int Losses { get; private set; }

    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        Losses++;
        Tensor values = ((VectorBatch)columns[0]).Values;                                        // [N, I]
        Tensor noise = Draws.Normal(values.shape, values.device, _streams.Views);
        Tensor kept = Draws.Uniform(values.shape, values.device, _streams.Masks).gt(Number(0.1));
        Tensor embedding = encoder.Embed(values.add(noise, Number(0.1)) * kept);                 // [N, D]
        Tensor error = (embedding.mm(decoder) - values).pow(Number(2)).mean();
        Tensor size = embedding.pow(Number(2)).mean();
        _lastMean?.Dispose();
        _lastMean = embedding.detach().mean([0]).DetachFromDisposeScope();
        return new StepLoss(Spoil(error.add(size, Number(0.01))), [("error", error.detach()), ("size", size.detach())], embedding.detach());
    }

    internal override void OnStepStarting(double progress) => Starts.Add(progress);

    public override void OnStepCompleted(double progress)
    {
        Progress.Add(progress);
        center.mul_(Number(0.9)).add_(_lastMean!, Number(0.1));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _lastMean?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>All weights and buffers, by name.</summary>
    public Dictionary<string, float[]> Weights()
    {
        using var scope = NewDisposeScope();
        return state_dict().ToDictionary(item => item.Key, item => item.Value.detach().cpu().contiguous().data<float>().ToArray());
    }
}
