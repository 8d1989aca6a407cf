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
        foreach (var kept in ReadRows(data, settings, rows, settings.CancellationToken))
        {
            if (!kept)
                left++;
            else if (rows.Sum(r => r.Bytes) > settings.CacheLimit || rows.Any(r => r.IsFull))
                return new StreamedTextBatchSource(data, settings);
        }
        return new CachedTextBatchSource(rows, left, settings);
    }

    private protected static TokenRows[] NewRows(Settings settings) => [.. settings.Columns.Select(_ => new TokenRows())];

    /// <summary>Tokenises row by row into <paramref name="target"/>; yields whether the row was kept.</summary>
    private protected static IEnumerable<bool> ReadRows(IDataView data, Settings settings, TokenRows[] target, CancellationToken cancellationToken)
    {
        using var cursor = new TextColumns.Cursor(data, settings.Columns);
        var tokens = settings.Columns.Select(_ => new List<int>()).ToArray();
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var kept = true;
            for (var i = 0; i < tokens.Length && kept; i++)
            {
                tokens[i].Clear();
                kept = settings.Tokenizer.Encode(cursor[i].Span, tokens[i], settings.MaximumTokens, settings.AddSpecialTokens) > 0;
            }
            if (kept)
            {
                for (var i = 0; i < tokens.Length; i++)
                    target[i].Add(tokens[i]);
            }
            yield return kept;
        }
    }

    /// <summary>The batches of these rows, in this order.</summary>
    private protected IEnumerable<IReadOnlyList<Batch>> Cut(TokenRows[] rows, int[] order, bool dropLast)
    {
        Func<int, int>? length = Options.GroupByLength ? rows[0].Length : null;
        foreach (var batch in BatchOrder.Cut(order, Options.BatchSize, dropLast, length, Options.Shuffle))
            yield return [.. rows.Select(r => r.ToBatch(batch, Options.Tokenizer.Vocabulary.PaddingId))];
    }

    private protected static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static void Discard(IReadOnlyList<Batch> batches)
    {
        foreach (var batch in batches)
            batch.Dispose();
    }
}

/// <summary>All rows in memory: a new random order every epoch.</summary>
internal sealed class CachedTextBatchSource : TextBatchSource
{
    private readonly TokenRows[] _rows;
    private readonly long _empty;

    public CachedTextBatchSource(TokenRows[] rows, long empty, Settings settings) : base(settings)
    {
        _rows = rows;
        _empty = empty;
    }

    public override long? RowCount => _rows[0].Count;

    public override string Describe()
        => $"{Number(_rows[0].Count)} rows, {Number(_rows.Sum(r => r.TokenCount))} tokens in memory"
            + (_empty > 0 ? $"; {Number(_empty)} rows with empty text left out" : "");

    private protected override IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken)
        => Cut(_rows, BatchOrder.Shuffled(_rows[0].Count, Options.Shuffle), DropLast);
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

    public override string Describe() => $"the tokens outgrow CacheLimit ({Number(Options.CacheLimit)} bytes): rows are streamed every epoch, "
        + $"shuffled within {Number(Options.ShuffleBufferSize)} rows";

    private protected override IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken)
    {
        var capacity = Math.Max(Options.ShuffleBufferSize, 2 * Options.BatchSize);
        var buffer = NewRows(Options);
        long count = 0;
        foreach (var kept in ReadRows(_data, Options, buffer, cancellationToken))
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
