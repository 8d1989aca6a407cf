using Microsoft.ML;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Transformers;

/// <summary>The input and the columns of an encoder, computed batch by batch as rows are asked for.</summary>
internal sealed class EncodedDataView : IDataView
{
    private readonly IDataView _input;
    private readonly RowComputation _computation;
    private readonly int _batchSize;
    private readonly RowMemo? _memo;
    private readonly ScoringSettings? _settings;
    private readonly TruncationCounter? _truncation;
    private readonly Lock _telling = new();
    private bool _toldOfSome, _toldOfAll;

    /// <summary>A view whose output columns stand behind those of the input.</summary>
    /// <param name="input">The rows.</param>
    /// <param name="schema">The input's columns, then the computation's.</param>
    /// <param name="computation">What is computed.</param>
    /// <param name="batchSize">Rows at once.</param>
    /// <param name="settings">Whether and how results are kept, and where to warn; null computes in every pass.</param>
    public EncodedDataView(IDataView input, DataViewSchema schema, RowComputation computation, int batchSize,
        ScoringSettings? settings = null)
    {
        _input = input;
        _computation = computation;
        _batchSize = batchSize;
        _settings = settings;
        _truncation = computation.CountTruncation(settings);
        Schema = schema;
        if (settings is { MemoryLimit: > 0 } && computation is not FindingComputation)
            _memo = new RowMemo(computation.Width, settings, !input.CanShuffle, schema[input.Schema.Count].Name);
    }

    /// <summary>The view as a stage gives it: one that ConvertToOnnx does not pass over.</summary>
    /// <inheritdoc cref="EncodedDataView(IDataView, DataViewSchema, RowComputation, int, ScoringSettings?)"/>
    public static IDataView Of(IDataView input, DataViewSchema schema, RowComputation computation, int batchSize, ScoringSettings? settings = null)
        => StageView.Of(new EncodedDataView(input, schema, computation, batchSize, settings), input, $"the stage of column '{schema[input.Schema.Count].Name}'");

    public DataViewSchema Schema { get; }

    public bool CanShuffle => _input.CanShuffle;

    public long? GetRowCount() => _input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new bool[Schema.Count];
        foreach (var column in columnsNeeded)
            active[column.Index] = true;
        var needed = _input.Schema.Where(c => active[c.Index]);
        if (!active.AsSpan(_input.Schema.Count).Contains(true))
            return new PassThroughCursor(_input.GetRowCursor(needed, rand), Schema, active);

        if (_computation.Lifetime is { IsClosed: true } lifetime)
        {
            _memo?.Stop();
            lifetime.ThrowIfClosed();
        }
        var all = needed.Concat(_computation.ActiveColumns(_input.Schema)).DistinctBy(c => c.Index);
        if (_memo is not { IsComplete: true })
            return new EncoderCursor(_computation, _input.GetRowCursor(all, rand), Schema, active, _batchSize, _memo?.Begin(),
                new RowNotices(_truncation ?? _computation.Truncation), Tell);
        // Loaders parse, and mappings map, what is asked for, read or not: so it is not asked for. A shuffled order comes once only.
        return rand is null
            ? new KeptRowsCursor(_computation, _input.GetRowCursor(needed), Schema, active, _memo.Begin(), () => _input.GetRowCursor(all))
            : new KeptRowsCursor(_computation, _input.GetRowCursor(all, rand), Schema, active, _memo.Begin(), null);
    }

    // Once a view; of some rows, as of a preview, and then of all.
    private void Tell(RowNotices notices, bool ofAll)
    {
        _truncation?.EndPass();
        if (!notices.Any || _settings is null)
            return;
        lock (_telling)
        {
            if (_toldOfAll || _toldOfSome && !ofAll)
                return;
            (_toldOfSome, _toldOfAll) = (true, ofAll);
        }
        _settings.Warn(notices.Describe("Scoring"));
    }

    /// <summary>One cursor: a batch already uses every core, several at once would only compete.</summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];
}
