using System.Globalization;
using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;

namespace Ssl.Estimators.Data;

/// <summary>
/// Token batches of text columns. Rows in which any of the texts is empty are left out. The rows are tokenised once and kept as
/// <see cref="TokenRows"/>; if they outgrow the limit they are read and tokenised anew every epoch, through a shuffle buffer.
/// </summary>
internal abstract class TextBatchSource : IBatchSource
{
    private const int BatchesAhead = 2;

    private protected TextBatchSource(Settings settings) => Options = settings;

    /// <summary>How rows are read and cut into batches.</summary>
    internal sealed class Settings
    {
        public required IReadOnlyList<string> Columns { get; init; }
        public required WordPieceTokenizer Tokenizer { get; init; }
        public required int MaximumTokens { get; init; }
        public required bool AddSpecialTokens { get; init; }
        public required int BatchSize { get; init; }
        public required int MinimumBatchRows { get; init; }
        public required bool GroupByLength { get; init; }
        public required long CacheLimit { get; init; }
        public required int ShuffleBufferSize { get; init; }
        public required Random Shuffle { get; init; }
        public required CancellationToken CancellationToken { get; init; }

        /// <summary>The column to learn to predict; null for pretraining. With one, all rows are held in memory.</summary>
        public LabelColumn? Label { get; init; }
    }

    public abstract long? RowCount { get; }

    public long? BatchesPerEpoch => RowCount is { } rows ? BatchOrder.Count(rows, Options.BatchSize, DropLast) : null;

    private protected Settings Options { get; }

    // A contrastive step on a few left-over rows would have few negatives and a gradient of its own.
    private protected bool DropLast => Options.MinimumBatchRows > 1;

    /// <summary>One line for the log: rows, tokens, and where they are kept.</summary>
    public abstract string Describe();

    public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
        => Prefetch.Run(Batches(cancellationToken), BatchesAhead, Discard, cancellationToken);

    private protected abstract IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken);

    /// <summary>Reads the rows into memory if they fit, else prepares to stream them.</summary>
    public static TextBatchSource Create(IDataView data, Settings settings)
    {
        var rows = NewRows(settings);
        long left = 0;
        foreach (var kept in ReadRows(data, settings, rows, null, settings.CancellationToken))
        {
            if (!kept)
                left++;
            else if (rows.Sum(r => r.Bytes) > settings.CacheLimit || rows.Any(r => r.IsFull))
                return new StreamedTextBatchSource(data, settings);
        }
        return new CachedTextBatchSource(rows, null, left, settings);
    }

    /// <summary>Reads rows and labels into memory; rows without a label are left out.</summary>
    /// <exception cref="InvalidOperationException">They do not fit one array.</exception>
    public static CachedTextBatchSource CreateLabelled(IDataView data, Settings settings)
    {
        var (rows, labels) = (NewRows(settings), new List<float>());
        long left = 0;
        foreach (var kept in ReadRows(data, settings, rows, labels, settings.CancellationToken))
        {
            if (!kept)
                left++;
            if (rows.Any(r => r.IsFull))
                throw new InvalidOperationException(
                    $"The labelled rows have more tokens than one array holds ({Number(Array.MaxLength)}). Give Fit fewer rows.");
        }
        return new CachedTextBatchSource(rows, labels, left, settings);
    }

    private protected static TokenRows[] NewRows(Settings settings) => [.. settings.Columns.Select(_ => new TokenRows())];

    /// <summary>Tokenises row by row into <paramref name="target"/>; yields whether the row was kept.</summary>
    /// <remarks>Labels, where asked for, go to <paramref name="labels"/>; a row whose label is not finite is not kept.</remarks>
    private protected static IEnumerable<bool> ReadRows(IDataView data, Settings settings, TokenRows[] target, List<float>? labels,
        CancellationToken cancellationToken)
    {
        using var cursor = new TextColumns.Cursor(data, settings.Columns, labels is null ? null : settings.Label);
        var tokens = settings.Columns.Select(_ => new List<int>()).ToArray();
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var kept = labels is null || float.IsFinite(cursor.Label);
            for (var i = 0; i < tokens.Length && kept; i++)
            {
                tokens[i].Clear();
                kept = settings.Tokenizer.Encode(cursor[i].Span, tokens[i], settings.MaximumTokens, settings.AddSpecialTokens) > 0;
            }
            if (kept)
            {
                for (var i = 0; i < tokens.Length; i++)
                    target[i].Add(tokens[i]);
                labels?.Add(cursor.Label);
            }
            yield return kept;
        }
    }

    /// <summary>The batches of these rows, in this order.</summary>
    private protected IEnumerable<IReadOnlyList<Batch>> Cut(TokenRows[] rows, int[] order, bool dropLast)
    {
        Func<int, int>? length = Options.GroupByLength ? rows[0].Length : null;
        foreach (var batch in BatchOrder.Cut(order, Options.BatchSize, dropLast, length, Options.Shuffle))
            yield return ToBatches(rows, batch);
    }

    /// <summary>One batch a column, of these rows.</summary>
    private protected List<Batch> ToBatches(TokenRows[] rows, ArraySegment<int> batch)
        => [.. rows.Select(r => r.ToBatch(batch, Options.Tokenizer.Vocabulary.PaddingId))];

    private protected static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static void Discard(IReadOnlyList<Batch> batches)
    {
        foreach (var batch in batches)
            batch.Dispose();
    }
}

/// <summary>
/// Rows beyond the cache limit: read and tokenised every epoch. Half of the shuffle buffer is used at a time and half stays,
/// so that a row can wait for several rounds: neighbours in the file end up apart.
/// </summary>
internal sealed class StreamedTextBatchSource : TextBatchSource
{
    private readonly IDataView _data;
    private long? _rowCount;

    public StreamedTextBatchSource(IDataView data, Settings settings) : base(settings) => _data = data;

    /// <summary>Known after the first epoch.</summary>
    public override long? RowCount => _rowCount;

    public override string Describe()
        => $"the tokens outgrow CacheLimit ({Number(Options.CacheLimit)} bytes): rows are streamed every epoch, "
        + $"shuffled within {Number(Options.ShuffleBufferSize)} rows";

    private protected override IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken)
    {
        var capacity = Math.Max(Options.ShuffleBufferSize, 2 * Options.BatchSize);
        var buffer = NewRows(Options);
        long count = 0;
        foreach (var kept in ReadRows(_data, Options, buffer, null, cancellationToken))
        {
            if (!kept)
                continue;
            count++;
            if (buffer[0].Count < capacity)
                continue;
            var order = BatchOrder.Shuffled(buffer[0].Count, Options.Shuffle);
            // Whole batches only: the rest waits in the half that stays.
            var used = capacity / 2 / Options.BatchSize * Options.BatchSize;
            foreach (var batch in Cut(buffer, order[..used], dropLast: false))
                yield return batch;
            Keep(buffer, order.AsSpan(used));
        }
        foreach (var batch in Cut(buffer, BatchOrder.Shuffled(buffer[0].Count, Options.Shuffle), DropLast))
            yield return batch;
        _rowCount = count;
    }

    // In place of the old rows: ReadRows goes on filling the same objects.
    private static void Keep(TokenRows[] buffer, ReadOnlySpan<int> rows)
    {
        foreach (var column in buffer)
            column.KeepOnly(rows);
    }
}
