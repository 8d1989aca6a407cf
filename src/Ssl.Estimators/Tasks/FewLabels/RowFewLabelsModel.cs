using System.Runtime.InteropServices;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// A model for few labels that reads the row itself, too: encoders of its own embed it, and their embeddings stand behind the vector of the
/// column. Any number of threads may predict at once.
/// </summary>
internal sealed class RowFewLabelsModel : RowComputation, IDisposable
{
    private readonly FewLabelsModel _head;

    /// <param name="head">Of all vectors.</param>
    /// <param name="encoders">At least one; owned from here on.</param>
    public RowFewLabelsModel(FewLabelsModel head, FewLabelsEncoders encoders)
    {
        (_head, Encoders) = (head, encoders);
        if (ColumnWidth < 1)
            throw new FormatException($"The parts of the model have {head.Dimension} slots, which is too few behind embeddings of {encoders.Dimension}.");
        Lifetime = new Lifetime(nameof(FewLabelsTransformer), encoders.Dispose);
    }

    public override Lifetime Lifetime { get; }

    public override RowFormat Format => Encoders.All[0].Format;

    public override string VectorColumn => _head.InputColumn;

    public override int Width => _head.Width;

    /// <summary>What embeds the row.</summary>
    public FewLabelsEncoders Encoders { get; }

    /// <summary>Length of the column's vectors.</summary>
    public int ColumnWidth => _head.Dimension - Encoders.Dimension;

    public override void Compute(RowBatch rows, Span<float> results)
    {
        if (rows.Count == 0)
            return;
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var store = rows.ToStore();
        var embeddings = MemoryMarshal.Cast<byte, float>(cat([.. Encoders.All.Select(encoder => encoder.Encode(store).cpu())], 1).bytes);
        var vectors = rows.ToVectors(ColumnWidth);
        var row = new float[_head.Dimension];
        for (var i = 0; i < rows.Count; i++)
        {
            vectors.Slice(i * ColumnWidth, ColumnWidth).CopyTo(row);
            embeddings.Slice(i * Encoders.Dimension, Encoders.Dimension).CopyTo(row.AsSpan(ColumnWidth));
            _head.Predict(row, results.Slice(i * Width, Width));
        }
    }

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => _head.CreateGetter(output, row);

    /// <summary>Writes weights and settings.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        _head.WriteArchive(stream, Encoders.Describe(), Encoders.GetWeights());
    }

    public void Dispose() => Lifetime.Close();
}
