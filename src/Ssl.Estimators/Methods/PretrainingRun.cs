using Ssl.Estimators.Persistence;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Everything one Fit needs after the data have been read.</summary>
/// <param name="method">The method with its encoder, on the CPU.</param>
/// <param name="source">Where its batches come from.</param>
/// <param name="createModel">Makes the fitted model from the trained method's encoder; the encoder is the model's from then on.</param>
/// <param name="configuration">What must be the same when a training is resumed from a checkpoint.</param>
internal sealed class PretrainingRun(
    PretrainingMethod method, IBatchSource source, Func<Device, TrainingResult?, EncoderModel> createModel, string configuration)
        : IDisposable
{
    public PretrainingMethod Method => method;

    public IBatchSource Source => source;

    public string Configuration => configuration;

    public EncoderModel CreateModel(Device device, TrainingResult? result) => createModel(device, result);

    public void Dispose()
    {
        (source as IDisposable)?.Dispose();
        method.Dispose();
    }
}
