using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// Contrast of a row with a corrupted copy of itself: a share of the cells is replaced by draws from their columns' marginals, and the two
/// embeddings shall be closer than those of different rows.
/// </summary>
/// <remarks>
/// <para>
/// Bahri et al., "SCARF: Self-Supervised Contrastive Learning using Random Feature Corruption", 2022 (arXiv:2106.15147). Deviations: both
/// directions of the loss are averaged, the marginals are those of the batch, and the temperature is 0.2 instead of 1, which separates the
/// classes of numeric tables better; the paper's 1 suits tables with categories. N rows, D the embedding dimension.
/// </para>
/// </remarks>
public sealed class Scarf : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly TabularEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly TableProjectionHead _projection;

    private readonly RandomStreams _streams;
    private readonly TableView _view;
    private readonly double _temperature;

    /// <summary>The method with swaps from the marginals as its view.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, views from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="corruptionRate">Share of the cells replaced. Greater than 0, at most 1.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    public Scarf(TabularEncoder encoder, RandomStreams streams, double corruptionRate = 0.6, double temperature = 0.2)
        : this(encoder, streams, new MarginalSwap(corruptionRate), temperature)
    {
    }

    /// <summary>The method with a view of your own.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, views from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Corrupts the second copy; the first stays as it is.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    public Scarf(TabularEncoder encoder, RandomStreams streams, TableView view, double temperature = 0.2) : base(nameof(Scarf), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        ArgumentNullException.ThrowIfNull(view);
        new OptionFaults().Positive(temperature).ThrowIfAny();
        _encoder = encoder;
        _projection = new TableProjectionHead(encoder.EmbeddingDimension, streams);
        _streams = streams;
        _view = view;
        _temperature = temperature;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var rows = TableColumn.Of(columns);
        var both = TableBatch.Concatenate(rows, _view.Apply(rows, _streams.Views));     // 2N rows: the encoder runs once
        var embeddings = _encoder.call(both);                                           // [2N, D]
        var halves = _projection.call(embeddings).chunk(2);                             // [N, D] twice
        var logits = InfoNceLoss.Logits(halves[0], halves[1], _temperature);            // [N, N]
        var loss = InfoNceLoss.FromLogits(logits);
        return new StepLoss(loss, [("accuracy", InfoNceLoss.Accuracy(logits))], embeddings.detach().narrow(0, 0, rows.Count));
    }
}
