using System.Collections.Concurrent;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A view that can hand out its cursor as it is, for another view to build on.</summary>
internal interface IDirectDataView : IDataView
{
    /// <summary>The cursor, and whether anything is computed in it.</summary>
    (DataViewRowCursor Cursor, bool Computes) GetDirectCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand);
}

/// <summary>
/// Runs a cursor on a worker thread, some rows ahead, in order. Like the real package, whose transforms split and consolidate their
/// sources over threads: a source sees its rows fetched on another thread than its cursor was made on, and its errors come wrapped.
/// </summary>
internal sealed class WorkerCursor : DataViewRowCursor
{
    private const int BlockRows = 64;
    private const int Blocks = 3;
    private readonly DataViewRowCursor _source;
    private readonly Pipe[] _pipes;
    private readonly ValueGetter<DataViewRowId> _sourceId;
    private readonly BlockingCollection<Block> _full = [];
    private readonly BlockingCollection<Block> _free = [];
    private Task _worker;
    private Exception _failure;
    private Block _current;
    private int _row = -1;
    private bool _done;

    public WorkerCursor(DataViewRowCursor source)
    {
        _source = source;
        _sourceId = source.GetIdGetter();
        _pipes = [.. source.Schema.Select(column => source.IsColumnActive(column)
            ? Getters.Call<Pipe>((Func<DataViewRow, DataViewSchema.Column, Pipe>)Pipe.Create<int>, column.Type.RawType, source, column)
            : null)];
        for (var i = 0; i < Blocks; i++)
        {
            _free.Add(new Block(_pipes));
        }
    }

    public override DataViewSchema Schema => _source.Schema;
    public override long Position => _row < 0 ? -1 : _current.Positions[_row];
    public override long Batch => _row < 0 ? 0 : _current.Batches[_row];

    private int Row
    {
        get
        {
            Contracts.Check(null, _row >= 0, "Values cannot be fetched unless the cursor returned true from the last call to MoveNext");
            return _row;
        }
    }

    /// <summary>The cursor of a view, on a worker if anything is computed in it.</summary>
    public static DataViewRowCursor Over(IDirectDataView view, IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand)
    {
        var (cursor, computes) = view.GetDirectCursor(columnsNeeded, rand);
        return computes && columnsNeeded.All(CanWait) ? new WorkerCursor(cursor) : cursor;
    }

    // Values of other types (images) cannot be copied into the rows that wait, so the real package stays on the caller's thread, too.
    private static bool CanWait(DataViewSchema.Column column) => column.Type is PrimitiveDataViewType or VectorDataViewType;

    /// <summary>What a view builds on: the plain cursor where there is one.</summary>
    public static (DataViewRowCursor Cursor, bool Computes) Direct(
        IDataView view,
        IEnumerable<DataViewSchema.Column> columnsNeeded,
        Random rand) =>
        view is IDirectDataView direct ? direct.GetDirectCursor(columnsNeeded, rand) : (view.GetRowCursor(columnsNeeded, rand), false);

    public override bool MoveNext()
    {
        if (_done)
        {
            return false;
        }

        // A thread of its own: it waits, and the pool's few threads must not.
        _worker ??= Task.Factory.StartNew(Produce, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (_current != null && _row + 1 < _current.Count)
        {
            _row++;
            return true;
        }

        if (_current != null)
        {
            _free.Add(_current);
            _current = null;
        }

        _row = -1;
        if (_full.TryTake(out _current, Timeout.Infinite))
        {
            _row = 0;
            return true;
        }

        _done = true;
        if (_failure != null)
        {
            throw Contracts.Except(null, "Splitter/consolidator worker encountered exception while consuming source data", _failure);
        }

        return false;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => _pipes[column.Index] != null;

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Getters.CheckActive(column.Index < _pipes.Length && _pipes[column.Index] != null);
        return Getters.Cast<TValue>(_pipes[column.Index].MakeGetter(this, column.Index), column);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _current.Ids[Row];

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _done = true;
            _row = -1;
            _free.CompleteAdding();
            _worker?.Wait();
            _source.Dispose();
        }
    }

    private void Produce()
    {
        try
        {
            for (var more = true; more && _free.TryTake(out var block, Timeout.Infinite);)
            {
                for (block.Count = 0; block.Count < BlockRows && !_free.IsAddingCompleted && (more = _source.MoveNext()); block.Count++)
                {
                    Fill(block, block.Count);
                }

                if (block.Count > 0)
                {
                    _full.Add(block);
                }
            }
        }
        catch (Exception e)
        {
            _failure = e;
        }
        finally
        {
            _full.CompleteAdding();
        }
    }

    private void Fill(Block block, int row)
    {
        block.Positions[row] = _source.Position;
        block.Batches[row] = _source.Batch;
        _sourceId(ref block.Ids[row]);
        for (var i = 0; i < _pipes.Length; i++)
        {
            _pipes[i]?.Fill(block.Values[i], row);
        }
    }

    private sealed class Block(Pipe[] pipes)
    {
        public readonly long[] Positions = new long[BlockRows];
        public readonly long[] Batches = new long[BlockRows];
        public readonly DataViewRowId[] Ids = new DataViewRowId[BlockRows];
        public readonly Array[] Values = [.. pipes.Select(pipe => pipe?.NewValues(BlockRows))];
        public int Count;
    }

    private abstract class Pipe
    {
        public static Pipe Create<T>(DataViewRow row, DataViewSchema.Column column) => new Pipe<T>(row.GetGetter<T>(column));

        public abstract Array NewValues(int count);
        public abstract void Fill(Array values, int row);
        public abstract Delegate MakeGetter(WorkerCursor owner, int column);
    }

    private sealed class Pipe<T>(ValueGetter<T> source) : Pipe
    {
        // Buffers of vectors are reused; an object that was handed on belongs to someone else by now.
        private static readonly bool _reuse = typeof(T).IsGenericType && typeof(T).GetGenericTypeDefinition() == typeof(VBuffer<>);

        public override Array NewValues(int count) => new T[count];

        public override void Fill(Array values, int row)
        {
            ref var value = ref ((T[])values)[row];
            if (!_reuse)
            {
                value = default;
            }

            source(ref value);
        }

        public override Delegate MakeGetter(WorkerCursor owner, int column)
        {
            var copy = Getters.CopierOf<T>();
            return (ValueGetter<T>)((ref T value) =>
            {
                var row = owner.Row;
                copy(in ((T[])owner._current.Values[column])[row], ref value);
            });
        }
    }
}
