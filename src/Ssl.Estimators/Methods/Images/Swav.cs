using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// Each view predicts to which prototypes the other views of its image were assigned; assignments are kept even over a batch.
/// </summary>
/// <remarks>
/// Caron et al., "SwAV", 2020 (arXiv:2006.09882). Deviations: AdamW instead of LARS; 300 prototypes that learn from the first step; no
/// queue of earlier vectors, which batches smaller than the number of prototypes would want. N images, D the embedding dimension, P the
/// projection dimension, K prototypes.
/// </remarks>
public sealed class Swav : PretrainingMethod
{
    private const double Epsilon = 0.05;

    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionMlp _projection;

    [ComponentName(Name = "prototypes")]
    private readonly Linear _prototypes;

    private readonly RandomStreams _streams;
    private readonly MultiCrop _crops;
    private readonly double _temperature;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train; one that takes any size where <paramref name="crops"/> have local views of another
    /// size.</param>
    /// <param name="streams">Heads come from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="crops">Views of an image; <see langword="null"/> takes two global ones of <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="temperature">Divides the similarities to the prototypes. Greater than 0.</param>
    /// <param name="projectionDimension">P, the length of a projection. At least 1.</param>
    /// <param name="numberOfPrototypes">K. At least 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public Swav(ImageEncoder encoder, RandomStreams streams, MultiCrop? crops = null, double temperature = 0.1,
        int projectionDimension = 128,
        int numberOfPrototypes = 300) : base(nameof(Swav), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Positive(temperature)
            .AtLeast(projectionDimension, 1)
            .AtLeast(numberOfPrototypes, 2)
            .ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _crops = crops ?? new MultiCrop(ImageViews.For(encoder.Shape));
        _temperature = temperature;
        _projection = new ProjectionMlp(encoder.EmbeddingDimension, encoder.EmbeddingDimension, projectionDimension, streams);
        _prototypes = Initialization.Linear(projectionDimension, numberOfPrototypes, streams.Weights, hasBias: false);
        RegisterComponents();
        NormalizePrototypes();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var (global, local) = _crops.Apply(images, _streams.Views);
        var embeddings = _encoder.call(global);                                                     // [2N, D]
        List<Tensor> scores = [.. Scores(embeddings).chunk(_crops.Globals)];                        // [N, K] for each view
        var targets = scores.Select(s => SinkhornAssignment.Compute(s, Epsilon)).ToArray();
        if (local is not null)
            scores.AddRange(Scores(_encoder.call(local)).chunk(_crops.Locals));
        Tensor? total = null;
        for (int target = 0; target < targets.Length; target++)
        {
            for (int view = 0; view < scores.Count; view++)
            {
                if (view == target)
                    continue;
                var term = SoftTargetLoss.Compute(targets[target], scores[view], _temperature);
                total = total is null ? term : total.add(term, One);
            }
        }
        var loss = total! / Number(targets.Length * (scores.Count - 1));
        return new StepLoss(loss, [], embeddings.detach().narrow(0, 0, images.Count));
    }

    /// <inheritdoc/>
    public override void OnStepCompleted(double progress) => NormalizePrototypes();

    private Tensor Scores(Tensor embeddings) => _prototypes.call(Contrastive.Normalize(_projection.call(embeddings)));

    private void NormalizePrototypes()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        _prototypes.weight.copy_(Contrastive.Normalize(_prototypes.weight));
    }
}
