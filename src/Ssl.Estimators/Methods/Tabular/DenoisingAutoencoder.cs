using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// A denoising autoencoder with swap noise: some cells are replaced by those of other rows, and all cells of the clean row are told from
/// the embedding.
/// </summary>
/// <remarks>
/// <para>
/// Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", 2008; swap noise as in the winning entry of the
/// Porto Seguro competition (Jahrer, 2017). Deviation: the embedding is the encoder's last layer, not all its layers. N rows.
/// </para>
/// </remarks>
public sealed class DenoisingAutoencoder : PretrainingMethod, IReconstructsCells
{
    [ComponentName(Name = "encoder")]
    private readonly TabularEncoder _encoder;

    [ComponentName(Name = "cells")]
    private readonly CellHead _head;

    private readonly MarginalSwap _noise;
    private readonly RandomStreams _streams;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, noise from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="swapRate">Share of the cells replaced. From 0 to 1.</param>
    public DenoisingAutoencoder(TabularEncoder encoder, RandomStreams streams, double swapRate = 0.2)
        : base(nameof(DenoisingAutoencoder), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        _encoder = encoder;
        _noise = new MarginalSwap(swapRate);
        _head = CellHead.Create(encoder, streams);
        _streams = streams;
        RegisterComponents();
    }

    CellHead IReconstructsCells.Head => _head;

    double? IReconstructsCells.HiddenShare => null;

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var rows = TableColumn.Of(columns);
        var (embeddings, cells) = _head.Run(_encoder, _noise.Apply(rows, _streams.Views));
        Tensor numbers = rows.Missing.logical_not(), codes = rows.MissingCodes.logical_not();
        return new StepLoss(_head.Loss(cells, rows, numbers, codes), CellFigures.Of(cells, rows, numbers, codes), embeddings.detach());
    }
}
