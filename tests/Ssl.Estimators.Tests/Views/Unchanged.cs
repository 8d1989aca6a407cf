using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

/// <summary>A view of images that changes nothing and draws nothing.</summary>
internal sealed class Unchanged : ImageView
{
    public override Tensor Apply(Tensor images, Generator generator) => images.clone();
}
