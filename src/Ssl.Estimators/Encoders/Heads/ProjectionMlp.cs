using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// What stands between embedding and loss in training only: linear layers with batch normalization and ReLU between them.
/// </summary>
public sealed class ProjectionMlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "layers")]
    private readonly ModuleList<LinearLayer> _layers;

    [ComponentName(Name = "norms")]
    private readonly ModuleList<BatchNorm> _norms;

    /// <summary>A head.</summary>
    /// <param name="inputs">D, the length of an embedding.</param>
    /// <param name="hidden">Width of every hidden layer.</param>
    /// <param name="outputs">O, the length of a projection.</param>
    /// <param name="streams">Gives the initial weights.</param>
    /// <param name="layers">Linear layers. At least 1.</param>
    /// <param name="normalizesHidden">Batch normalization behind every hidden layer.</param>
    /// <param name="normalizesOutput">Batch normalization behind the last layer.</param>
    public ProjectionMlp(int inputs, int hidden, int outputs, RandomStreams streams, int layers = 2, bool normalizesHidden = true,
        bool normalizesOutput = false) : base(nameof(ProjectionMlp))
    {
        var linear = new LinearLayer[layers];
        var norms = new List<BatchNorm>();
        for (int i = 0; i < layers; i++)
        {
            bool isLast = i == layers - 1;
            bool normalizes = isLast ? normalizesOutput : normalizesHidden;
            // A norm has its own bias.
            linear[i] = Initialization.Linear(i == 0 ? inputs : hidden, isLast ? outputs : hidden, streams.Weights, !normalizes);
            if (normalizes)
                norms.Add(new BatchNorm(isLast ? outputs : hidden));
        }
        _layers = new ModuleList<LinearLayer>(linear);
        _norms = new ModuleList<BatchNorm>([.. norms]);
        NormalizesHidden = normalizesHidden;
        NormalizesOutput = normalizesOutput;
        RegisterComponents();
    }

    private bool NormalizesHidden { get; }

    private bool NormalizesOutput { get; }

    /// <summary>Projects embeddings.</summary>
    /// <param name="input">[N, D].</param>
    /// <returns>[N, O].</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        for (int i = 0; i < _layers.Count; i++)
        {
            bool isLast = i == _layers.Count - 1;
            input = _layers[i].call(input);
            if (isLast ? NormalizesOutput : NormalizesHidden)
                input = _norms[NormalizesHidden ? i : 0].call(input);
            if (!isLast)
                input = input.relu();
        }
        return MixedPrecision.Widen(input).MoveToOuterDisposeScope();
    }
}
