using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>What is kept of a trained method: the encoder and, where the method learned to tell cells, the head that does.</summary>
internal sealed class TabularNetwork : Encoder<TableBatch>
{
    [ComponentName(Name = "encoder")]
    private readonly TabularEncoder _encoder;

    [ComponentName(Name = "cells")]
    private readonly CellHead? _head;

    /// <summary>A network of these parts, which it owns from then on.</summary>
    public TabularNetwork(TabularEncoder encoder, CellHead? head) : base(nameof(TabularNetwork))
    {
        _encoder = encoder;
        _head = head;
        RegisterComponents();
    }

    /// <summary>A network with fresh weights, on the CPU.</summary>
    public static TabularNetwork Create(TabularEncoderFactory factory, TableLayout layout, bool hasHead, RandomStreams streams)
    {
        var encoder = factory.Create(layout, streams);
        return new TabularNetwork(encoder, hasHead ? CellHead.Create(encoder, streams) : null);
    }

    public override int EmbeddingDimension => _encoder.EmbeddingDimension;

    /// <summary>[N]: see <see cref="CellHead.Errors"/>.</summary>
    public Tensor Errors(TableBatch batch, double? hiddenShare) => _head!.Errors(_encoder, batch, hiddenShare);

    protected override Tensor Encode(TableBatch batch) => _encoder.call(batch);
}
