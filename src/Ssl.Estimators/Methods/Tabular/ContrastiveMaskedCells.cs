using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// The hybrid: <see cref="Scarf"/>'s contrast shapes the row's embedding while <see cref="MaskedCells"/>' prediction makes it carry the
/// cells.
/// </summary>
/// <remarks>
/// The loss is the weighted sum of the two, each reported by name; a term with weight 0 is not computed. N rows, D the embedding dimension.
/// </remarks>
public sealed class ContrastiveMaskedCells : PretrainingMethod, IReconstructsCells
{
    [ComponentName(Name = "encoder")]
    private readonly TabularEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly TableProjectionHead _projection;

    [ComponentName(Name = "cells")]
    private readonly CellHead _head;

    private readonly MarginalSwap _view;
    private readonly CellMasker _masker;
    private readonly RandomStreams _streams;
    private readonly double _temperature;
    private readonly double _contrastiveWeight;
    private readonly double _maskedWeight;

    /// <summary>The hybrid around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The heads' weights, views and masks.</param>
    /// <param name="corruptionRate">Share of the cells replaced in the second view. From 0 to 1.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="maskRatio">Share of the cells that are hidden for prediction. Between 0 and 1.</param>
    /// <param name="contrastiveWeight">Weight of the contrastive term. At least 0; not both 0.</param>
    /// <param name="maskedWeight">Weight of the masked-cell term. At least 0; not both 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public ContrastiveMaskedCells(TabularEncoder encoder, RandomStreams streams, double corruptionRate = 0.6, double temperature = 0.2,
        double maskRatio = 0.3, double contrastiveWeight = 1, double maskedWeight = 1) : base(nameof(ContrastiveMaskedCells), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Positive(temperature)
            .NotNegative(contrastiveWeight)
            .NotNegative(maskedWeight)
            .Require(contrastiveWeight != 0 || maskedWeight != 0, nameof(maskedWeight), "must not be 0 together with contrastiveWeight", 0)
            .ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _view = new MarginalSwap(corruptionRate);
        _masker = new CellMasker(maskRatio);
        _projection = new TableProjectionHead(encoder.EmbeddingDimension, streams);
        _head = CellHead.Create(encoder, streams);
        _temperature = temperature;
        _contrastiveWeight = contrastiveWeight;
        _maskedWeight = maskedWeight;
        RegisterComponents();
    }

    CellHead IReconstructsCells.Head => _head;

    double? IReconstructsCells.HiddenShare => _masker.MaskRatio;

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var rows = TableColumn.Of(columns);
        var terms = new List<(string Name, Tensor Value)>();
        Tensor? total = null, embeddings = null;
        if (_contrastiveWeight > 0)
        {
            var both = TableBatch.Concatenate(rows, _view.Apply(rows, _streams.Views));             // 2N rows
            embeddings = _encoder.call(both);                                                       // [2N, D]
            var halves = _projection.call(embeddings).chunk(2);                                     // [N, D] twice
            var logits = InfoNceLoss.Logits(halves[0], halves[1], _temperature);                    // [N, N]
            var contrast = InfoNceLoss.FromLogits(logits);
            terms.Add(("contrastive", contrast.detach()));
            terms.Add(("contrastive-accuracy", InfoNceLoss.Accuracy(logits)));
            total = contrast * Number(_contrastiveWeight);
        }
        if (_maskedWeight > 0)
        {
            var masked = _masker.Apply(rows, _streams.Masks);
            var (hidden, cells) = _head.Run(_encoder, masked.Batch);
            var prediction = _head.Loss(cells, rows, masked.Numbers, masked.Codes);
            terms.Add(("masked", prediction.detach()));
            terms.AddRange(CellFigures.Of(cells, rows, masked.Numbers, masked.Codes));
            total = total is null ? prediction * Number(_maskedWeight) : total.add(prediction * Number(_maskedWeight), One);
            embeddings ??= hidden;
        }
        return new StepLoss(total!, terms, embeddings!.detach().narrow(0, 0, rows.Count));
    }
}
