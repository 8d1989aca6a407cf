using System.Text.Json.Nodes;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Everything one Fit needs after the data have been read.</summary>
/// <param name="method">The method with its encoder, on the CPU.</param>
/// <param name="source">Where its batches come from.</param>
/// <param name="createModel">Makes the fitted model from the trained method's encoder; the encoder is the model's from then on.</param>
/// <param name="facts">
/// What beside the options makes the run the one it is, and must be the same when it is resumed from a checkpoint: the encoder, what was
/// learned from the data before the training.
/// </param>
internal sealed class PretrainingRun(
    PretrainingMethod method, BatchSource source, Func<Device, TrainingResult?, EncoderModel> createModel,
    JsonObject facts) : IDisposable
{
    public PretrainingMethod Method => method;

    public BatchSource Source => source;

    public JsonObject Facts => facts;

    public EncoderModel CreateModel(Device device, TrainingResult? result) => createModel(device, result);

    public void Dispose()
    {
        source.Dispose();
        method.Dispose();
    }
}
