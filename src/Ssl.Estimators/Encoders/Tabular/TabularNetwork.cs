using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>What is kept of a trained method: the encoder and, where the method learned to tell cells, the head that does.</summary>
internal sealed class TabularNetwork : Encoder<TableBatch>, IReconstructsRows
{
    [ComponentName(Name = "encoder")]
    private readonly TabularEncoder _encoder;

    [ComponentName(Name = "cells")]
    private readonly CellHead? _head;

    private readonly double? _hiddenShare;

    /// <summary>A network of these parts, which it owns from then on.</summary>
    /// <param name="encoder">The encoder.</param>
    /// <param name="head">Tells cells; null where the method learned nothing of the kind.</param>
    /// <param name="hiddenShare">Share of the cells that are hidden at a time; null tells all cells from the whole row.</param>
    public TabularNetwork(TabularEncoder encoder, CellHead? head, double? hiddenShare) : base(nameof(TabularNetwork))
    {
        (_encoder, _head, _hiddenShare) = (encoder, head, hiddenShare);
        RegisterComponents();
    }

    public override int EmbeddingDimension => _encoder.EmbeddingDimension;

    public bool Reconstructs => _head is not null && _encoder.Layout.CellCount > 1;

    public Tensor Errors(Batch batch) => _head!.Errors(_encoder, (TableBatch)batch, _hiddenShare);

    protected override Tensor Encode(TableBatch batch) => _encoder.call(batch);
}

/// <summary>A network that also tells hidden parts of a row.</summary>
internal interface IReconstructsRows
{
    /// <summary>Whether it learned to.</summary>
    bool Reconstructs { get; }

    /// <summary>How badly hidden parts of each row are told, [N]; a row's error does not depend on the others.</summary>
    /// <param name="batch">N rows.</param>
    Tensor Errors(Batch batch);
}
