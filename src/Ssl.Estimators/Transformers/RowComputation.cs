using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// What a batched stage computes: some numbers for every row, from which its output columns are made. The output columns stand behind
/// all input columns. Any number of threads may compute at once.
/// </summary>
internal abstract class RowComputation
{
    /// <summary>How rows are read and stored; null reads <see cref="InputColumns"/> as they are.</summary>
    public virtual RowFormat? Format => null;

    /// <summary>The columns that are read, in the order in which <see cref="RawRow"/> brings their values.</summary>
    public virtual IReadOnlyList<string> InputColumns => Format!.Columns;

    /// <summary>A column of vectors that is read beside those of the <see cref="Format"/>; null for none.</summary>
    public virtual string? VectorColumn => null;

    /// <summary>While it can compute; null where nothing can be disposed of.</summary>
    public virtual Lifetime? Lifetime => null;

    /// <summary>Adds up what rows lose because an encoder takes no more; null where nobody asks.</summary>
    public virtual TruncationCounter? Truncation => null;

    /// <summary>Numbers a row.</summary>
    public abstract int Width { get; }

    /// <summary>The columns to ask a view for.</summary>
    public IEnumerable<DataViewSchema.Column> ActiveColumns(DataViewSchema schema)
        => (Format?.ActiveColumns(schema) ?? InputColumns.Select(name => schema[name]))
            .Concat(VectorColumn is { } vectors ? [schema[vectors]] : Array.Empty<DataViewSchema.Column>());

    /// <summary>Room for rows that are read for it.</summary>
    /// <param name="input">A row or cursor in which the <see cref="ActiveColumns"/> are active.</param>
    /// <param name="capacity">Rows at most.</param>
    /// <param name="notices">Told what of the rows differs from what was learned, and what they lose; null for <see cref="Truncation"/> alone.</param>
    public RowBatch CreateBatch(DataViewRow input, int capacity, RowNotices? notices = null)
        => new(input, Format, InputColumns, VectorColumn, capacity, notices ?? new RowNotices(Truncation));

    /// <summary>Adds up what the rows of one view or engine lose, and warns once; null where none can lose anything.</summary>
    /// <param name="settings">Where warnings go.</param>
    public TruncationCounter? CountTruncation(ScoringSettings? settings) => settings is null || Format is not { Truncates: true } format ? null
        : new TruncationCounter(Truncation, counts => settings.Warn(format.DescribeLoss(counts)!));

    /// <summary>Computes rows together.</summary>
    /// <param name="rows">The rows, which <see cref="CreateBatch"/> made room for; their memory is not kept.</param>
    /// <param name="results">Takes rows.Count x <see cref="Width"/> values, row after row.</param>
    public abstract void Compute(RowBatch rows, Span<float> results);

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

/// <summary>A computation that finds in every row as much as there is: an object a row, of which nothing is kept for later passes.</summary>
internal abstract class FindingComputation : RowComputation
{
    /// <summary>None: what is found has no fixed size.</summary>
    public sealed override int Width => 0;

    public sealed override void Compute(RowBatch rows, Span<float> results) => throw new NotSupportedException("It gives objects.");

    public sealed override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => throw new NotSupportedException("It gives objects.");

    /// <summary>Computes rows together.</summary>
    /// <param name="rows">The rows, which <see cref="RowComputation.CreateBatch"/> made room for; their memory is not kept.</param>
    /// <param name="found">Takes one object a row.</param>
    public abstract void Find(RowBatch rows, Span<object?> found);

    /// <summary>A getter of an output column, of the column's own raw type.</summary>
    /// <param name="output">Number of the output column, from 0.</param>
    /// <param name="row">Gives what was found in the row on which the consumer stands.</param>
    public abstract Delegate CreateGetter(int output, Func<object> row);

    /// <summary>A getter of a vector of varying size.</summary>
    /// <param name="row">Gives its values.</param>
    protected static ValueGetter<VBuffer<T>> VectorGetter<T>(Func<IReadOnlyList<T>> row) => (ref VBuffer<T> value) =>
    {
        var values = row();
        var editor = VBufferEditor.Create(ref value, values.Count);
        if (values is T[] array)
        {
            array.CopyTo(editor.Values);
        }
        else
        {
            for (var i = 0; i < values.Count; i++)
                editor.Values[i] = values[i];
        }
        value = editor.Commit();
    };
}

/// <summary>An encoder's one output column: the embedding.</summary>
internal sealed class EmbeddingComputation(EncoderModel model) : RowComputation
{
    public override RowFormat Format => model.Format;

    public override Lifetime Lifetime => model.Lifetime;

    public override TruncationCounter Truncation => model.Truncation;

    public override int Width => model.OutputWidth;

    public override void Compute(RowBatch rows, Span<float> results) => model.Embed(rows.ToStore(), results);

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => VectorGetter(row);
}
