using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>A step of a masked autoencoder with three quarters of the patches hidden against one with a single patch hidden.</summary>
public sealed class MaskedAutoencoderCost : BenchCase
{
    private const int BatchSize = 64, Threads = 2;

    /// <inheritdoc/>
    public override string Name => "mae-cost";

    /// <inheritdoc/>
    public override int Minutes => 2;

    /// <inheritdoc/>
    public override string Description => "seconds of a masked-autoencoder step at 75 % masking against nothing but one patch masked";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        int repeats = settings.Quick ? 3 : 15;
        set_num_threads(Threads);
        using var images = rand(BatchSize, 3, 32, 32).mul_(255).to(ScalarType.Byte);
        using var masked = new Side(0.75);
        using var whole = new Side(1e-6);
        List<double> maskedSeconds = [], wholeSeconds = [];
        for (var i = 0; i <= repeats; i++)
        {
            maskedSeconds.Add(masked.Step(images));
            wholeSeconds.Add(whole.Step(images));
        }
        // The first of each warms up.
        results.Add("step at 75 % masking", Measure.Median(maskedSeconds.Skip(1)), "s", Measure.Median(wholeSeconds.Skip(1)),
            lessIsBetter: true);
        results.Add("share of the unmasked step", Measure.Median(maskedSeconds.Skip(1)) / Measure.Median(wholeSeconds.Skip(1)), "share");
        results.Note($"ImageEncoders.ViTTiny on 32 x 32 x 3 with patches of 4 (64 an image), decoder of one layer and width 64, batch {BatchSize}, {Threads} threads; "
            + $"forward and backward, median of {repeats}, sides interleaved. The reference hides one patch of 64.");
    }

    private sealed class Side : IDisposable
    {
        private readonly RandomStreams _streams = new(BenchResults.Seed);
        private readonly MaskedAutoencoderTrainer.Method _method;

        public Side(double ratio)
            => _method = new MaskedAutoencoderTrainer.Method(ImageEncoders.ViTTiny(imageSize: 32, patchSize: 4).Create(_streams), _streams,
                new() { MaskRatio = (float)ratio });

        public double Step(TorchSharp.torch.Tensor images) => Measure.Seconds(() =>
        {
            using var scope = NewDisposeScope();
            _method.Loss([new ImageBatch(images.alias())]).Total.backward();
            _method.zero_grad();
        });

        public void Dispose()
        {
            _method.Dispose();
            _streams.Dispose();
        }
    }
}
