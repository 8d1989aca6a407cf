using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// A schema with added columns: one whose name exists stands right behind its namesake and hides it, the others at the end.
/// </summary>
internal sealed class ColumnBindings
{
    private readonly int[] _map;

    public ColumnBindings(DataViewSchema input, IReadOnlyList<DataViewSchema.DetachedColumn> added)
    {
        var builder = new DataViewSchema.Builder();
        var map = new List<int>();
        var behind = Enumerable.Range(0, added.Count)
            .ToLookup(i => input.GetColumnOrNull(added[i].Name) is { } column ? column.Index : input.Count);
        for (var index = 0; index <= input.Count; index++)
        {
            if (index < input.Count)
            {
                builder.AddColumns([new DataViewSchema.DetachedColumn(input[index])]);
                map.Add(index);
            }

            foreach (var output in behind[index])
            {
                builder.AddColumns([added[output]]);
                map.Add(~output);
            }
        }

        Input = input;
        Schema = builder.ToSchema();
        _map = [.. map];
    }

    public DataViewSchema Input { get; }
    public DataViewSchema Schema { get; }

    /// <summary>The input column's index, or the complement of the added column's number.</summary>
    public int Map(int column) => _map[column];

    public Func<int, bool> ActiveOutputs(bool[] active)
    {
        var outputs = Enumerable.Range(0, _map.Length).Where(i => active[i] && _map[i] < 0).Select(i => ~_map[i]).ToHashSet();
        return outputs.Contains;
    }

    public bool AnyOutput(bool[] active) => Enumerable.Range(0, _map.Length).Any(i => active[i] && _map[i] < 0);

    /// <summary>What must be active in the input.</summary>
    public DataViewSchema.Column[] Needed(bool[] active, RowMapper mapper)
    {
        var needed = new bool[Input.Count];
        for (var i = 0; i < _map.Length; i++)
        {
            if (!active[i])
            {
                continue;
            }

            foreach (var column in _map[i] >= 0 ? [_map[i]] : mapper.Dependencies(~_map[i]))
            {
                needed[column] = true;
            }
        }

        return [.. Input.Where(column => needed[column.Index])];
    }
}

/// <summary>A row with a mapper's columns added.</summary>
internal sealed class MappedRow : DataViewRow
{
    private readonly DataViewRow _input;
    private readonly ColumnBindings _bindings;
    private readonly bool[] _active;
    private readonly Delegate[] _getters;
    private readonly Action _disposer;

    public MappedRow(DataViewRow input, RowMapper mapper, ColumnBindings bindings, bool[] active)
    {
        _input = input;
        _bindings = bindings;
        _active = active;
        _getters = mapper.MakeGetters(input, bindings.ActiveOutputs(active), out _disposer);
    }

    public override DataViewSchema Schema => _bindings.Schema;
    public override long Position => _input.Position;
    public override long Batch => _input.Batch;

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];
    public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Getters.CheckActive(column.Index < _active.Length && _active[column.Index]);
        var source = _bindings.Map(column.Index);
        return source >= 0 ? _input.GetGetter<TValue>(_bindings.Input[source]) : Getters.Cast<TValue>(_getters[~source], column);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _disposer?.Invoke();
            _input.Dispose();
        }
    }
}

/// <summary>A cursor that walks another and shows its rows in another way.</summary>
internal sealed class RowCursor(DataViewRowCursor input, DataViewRow view) : DataViewRowCursor
{
    public override DataViewSchema Schema => view.Schema;
    public override long Position => view.Position;
    public override long Batch => view.Batch;

    public override bool MoveNext() => input.MoveNext();
    public override bool IsColumnActive(DataViewSchema.Column column) => view.IsColumnActive(column);
    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => view.GetGetter<TValue>(column);
    public override ValueGetter<DataViewRowId> GetIdGetter() => view.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            view.Dispose();
            input.Dispose();
        }
    }
}

/// <summary>A view with a mapper's columns added; nothing is computed before a getter is called.</summary>
internal sealed class MappedDataView : IDirectDataView
{
    private readonly IDataView _input;
    private readonly RowMapper _mapper;
    private readonly ColumnBindings _bindings;

    public MappedDataView(IDataView input, RowMapper mapper)
    {
        _input = input;
        _mapper = mapper;
        _bindings = new ColumnBindings(input.Schema, mapper.Outputs);
    }

    public bool CanShuffle => _input.CanShuffle;
    public DataViewSchema Schema => _bindings.Schema;

    public long? GetRowCount() => _input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        WorkerCursor.Over(this, columnsNeeded, rand);

    public (DataViewRowCursor Cursor, bool Computes) GetDirectCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand)
    {
        var active = Getters.Active(columnsNeeded, Schema);
        var (cursor, computes) = WorkerCursor.Direct(_input, _bindings.Needed(active, _mapper), rand);
        return (Wrap(cursor, active), computes || _bindings.AnyOutput(active));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        var active = Getters.Active(columnsNeeded, Schema);
        return [.. _input.GetRowCursorSet(_bindings.Needed(active, _mapper), n, rand).Select(cursor => Wrap(cursor, active))];
    }

    private RowCursor Wrap(DataViewRowCursor cursor, bool[] active) => new(cursor, new MappedRow(cursor, _mapper, _bindings, active));
}

/// <summary>A mapper for single rows.</summary>
internal sealed class RowToRowMapper : IRowToRowMapper
{
    private readonly RowMapper _mapper;
    private readonly ColumnBindings _bindings;

    public RowToRowMapper(RowMapper mapper)
    {
        _mapper = mapper;
        _bindings = new ColumnBindings(mapper.InputSchema, mapper.Outputs);
    }

    public DataViewSchema InputSchema => _bindings.Input;
    public DataViewSchema OutputSchema => _bindings.Schema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        _bindings.Needed(Getters.Active(dependingColumns, OutputSchema), _mapper);

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        Contracts.CheckValue(null, input, nameof(input));
        return new MappedRow(input, _mapper, _bindings, Getters.Active(activeColumns, OutputSchema));
    }
}

/// <summary>Mappers one after the other.</summary>
internal sealed class CompositeRowToRowMapper(DataViewSchema inputSchema, IRowToRowMapper[] mappers) : IRowToRowMapper
{
    public DataViewSchema InputSchema { get; } = inputSchema;
    public DataViewSchema OutputSchema => mappers.Length == 0 ? InputSchema : mappers[^1].OutputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        for (var i = mappers.Length - 1; i >= 0; i--)
        {
            dependingColumns = mappers[i].GetDependencies(dependingColumns);
        }

        return dependingColumns;
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        Contracts.CheckValue(null, input, nameof(input));
        var active = new IEnumerable<DataViewSchema.Column>[mappers.Length];
        for (var i = mappers.Length - 1; i >= 0; i--)
        {
            active[i] = activeColumns;
            activeColumns = mappers[i].GetDependencies(activeColumns).ToArray();
        }

        for (var i = 0; i < mappers.Length; i++)
        {
            input = mappers[i].GetRow(input, active[i]);
        }

        return input;
    }
}
