using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>Windows to train on, in memory: the tokens of each and a target for every token. A new random order every epoch.</summary>
/// <param name="paddingId">Fills short windows up.</param>
/// <param name="batchSize">Windows a step.</param>
/// <param name="shuffle">Gives the order.</param>
/// <param name="hasWords">Whether tokens have the numbers of their words.</param>
internal sealed class TokenWindows(int paddingId, int batchSize, Random shuffle, bool hasWords = false) : IBatchSource
{
    /// <summary>The target of a token that has none.</summary>
    public const int Ignored = -100;

    private readonly TokenRows _tokens = new(paddingId);
    private readonly RaggedRows<int> _targets = new();
    private readonly RaggedRows<int> _words = new();
    private readonly List<int> _rows = [];
    private int[]? _chosen;

    /// <summary>Windows held.</summary>
    public int Count => _chosen?.Length ?? _tokens.Count;

    /// <summary>Tokens held, over all windows.</summary>
    public long TokenCount => _tokens.TokenCount;

    public long? RowCount => Count;

    /// <summary>Adds a window.</summary>
    /// <param name="row">Number of the row that it is of.</param>
    /// <param name="ids">Its tokens.</param>
    /// <param name="targets">As many targets.</param>
    /// <param name="words">As many numbers of words, 0 for none; empty where tokens have none.</param>
    public void Add(int row, ReadOnlySpan<int> ids, ReadOnlySpan<int> targets, ReadOnlySpan<int> words = default)
    {
        if (_tokens.IsFull)
            throw new InvalidOperationException($"The labeled rows have more content ({_tokens.Content}) than one array holds. Give Fit fewer rows.");
        _tokens.Add(ids);
        targets.CopyTo(_targets.Add(targets.Length));
        words.CopyTo(_words.Add(words.Length));
        _rows.Add(row);
    }

    /// <summary>The windows of some rows, in the same memory.</summary>
    /// <param name="rows">Numbers of rows.</param>
    public TokenWindows Of(IReadOnlySet<int> rows)
    {
        var part = new TokenWindows(this, paddingId, batchSize, shuffle, hasWords)
        {
            _chosen = [.. Enumerable.Range(0, _rows.Count).Where(window => rows.Contains(_rows[window]))],
        };
        return part;
    }

    private TokenWindows(TokenWindows all, int paddingId, int batchSize, Random shuffle, bool hasWords) : this(paddingId, batchSize, shuffle, hasWords)
        => (_tokens, _targets, _words, _rows) = (all._tokens, all._targets, all._words, all._rows);

    public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
    {
        var order = Order();
        shuffle.Shuffle(order);
        // Windows of similar length together: less padding.
        return Prefetch.Run(Batches(BatchOrder.Cut(order, batchSize, dropLast: false, _tokens.Length, shuffle)), 2,
            static columns => columns.ToList().ForEach(column => column.Dispose()), cancellationToken);
    }

    /// <summary>All windows in their order; nothing is drawn at random.</summary>
    public IEnumerable<IReadOnlyList<Batch>> InOrder() => Batches(BatchOrder.Even(Order(), batchSize));

    private int[] Order() => _chosen is null ? [.. Enumerable.Range(0, _tokens.Count)] : [.. _chosen];

    private IEnumerable<IReadOnlyList<Batch>> Batches(IEnumerable<ArraySegment<int>> batches)
        => batches.Select(batch => (IReadOnlyList<Batch>)
            [hasWords ? new NumberedTokenBatch(_tokens.ToBatch(batch), Cells(_words, batch, 0)) : _tokens.ToBatch(batch),
                new LabelBatch(Cells(_targets, batch, Ignored))]);

    // Int64 [N, L], filled up.
    private Tensor Cells(RaggedRows<int> rows, ReadOnlySpan<int> windows, long filling)
    {
        var longest = _tokens.Longest(windows);
        var cells = empty(windows.Length, longest, dtype: ScalarType.Int64);
        var values = MemoryMarshal.Cast<byte, long>(cells.bytes);
        values.Fill(filling);
        for (var i = 0; i < windows.Length; i++)
        {
            var row = rows[windows[i]];
            for (var j = 0; j < row.Length; j++)
                values[i * longest + j] = row[j];
        }
        return cells;
    }
}
