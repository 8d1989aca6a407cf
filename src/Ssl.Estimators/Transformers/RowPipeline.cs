using Microsoft.ML;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// Blocks of rows on their way through the encoder: while the consumer works on one, the next ones are computed on
/// <see cref="ComputeThreads"/>. Rows are read on the consumer's thread: cursors are not shared.
/// </summary>
/// <remarks>Nothing is read ahead before the second block is asked for, so a preview of ten rows stays cheap.</remarks>
internal sealed class RowPipeline : IDisposable
{
    private readonly DataViewRowCursor _input;
    private readonly ComputeThreads _threads = ComputeThreads.ForThisThread();
    private readonly RowBlock[] _blocks;
    private readonly RowMemo.Pass? _memo;
    private readonly Queue<Task> _pending = new();
    private bool _started;
    private bool _inputEnded;

    /// <summary>Blocks of the rows of a cursor, which belongs to the pipeline from now on.</summary>
    /// <param name="input">Stands before its first row.</param>
    /// <param name="computation">What is computed.</param>
    /// <param name="passThrough">Columns that are served as they are.</param>
    /// <param name="batchSize">Rows a block.</param>
    /// <param name="memo">Has what was computed before, and keeps what is computed now; may be null.</param>
    /// <param name="notices">Told what of the rows differs from what was learned.</param>
    public RowPipeline(DataViewRowCursor input, RowComputation computation, IReadOnlyList<DataViewSchema.Column> passThrough, int batchSize,
        RowMemo.Pass? memo, RowNotices notices)
    {
        (_input, _memo) = (input, memo);
        _blocks = new RowBlock[_threads.Count + 2];                                     // served, waiting for a thread, one a thread
        for (var i = 0; i < _blocks.Length; i++)
            _blocks[i] = new RowBlock(input, computation, passThrough, batchSize, memo, notices);
    }

    /// <summary>Which block is <see cref="Current"/>.</summary>
    public int CurrentIndex { get; private set; }

    /// <summary>The block whose rows are served; empty before the first and after the last.</summary>
    public RowBlock Current => _blocks[CurrentIndex];

    /// <summary>The buffers of one pass-through column, by block.</summary>
    public ColumnBuffer<T>[] Columns<T>(int index) => [.. _blocks.Select(block => block.Column<T>(index))];

    /// <summary>Goes on to the next block; false after the last.</summary>
    public bool MoveNext()
    {
        if (_pending.TryDequeue(out var task))
        {
            CurrentIndex = (CurrentIndex + 1) % _blocks.Length;
            task.GetAwaiter().GetResult();
        }
        else if (_inputEnded)
        {
            Current.Clear();
            _memo?.Finish();
            return false;
        }
        else
        {
            Fill(Current);
            if (Current.Count == 0)
            {
                _memo?.Finish();
                return false;
            }
            Current.Compute();
        }
        // Here, not where it was computed: in the order of the rows, and on the thread of the pass.
        Current.Keep();
        if (_started)
            ComputeAhead();
        _started = true;
        return true;
    }

    public void Dispose()
    {
        // The tasks use the blocks: they must be over before the input goes. Nobody waits for their errors; what they computed of the next
        // rows, up to the first that failed, is kept for the next pass.
        try { Task.WhenAll(_pending).GetAwaiter().GetResult(); }
        catch (Exception) { /* the consumer leaves */ }
        for (var next = 1; _pending.TryDequeue(out var task) && task.IsCompletedSuccessfully; next++)
            _blocks[(CurrentIndex + next) % _blocks.Length].Keep();
        _pending.Clear();
        _inputEnded = true;
        _input.Dispose();
    }

    private void ComputeAhead()
    {
        while (_pending.Count < _blocks.Length - 1 && !_inputEnded)
        {
            var block = _blocks[(CurrentIndex + 1 + _pending.Count) % _blocks.Length];
            Fill(block);
            if (block.Count > 0)
                _pending.Enqueue(_threads.Run(block.Compute));
        }
    }

    private void Fill(RowBlock block) => _inputEnded = !block.Fill(_input);
}
