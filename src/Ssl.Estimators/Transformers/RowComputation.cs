using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// What a batched stage computes: some numbers for every row, from which its output columns are made. The output columns stand behind
/// all input columns. Any number of threads may compute at once.
/// </summary>
internal abstract class RowComputation
{
    /// <summary>The columns that are read, in the order in which <see cref="RawRow"/> brings their values.</summary>
    public abstract IReadOnlyList<string> InputColumns { get; }

    /// <summary>For each of <see cref="InputColumns"/>, which part of a <see cref="RawRow"/> brings it.</summary>
    public abstract IReadOnlyList<InputKind> InputKinds { get; }

    /// <inheritdoc cref="EncoderModel.Images"/>
    public virtual ImageInput? Images => null;

    /// <summary>While it can compute; null where nothing can be disposed of.</summary>
    public virtual Lifetime? Lifetime => null;

    /// <summary>Numbers a row.</summary>
    public abstract int Width { get; }

    /// <summary>Computes rows as one batch.</summary>
    /// <param name="rows">The rows; their memory is not kept.</param>
    /// <param name="results">Takes rows.Length x <see cref="Width"/> values, row after row.</param>
    public abstract void Compute(ReadOnlySpan<RawRow> rows, Span<float> results);

    /// <summary>A getter of an output column, of the column's own raw type.</summary>
    /// <param name="output">Number of the output column, from 0.</param>
    /// <param name="row">Gives the numbers of the row on which the consumer stands.</param>
    public abstract Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row);

    /// <summary>A getter of the numbers as one vector.</summary>
    /// <param name="row">Gives the numbers.</param>
    protected static ValueGetter<VBuffer<float>> VectorGetter(Func<ReadOnlyMemory<float>> row) => (ref VBuffer<float> value) =>
    {
        var numbers = row().Span;
        var editor = VBufferEditor.Create(ref value, numbers.Length);
        numbers.CopyTo(editor.Values);
        value = editor.Commit();
    };
}

/// <summary>An encoder's one output column: the embedding.</summary>
internal sealed class EmbeddingComputation(EncoderModel model) : RowComputation
{
    public override IReadOnlyList<string> InputColumns => model.InputColumns;

    public override IReadOnlyList<InputKind> InputKinds => model.InputKinds;

    public override ImageInput? Images => model.Images;

    public override Lifetime Lifetime => model.Lifetime;

    public override int Width => model.OutputWidth;

    public override void Compute(ReadOnlySpan<RawRow> rows, Span<float> results) => model.Embed(rows, results);

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => VectorGetter(row);
}
