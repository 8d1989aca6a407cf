using Microsoft.ML;
using Parquet;
using Parquet.Schema;

namespace Ssl.Tool.Output;

/// <summary>Parquet: the kept columns, and the vector as a list of floats; some thousand rows a row group.</summary>
internal sealed class ParquetVectorWriter : VectorWriter
{
    private const int RowsOfGroup = 8192, FirstOfList = 0, FurtherOfList = 1;

    private readonly DataField[] _kept;
    private readonly DataField _item;
    private readonly FileStream _file;
    private readonly ParquetWriter _writer;
    private readonly List<string>[] _texts;
    private readonly List<float>[] _numbers;
    private readonly List<float> _vectors = [];
    private bool _completed;

    public ParquetVectorWriter(string path, DataViewRowCursor cursor, DataViewSchema.Column[] columns) : base(cursor, columns)
    {
        _kept = [.. Kept.Select(column => column.Text is not null ? new DataField<string>(column.Name) : (DataField)new DataField<float>(column.Name))];
        _texts = [.. Kept.Select(_ => new List<string>())];
        _numbers = [.. Kept.Select(_ => new List<float>())];
        var list = new ListField(VectorName, new DataField<float>("element"));
        var schema = new ParquetSchema([.. _kept, list]);
        _item = (DataField)list.Item;
        _file = File.Create(path);
        _writer = ParquetWriter.CreateAsync(schema, _file).GetAwaiter().GetResult();
    }

    public override void Write()
    {
        foreach (var (i, column) in Kept.Index())
        {
            if (column.Text is { } text)
                _texts[i].Add(text());
            else
                _numbers[i].Add(column.Number!());
        }
        foreach (var value in Vector())
            _vectors.Add(value);
        if (_vectors.Count >= RowsOfGroup * Dimension)
            WriteGroup().GetAwaiter().GetResult();
    }

    public override void Complete()
    {
        if (_vectors.Count > 0)
            WriteGroup().GetAwaiter().GetResult();
        _writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _completed = true;
    }

    // A file that is not complete is thrown away: its end is not written.
    public override void Dispose()
    {
        if (!_completed)
            _vectors.Clear();
        _file.Dispose();
    }

    private async Task WriteGroup()
    {
        using var group = _writer.CreateRowGroup();
        foreach (var (i, field) in _kept.Index())
        {
            if (Kept[i].Text is not null)
                await group.WriteAsync(field, _texts[i]).ConfigureAwait(false);
            else
                await group.WriteAsync<float>(field, _numbers[i].ToArray()).ConfigureAwait(false);
            _texts[i].Clear();
            _numbers[i].Clear();
        }
        int[] defined = [.. Enumerable.Repeat(_item.MaxDefinitionLevel, _vectors.Count)];
        int[] repeated = [.. Enumerable.Range(0, _vectors.Count).Select(i => i % Dimension == 0 ? FirstOfList : FurtherOfList)];
        await group.WriteAllPartsAsync<float>(_item, _vectors.ToArray(), defined, repeated, CancellationToken.None).ConfigureAwait(false);
        _vectors.Clear();
    }
}
