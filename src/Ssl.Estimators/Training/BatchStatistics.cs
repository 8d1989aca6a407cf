using Ssl.Estimators.Encoders;
using TorchSharp.Modules;
using static TorchSharp.torch;
using BatchNorm = Ssl.Estimators.Encoders.BatchNorm;

namespace Ssl.Estimators.Training;

/// <summary>
/// Running statistics of an encoder's batch norms, computed anew after the training. Those of the training are of views (crops, tiles,
/// other colors), and a moving average over weights that still changed; what is embedded later are whole images and the last weights.
/// </summary>
/// <remarks>
/// As PyTorch's update_bn of weight averaging (Izmailov et al., 2018, arXiv:1803.05407): each batch passes once, every batch counts alike.
/// Only the batch norms are in training mode; nothing else is drawn at random or changes.
/// </remarks>
internal static class BatchStatistics
{
    /// <summary>Whether an encoder has batch norms with running statistics.</summary>
    public static bool Has(nn.Module encoder)
        => encoder.modules().Any(module => module is BatchNorm or NormBase { track_running_stats: true });

    /// <summary>Replaces the running mean and variance of every batch norm by their means over batches.</summary>
    /// <param name="encoder">In evaluation mode, and left in it.</param>
    /// <param name="resting">Modules of it whose statistics stay as they are.</param>
    /// <param name="batches">What it embeds; on any device, and disposed of. Without any, the statistics stay.</param>
    /// <param name="device">The encoder's.</param>
    /// <param name="mixedPrecision">As in the training.</param>
    public static void Recompute(Encoder encoder, IReadOnlyCollection<nn.Module> resting, IEnumerable<IReadOnlyList<Batch>> batches, Device device, bool mixedPrecision)
    {
        using var noGrad = no_grad();
        BatchNorm[] own = [.. encoder.modules().OfType<BatchNorm>().Except(resting.OfType<BatchNorm>())];
        NormBase[] others = [.. encoder.modules().OfType<NormBase>().Where(norm => norm.track_running_stats).Except(resting.OfType<NormBase>())];
        double?[] momenta = [.. others.Select(norm => norm.momentum)];
        try
        {
            var done = 0;
            foreach (IReadOnlyList<Batch> columns in batches)
            {
                SetMomentum(1.0 / ++done);
                Pass(columns);
            }
        }
        finally
        {
            foreach (BatchNorm norm in own)
                norm.Momentum = BatchNorm.UsualMomentum;
            foreach (var (norm, momentum) in others.Zip(momenta))
                norm.momentum = momentum;
            encoder.eval();
        }

        void SetMomentum(double momentum)
        {
            foreach (BatchNorm norm in own)
            {
                norm.train();
                norm.Momentum = momentum;
            }
            foreach (NormBase norm in others)
            {
                norm.train();
                norm.momentum = momentum;
            }
        }

        void Pass(IReadOnlyList<Batch> columns)
        {
            using var scope = NewDisposeScope();
            try
            {
                Batch moved = columns[0].To(device);
                using (MixedPrecision.Begin(mixedPrecision))
                    encoder.call(moved);
                if (!ReferenceEquals(moved, columns[0]))
                    moved.Dispose();
            }
            finally
            {
                foreach (Batch column in columns)
                    column.Dispose();
            }
        }
    }
}
