using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Batch normalization over the rows of all processes: what <c>SyncBatchNorm</c> is in PyTorch. Two exchanges a layer and step: mean, variance and
/// number of values on the way forth, two sums for each channel on the way back.
/// </summary>
internal sealed class SynchronizedBatchNorm : autograd.SingleTensorFunction<SynchronizedBatchNorm>
{
    public override string Name => nameof(SynchronizedBatchNorm);

    /// <summary>The normalized input; the running statistics move towards those of the batch.</summary>
    /// <param name="step">Who takes part.</param>
    /// <param name="input">[N, C, ...].</param>
    /// <param name="weight">[C].</param>
    /// <param name="bias">[C].</param>
    /// <param name="runningMean">[C]; changed.</param>
    /// <param name="runningVariance">[C]; changed.</param>
    /// <param name="momentum">Share of the batch in them.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public static Tensor Compute(RankStep step, Tensor input, Tensor weight, Tensor bias, Tensor runningMean, Tensor runningVariance, double momentum,
        double epsilon)
    {
        using var scope = NewDisposeScope();
        Tensor mean, variance;
        double count;
        using (no_grad())
        {
            (mean, variance, count) = Statistics(step.Communicator, input.detach());
            runningMean.mul_(Number(1 - momentum)).add_(mean, Number(momentum));
            runningVariance.mul_(Number(1 - momentum)).add_(variance, Number(momentum * count / Math.Max(1, count - 1)));
        }
        return apply(input, weight, bias, mean, variance, step.Communicator, count, epsilon).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (input, weight, bias, mean, variance) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (Tensor)vars[3], (Tensor)vars[4]);
        var epsilon = (double)vars[7];
        ctx.save_for_backward([input, weight, mean, variance]);
        ctx.save_data("communicator", vars[5]);
        ctx.save_data("count", vars[6]);
        ctx.save_data("epsilon", epsilon);
        return nn.functional.batch_norm(input, mean, variance, weight, bias, false, 0, epsilon);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var saved = ctx.get_saved_variables();
        var (input, weight, mean, variance) = (saved[0], saved[1], saved[2], saved[3]);
        var communicator = (Communicator)ctx.get_data("communicator");
        long[] shape = [1, input.shape[1], .. Enumerable.Repeat(1L, input.shape.Length - 2)], others = Others(input);
        Tensor scale = variance.add(Number((double)ctx.get_data("epsilon")), One).rsqrt();              // [C]
        // Of the normalized input only its sums are needed, which follow from those of the input: few passes over what is large.
        Tensor sum = grad_output.sum(others);                                                           // [C]
        Tensor product = ((grad_output * input).sum(others) - mean * sum) * scale;                      // [C]
        Tensor both = cat([sum, product]).to(ScalarType.Float32).contiguous();
        try
        {
            communicator.Sum(both);
        }
        catch (InvalidOperationException)
        {
            // No exception may pass through the library; the next call of the communicator, after this backward pass, throws it.
        }
        // scale * weight * (gradient - mean gradient - normalized * mean product), as factors of the gradient and of the input, and the rest.
        var means = both.div(Number((double)ctx.get_data("count"))).chunk(2);                           // [C] twice
        Tensor ofGradient = scale * weight, ofInput = (ofGradient * scale * means[1]).neg(), rest = (ofGradient * means[0]).neg() - ofInput * mean;
        Tensor gradient = addcmul(rest.view(shape), grad_output, ofGradient.view(shape), One).addcmul_(input, ofInput.view(shape), One);
        return [gradient.MoveToOuterDisposeScope(), product.MoveToOuterDisposeScope(), sum.MoveToOuterDisposeScope(), null!, null!, null!, null!, null!];
    }

    // Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    private static (Tensor Mean, Tensor Variance, double Count) Statistics(Communicator communicator, Tensor input)
    {
        long[] others = Others(input);
        double own = input.numel() / input.shape[1];
        Tensor mean = input.mean(others), variance = input.var(others, unbiased: false);
        Tensor parts = communicator.Gather(cat([mean, variance, full([1], Number(own), dtype: ScalarType.Float32, device: input.device)]).unsqueeze(0),
            [.. Enumerable.Repeat(1L, communicator.Count)]);                                            // [S, 2C + 1]
        long channels = input.shape[1];
        Tensor counts = parts.narrow(1, 2 * channels, 1), total = counts.sum(0L);                        // [S, 1], [1]
        Tensor means = parts.narrow(1, 0, channels), shares = counts / total;
        Tensor together = (means * shares).sum(0L);                                                      // [C]
        Tensor spread = (parts.narrow(1, channels, channels).add((means - together).pow(Number(2)), One) * shares).sum(0L);
        return (together, spread, total.cpu().Value<float>());
    }

    private static long[] Others(Tensor input) => [0L, .. Enumerable.Range(2, input.shape.Length - 2).Select(dimension => (long)dimension)];
}
