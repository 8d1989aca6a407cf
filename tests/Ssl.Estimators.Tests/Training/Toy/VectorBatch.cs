using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training.Toy;

/// <summary>N vectors: the simplest batch.</summary>
internal sealed class VectorBatch(Tensor values) : Batch
{
    public Tensor Values { get; } = values; // [N, D]

    public override long Count => Values.shape[0];

    public override Batch To(Device device) => Values.device.type == device.type ? this : new VectorBatch(Values.to(device));

    public override void Dispose() => Values.Dispose();
}
