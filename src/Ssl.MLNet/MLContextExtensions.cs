using Microsoft.ML;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Native;

namespace Ssl.MLNet;

/// <summary>The way from ML.NET to self-supervised learning.</summary>
public static class MLContextExtensions
{
    /// <summary>Pretraining on unlabeled data, embeddings, and what to do with them.</summary>
    /// <param name="mlContext">Gives seed, log and device: set <c>GpuDeviceId</c> and <c>FallbackToCpu</c> before an estimator is
    /// made.</param>
    /// <returns>A light catalog; make one whenever you need it.</returns>
    public static SelfSupervisedCatalog SelfSupervised(this MLContext mlContext)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        // From here on an application may use TorchSharp itself.
        TorchSharpLibrary.Prepare();
        LibraryNotice.Tell(mlContext);
        return new SelfSupervisedCatalog(mlContext);
    }
}
