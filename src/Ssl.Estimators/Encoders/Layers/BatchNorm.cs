using Ssl.Estimators.Distributed;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Batch normalization (Ioffe and Szegedy, 2015) over the second dimension of [N, C], [N, C, T] or [N, C, H, W], with PyTorch's settings
/// and names. TorchSharp's own counts its batches with a temporary Scalar, which can be freed during that call.
/// </summary>
internal sealed class BatchNorm : nn.Module<Tensor, Tensor>
{
    /// <summary>Share of a batch in the running statistics while training, as in PyTorch.</summary>
    public const double UsualMomentum = 0.1;

    private const double Epsilon = 1e-5;

    private readonly Parameter weight, bias; // named as PyTorch names them in files

    public BatchNorm(long channels) : base(nameof(BatchNorm))
    {
        Initialization.Take(2, channels);
        weight = new Parameter(ones(channels, dtype: ScalarType.Float32));
        bias = new Parameter(zeros(channels, dtype: ScalarType.Float32));
        RegisterComponents();
        register_buffer("running_mean", zeros(channels, dtype: ScalarType.Float32));
        register_buffer("running_var", ones(channels, dtype: ScalarType.Float32));
        register_buffer("num_batches_tracked", zeros([], dtype: ScalarType.Int64));
    }

    public Tensor Weight => weight;

    /// <summary>Share of a batch in the running statistics: the rest stays.</summary>
    public double Momentum { get; set; } = UsualMomentum;

    /// <summary>What it multiplies each channel with and adds then, by its running statistics: [C] and [C].</summary>
    public (Tensor Scale, Tensor Shift) ScaleAndShift()
    {
        var scale = get_buffer("running_var")!.add(Number(Epsilon), One).rsqrt_().mul_(weight);
        return (scale, bias.addcmul(get_buffer("running_mean")!, scale, Number(-1L)));
    }

    public override Tensor forward(Tensor input)
    {
        // One value a channel (a last batch of one row) has no variance: the running statistics stand in, and learn nothing from it.
        bool learns = training && (input.numel() > input.shape[1] || Ranks.Count > 1);
        if (learns)
        {
            using var nothing = no_grad();
            get_buffer("num_batches_tracked")!.add_(Number(1), One);
        }
        if (learns && Ranks.Step is { } step)
            return SynchronizedBatchNorm.Compute(step, input, weight, bias, get_buffer("running_mean")!, get_buffer("running_var")!, Momentum, Epsilon);
        return nn.functional.batch_norm(input, get_buffer("running_mean")!, get_buffer("running_var")!, weight, bias, learns, Momentum,
            Epsilon);
    }
}
