using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// Self-distillation without labels: the student's view of any crop shall be what a slowly following teacher says of another, large one.
/// Sharpening and centring of the teacher keep it from collapsing.
/// </summary>
/// <remarks>
/// Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021 (arXiv:2104.14294). Deviations: the teacher's
/// temperature is constant; constant weight decay; the last layer learns from the first step; 1,024 outputs instead of 65,536. N images, D
/// the embedding dimension, K outputs.
/// </remarks>
public sealed class Dino : PretrainingMethod
{
    private const double CenterMomentum = 0.9;

    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "head")]
    private readonly PrototypeHead _head;

    [ComponentName(Name = "teacher_encoder")]
    private readonly ImageEncoder _teacherEncoder;

    [ComponentName(Name = "teacher_head")]
    private readonly PrototypeHead _teacherHead;

    [ComponentName(Name = "center")]
    private readonly Tensor _center;

    private readonly RandomStreams _streams;
    private readonly MultiCrop _crops;
    private readonly double _temperature, _teacherTemperature, _momentum;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train; one that takes any size where <paramref name="crops"/> have local views of another
    /// size.</param>
    /// <param name="teacherEncoder">Of the same architecture: becomes the teacher.</param>
    /// <param name="streams">Heads come from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="crops">Views of an image; <see langword="null"/> takes two global ones of <see cref="ImageViews.For"/> the encoder's
    /// images.</param>
    /// <param name="temperature">Divides the student's outputs. Greater than 0.</param>
    /// <param name="teacherTemperature">Divides the teacher's outputs: lower is sharper. Greater than 0.</param>
    /// <param name="numberOfPrototypes">K, outputs of the head. At least 2.</param>
    /// <param name="hiddenDimension">Width of the head's hidden layers. At least 1.</param>
    /// <param name="momentum">Share of the teacher that stays at the first step; rises to 1 along half a cosine. From 0 to less than
    /// 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public Dino(ImageEncoder encoder, ImageEncoder teacherEncoder, RandomStreams streams, MultiCrop? crops = null, double temperature = 0.1,
        double teacherTemperature = 0.04, int numberOfPrototypes = 1024, int hiddenDimension = 512, double momentum = 0.99)
        : base(nameof(Dino), encoder)
    {
        ArgumentNullException.ThrowIfNull(teacherEncoder);
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Positive(temperature)
            .Positive(teacherTemperature)
            .AtLeast(numberOfPrototypes, 2)
            .AtLeast(hiddenDimension, 1)
            .InHalfOpenRange(momentum, 0, 1)
            .ThrowIfAny();
        (_encoder, _teacherEncoder, _streams) = (encoder, teacherEncoder, streams);
        _crops = crops ?? new MultiCrop(ImageViews.For(encoder.Shape));
        (_temperature, _teacherTemperature, _momentum) = (temperature, teacherTemperature, momentum);
        _head = new PrototypeHead(encoder.EmbeddingDimension, hiddenDimension, numberOfPrototypes, streams);
        _teacherHead = new PrototypeHead(encoder.EmbeddingDimension, hiddenDimension, numberOfPrototypes, streams);
        MovingAverage.Begin(_teacherEncoder, _encoder);
        MovingAverage.Begin(_teacherHead, _head);
        _center = zeros(1, numberOfPrototypes, dtype: ScalarType.Float32).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var images = ImageColumn.Of(columns);
        var (global, local) = _crops.Apply(images, _streams.Views);
        Tensor[] targets;
        using (no_grad())
        {
            var outputs = _teacherHead.call(_teacherEncoder.call(global));                          // [globals x N, K]
            targets = outputs.sub(_center).div(Number(_teacherTemperature)).softmax(1).chunk(_crops.Globals);
            // The centre of this step serves the next one.
            _center.mul_(Number(CenterMomentum)).add_(outputs.mean([0L], keepdim: true), Number(1 - CenterMomentum));
        }
        var embeddings = _encoder.call(global);                                                     // [globals x N, D]
        List<Tensor> scores = [.. _head.call(embeddings).chunk(_crops.Globals)];                    // [N, K] for each view
        if (local is not null)
            scores.AddRange(_head.call(_encoder.call(local)).chunk(_crops.Locals));
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
    public override void OnStepCompleted(double progress)
    {
        double momentum = MovingAverage.Rising(_momentum, progress);
        MovingAverage.Follow(_teacherEncoder, _encoder, momentum);
        MovingAverage.Follow(_teacherHead, _head, momentum);
    }
}
