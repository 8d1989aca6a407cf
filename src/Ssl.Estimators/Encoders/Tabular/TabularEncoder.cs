using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>An encoder of table rows.</summary>
public abstract class TabularEncoder : Encoder<TableBatch>
{
    /// <summary>An encoder of this name; the derived class registers its components.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="layout">The cells of a row.</param>
    protected TabularEncoder(string name, TableLayout layout) : base(name)
    {
        ArgumentNullException.ThrowIfNull(layout);
        Layout = layout;
    }

    /// <summary>The cells of a row.</summary>
    public TableLayout Layout { get; }
}

/// <summary>
/// An encoder that also has a vector for every cell, which depends on the other cells of the row: a transformer over columns.
/// </summary>
public abstract class CellEncoder : TabularEncoder
{
    /// <inheritdoc cref="TabularEncoder(string, TableLayout)"/>
    protected CellEncoder(string name, TableLayout layout) : base(name, layout)
    {
    }

    /// <summary>Length of the vector of one cell.</summary>
    public abstract int CellDimension { get; }

    /// <summary>A vector for every cell, numeric ones first: [N, C + K, <see cref="CellDimension"/>].</summary>
    /// <param name="batch">On the encoder's device.</param>
    public abstract Tensor EncodeCells(TableBatch batch);

    /// <summary>The vector of a row from those of its cells.</summary>
    /// <param name="cells">What <see cref="EncodeCells"/> gave, [N, C + K, <see cref="CellDimension"/>].</param>
    /// <returns>[N, <see cref="Encoder.EmbeddingDimension"/>].</returns>
    public abstract Tensor Pool(Tensor cells);
}

/// <summary>The description of an encoder of table rows.</summary>
public abstract class TabularEncoderFactory : EncoderFactory
{
    /// <summary>A network with fresh weights, on the CPU.</summary>
    /// <param name="layout">The cells of a row, learned from the training data.</param>
    /// <param name="streams">Weights are drawn from its Weights now, dropout from its Dropout in training.</param>
    public abstract TabularEncoder Create(TableLayout layout, RandomStreams streams);
}
