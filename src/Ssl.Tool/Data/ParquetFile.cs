using System.Globalization;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Ssl.Tool.Data;

/// <summary>Parquet, a row group in memory at a time: numbers, texts, booleans and times as texts, lists of numbers as vectors.</summary>
internal sealed class ParquetFile : RowFile
{
    private readonly Dictionary<string, string> _leftOut = [];
    private readonly DataField[] _fields;

    public ParquetFile(string path, FileSettings settings) : base(path)
    {
        var schema = Wait(Schema());
        var columns = new List<FileColumn>();
        var fields = new List<DataField>();
        foreach (var field in schema.Fields)
        {
            if (LeafOf(field) is not { } leaf || KindOf(leaf) is not { } kind)
            {
                _leftOut[field.Name] = $"values of type {field.SchemaType}";
                continue;
            }
            columns.Add(new FileColumn(field.Name, kind == CellKind.Vector ? kind : settings.KindOf(field.Name) ?? kind));
            fields.Add(leaf);
        }
        (Columns, _fields) = (columns, [.. fields]);

        async Task<ParquetSchema> Schema()
        {
            await using var reader = await OpenReader().ConfigureAwait(false);
            return reader.Schema;
        }
    }

    public override IReadOnlyList<FileColumn> Columns { get; }

    public override IReadOnlyDictionary<string, string> LeftOut => _leftOut;

    public override IEnumerable<Cell[]> Read()
    {
        var reader = Wait(OpenReader());
        try
        {
            var row = new Cell[_fields.Length];
            for (var group = 0; group < reader.RowGroupCount; group++)
            {
                using var rows = reader.OpenRowGroupReader(group);
                var count = checked((int)rows.RowCount);
                var cells = Array.ConvertAll(Enumerable.Range(0, _fields.Length).ToArray(), i => Wait(ReadColumn(rows, _fields[i], Columns[i].Kind, count)));
                for (var i = 0; i < count; i++)
                {
                    for (var c = 0; c < row.Length; c++)
                        row[c] = cells[c](i);
                    yield return row;
                }
            }
        }
        finally
        {
            Wait(Close());
        }

        async Task<bool> Close()
        {
            await reader.DisposeAsync().ConfigureAwait(false);
            return true;
        }
    }

    private static DataField? LeafOf(Field field) => field switch
    {
        DataField { MaxRepetitionLevel: 0 } leaf => leaf,
        DataField { MaxRepetitionLevel: 1 } leaf => leaf,
        ListField { Item: DataField { MaxRepetitionLevel: 1 } leaf } => leaf,
        _ => null,
    };

    private static CellKind? KindOf(DataField leaf)
    {
        var isNumber = IsNumber(leaf.ClrType);
        if (leaf.MaxRepetitionLevel > 0)
            return isNumber ? CellKind.Vector : null;
        return isNumber ? CellKind.Number : IsText(leaf.ClrType) || leaf.ClrType == typeof(bool) || leaf.ClrType == typeof(DateTime) ? CellKind.Text : null;
    }

    private static bool IsText(Type type) => type == typeof(string) || type == typeof(ReadOnlyMemory<char>);

    private static bool IsNumber(Type type) => type == typeof(float) || type == typeof(double) || type == typeof(decimal) || type == typeof(int) || type == typeof(long)
        || type == typeof(short) || type == typeof(byte) || type == typeof(sbyte) || type == typeof(uint) || type == typeof(ulong) || type == typeof(ushort);

    // The column's values in a row group, by row.
    private async Task<Func<int, Cell>> ReadColumn(ParquetRowGroupReader rows, DataField field, CellKind kind, int count)
    {
        if (IsText(field.ClrType))
        {
            var texts = new string?[count];
            await rows.ReadAsync(field, texts!.AsMemory()).ConfigureAwait(false);
            return kind == CellKind.Text ? i => new Cell { Text = texts[i] ?? "" }
                : i => new Cell { Number = TryNumber(texts[i], out var number) ? number : throw NoNumber(field.Name, texts[i]!, $"row {i} of a row group") };
        }
        return Type.GetTypeCode(field.ClrType) switch
        {
            TypeCode.Boolean => await Values<bool>(value => value ? "true" : "false", value => value ? 1 : 0).ConfigureAwait(false),
            TypeCode.DateTime => await Values<DateTime>(value => value.ToString("O", CultureInfo.InvariantCulture), value => (float)value.Ticks).ConfigureAwait(false),
            TypeCode.Single => await Numbers<float>(value => value).ConfigureAwait(false),
            TypeCode.Double => await Numbers<double>(value => (float)value).ConfigureAwait(false),
            TypeCode.Decimal => await Numbers<decimal>(value => (float)value).ConfigureAwait(false),
            TypeCode.Int32 => await Numbers<int>(value => value).ConfigureAwait(false),
            TypeCode.Int64 => await Numbers<long>(value => value).ConfigureAwait(false),
            TypeCode.Int16 => await Numbers<short>(value => value).ConfigureAwait(false),
            TypeCode.Byte => await Numbers<byte>(value => value).ConfigureAwait(false),
            TypeCode.SByte => await Numbers<sbyte>(value => value).ConfigureAwait(false),
            TypeCode.UInt32 => await Numbers<uint>(value => value).ConfigureAwait(false),
            TypeCode.UInt64 => await Numbers<ulong>(value => value).ConfigureAwait(false),
            _ => await Numbers<ushort>(value => value).ConfigureAwait(false),
        };

        Task<Func<int, Cell>> Numbers<T>(Func<T, float> number) where T : struct, IFormattable
            => kind == CellKind.Vector ? Vectors(number) : Values(value => value.ToString(null, CultureInfo.InvariantCulture), number);

        async Task<Func<int, Cell>> Values<T>(Func<T, string> text, Func<T, float> number) where T : struct
        {
            var values = new T?[count];
            if (field.MaxDefinitionLevel > 0)
            {
                await rows.ReadAsync<T>(field, values.AsMemory()).ConfigureAwait(false);
            }
            else
            {
                var all = new T[count];
                await rows.ReadAsync(field, all.AsMemory()).ConfigureAwait(false);
                values = Array.ConvertAll(all, value => (T?)value);
            }
            return kind == CellKind.Text ? i => new Cell { Text = values[i] is { } value ? text(value) : "" }
                : i => new Cell { Number = values[i] is { } value ? number(value) : float.NaN };
        }

        // A repetition of 0 begins a row; a value stands where all is defined, a missing number one level above, no number above that.
        async Task<Func<int, Cell>> Vectors<T>(Func<T, float> number) where T : struct
        {
            using var raw = (RawColumnData<T>)await rows.ReadRawColumnDataBaseAsync(field).ConfigureAwait(false);
            var (vectors, vector, next, row) = (new float[count][], new List<float>(), 0, -1);
            for (var i = 0; i < raw.RepetitionLevels.Length; i++)
            {
                if (raw.RepetitionLevels[i] == 0)
                    End();
                if (raw.DefinitionLevels[i] == field.MaxDefinitionLevel)
                    vector.Add(number(raw.Values[next++]));
                else if (field.IsNullable && raw.DefinitionLevels[i] == field.MaxDefinitionLevel - 1)
                    vector.Add(float.NaN);
            }
            End();
            return i => new Cell { Vector = vectors[i] ?? [] };

            void End()
            {
                if (row >= 0)
                    vectors[row] = [.. vector];
                vector.Clear();
                row++;
            }
        }
    }

    private async Task<ParquetReader> OpenReader()
    {
        try
        {
            return await ParquetReader.CreateAsync(Path).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (UnauthorizedAccessException or OutOfMemoryException))
        {
            throw new FormatException($"{Path} is no Parquet file that can be read: {e.Message}", e);
        }
    }

    // Of a program's own threads, which no context belongs to.
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
}
