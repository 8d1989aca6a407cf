using System.Globalization;
using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Writes views as text that a <see cref="TextLoader"/> reads. Always dense.</summary>
internal sealed class TextSaver(char separator, bool headerRow, bool schema, bool keepHidden)
{
    public void Save(IExceptionContext context, IDataView data, Stream stream)
    {
        var columns = data.Schema.Where(column => keepHidden || !column.IsHidden).ToArray();
        foreach (var column in columns)
        {
            context.CheckParam(
                column.Type is not VectorDataViewType { IsKnownSize: false },
                nameof(data),
                $"Column '{column.Name}' has an unsupported type: vectors must have a known size");
            context.CheckParam(
                SchemaSerializer.CanWrite(column.Type),
                nameof(data),
                $"Column '{column.Name}' has an unsupported type: {column.Type}");
        }

        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        if (schema)
        {
            WriteSchema(writer, columns);
        }

        if (headerRow)
        {
            writer.WriteLine(string.Join(separator, columns.SelectMany(HeaderOf)));
        }

        using var cursor = data.GetRowCursor(columns);
        var cells = columns.Select(column => Cells(cursor, column)).ToArray();
        while (cursor.MoveNext())
        {
            writer.WriteLine(string.Join(separator, cells.SelectMany(cell => cell())));
        }
    }

    private void WriteSchema(StreamWriter writer, DataViewSchema.Column[] columns)
    {
        writer.WriteLine("#@ TextLoader{");
        if (headerRow)
        {
            writer.WriteLine("#@   header+");
        }

        var name = separator switch
        {
            ',' => "comma",
            '\t' => "tab",
            ' ' => "space",
            ';' => "semicolon",
            ':' => "colon",
            '|' => "bar",
            _ => separator.ToString(),
        };
        writer.WriteLine($"#@   sep={name}");
        var first = 0;
        foreach (var column in columns)
        {
            var vector = column.Type as VectorDataViewType;
            var item = vector?.ItemType ?? column.Type;
            var size = vector?.Size ?? 1;
            var kind = CodeOf(item) + (item is KeyDataViewType key ? $"[{key.Count}]" : string.Empty);
            var range = vector == null ? $"{first}" : $"{first}-{first + size - 1}";
            writer.WriteLine($"#@   col={Quote(column.Name)}:{kind}:{range}");
            first += size;
        }

        writer.WriteLine("#@ }");
    }

    private IEnumerable<string> HeaderOf(DataViewSchema.Column column)
    {
        if (column.Type is not VectorDataViewType vector)
        {
            return [Quote(column.Name)];
        }

        var names = Enumerable.Repeat("\"\"", vector.Size);
        if (column.HasSlotNames())
        {
            VBuffer<ReadOnlyMemory<char>> slots = default;
            column.GetSlotNames(ref slots);
            names = slots.DenseValues().Select(name => Quote(name.ToString())).ToArray();
        }

        return names;
    }

    private Func<IEnumerable<string>> Cells(DataViewRow row, DataViewSchema.Column column)
    {
        var vector = column.Type as VectorDataViewType;
        var item = vector?.ItemType ?? column.Type;
        return Getters.Call<Func<IEnumerable<string>>>(
            vector == null ? (Func<DataViewRow, DataViewSchema.Column, bool, Func<IEnumerable<string>>>)Scalar<int> : Vector<int>,
            item.RawType,
            row,
            column,
            item is KeyDataViewType);
    }

    private Func<IEnumerable<string>> Scalar<T>(DataViewRow row, DataViewSchema.Column column, bool isKey)
    {
        var get = row.GetGetter<T>(column);
        return () =>
        {
            T value = default;
            get(ref value);
            return [Format(value, isKey)];
        };
    }

    private Func<IEnumerable<string>> Vector<T>(DataViewRow row, DataViewSchema.Column column, bool isKey)
    {
        var get = row.GetGetter<VBuffer<T>>(column);
        return () =>
        {
            VBuffer<T> value = default;
            get(ref value);
            return value.DenseValues().Select(entry => Format(entry, isKey));
        };
    }

    private string Format<T>(T value, bool isKey) => value switch
    {
        _ when isKey => Convert.ToUInt64(value) is var key && key == 0 ? "\"\"" : (key - 1).ToString(CultureInfo.InvariantCulture),
        float.NaN or double.NaN => "?",
        bool flag => flag ? "1" : "0",
        ReadOnlyMemory<char> text => Quote(text.ToString()),
        DateTime time => Quote(time.ToString("o", CultureInfo.InvariantCulture)),
        DateTimeOffset time => Quote(time.ToString("o", CultureInfo.InvariantCulture)),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => Quote(value.ToString()),
    };

    private string Quote(string text)
    {
        var plain = text.Length > 0 && text[0] != ' ' && text[^1] != ' ' && text.IndexOfAny([separator, '"', '\n', '\r']) < 0;
        return plain ? text : $"\"{text.Replace("\"", "\"\"")}\"";
    }

    private static string CodeOf(DataViewType type) => DataKinds.KindOf(type.RawType) switch
    {
        DataKind.SByte => "I1",
        DataKind.Byte => "U1",
        DataKind.Int16 => "I2",
        DataKind.UInt16 => "U2",
        DataKind.Int32 => "I4",
        DataKind.UInt32 => "U4",
        DataKind.Int64 => "I8",
        DataKind.UInt64 => "U8",
        DataKind.Single => "R4",
        DataKind.Double => "R8",
        DataKind.String => "TX",
        DataKind.Boolean => "BL",
        DataKind.TimeSpan => "TS",
        DataKind.DateTime => "DT",
        _ => "DZ",
    };
}
