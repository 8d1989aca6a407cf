using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Tool.Output;

/// <summary>Writes rows of kept columns and a vector, one after the other.</summary>
internal abstract class VectorWriter : IDisposable
{
    /// <summary>The columns before the vector, each as text or number.</summary>
    private protected readonly (string Name, Func<string>? Text, Func<float>? Number)[] Kept;

    private readonly ValueGetter<VBuffer<float>> _get;
    private VBuffer<float> _vector;

    private protected VectorWriter(DataViewRowCursor cursor, DataViewSchema.Column[] columns)
    {
        Kept = [.. columns[..^1].Select(column => (column.Name, Text(cursor, column), Number(cursor, column)))];
        VectorName = columns[^1].Name;
        Dimension = ((VectorDataViewType)columns[^1].Type).Size;
        _get = cursor.GetGetter<VBuffer<float>>(columns[^1]);
    }

    private protected string VectorName { get; }

    private protected int Dimension { get; }

    /// <summary>The writer for a file's ending.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static Func<string, DataViewRowCursor, DataViewSchema.Column[], VectorWriter> For(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".CSV" => (file, cursor, columns) => new CsvVectorWriter(file, cursor, columns),
        ".NPY" => (file, cursor, columns) => columns.Length == 1 ? new NpyVectorWriter(file, cursor, columns)
            : throw new UsageException("A .npy file holds numbers only: write .csv or .parquet to keep columns."),
        ".PARQUET" => (file, cursor, columns) => new ParquetVectorWriter(file, cursor, columns),
        _ => throw new UsageException($"The file to write must end in .csv, .parquet or .npy, got '{path}'."),
    };

    /// <summary>Writes the row on which the cursor stands.</summary>
    public abstract void Write();

    /// <summary>Ends the file: it is whole.</summary>
    public abstract void Complete();

    public abstract void Dispose();

    private protected ReadOnlySpan<float> Vector()
    {
        _get(ref _vector);
        if (!_vector.IsDense)
            _vector = new VBuffer<float>(_vector.Length, [.. _vector.DenseValues()]);
        return _vector.GetValues();
    }

    private static Func<string>? Text(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        if (column.Type is not TextDataViewType)
            return null;
        var get = cursor.GetGetter<ReadOnlyMemory<char>>(column);
        ReadOnlyMemory<char> value = default;
        return () =>
        {
            get(ref value);
            return value.ToString();
        };
    }

    private static Func<float>? Number(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        if (column.Type is TextDataViewType)
            return null;
        var get = cursor.GetGetter<float>(column);
        float value = default;
        return () =>
        {
            get(ref value);
            return value;
        };
    }
}

/// <summary>A column for each number, named after the vector and its place: Features0, Features1, ....</summary>
internal sealed class CsvVectorWriter : VectorWriter
{
    private readonly StreamWriter _file;

    public CsvVectorWriter(string path, DataViewRowCursor cursor, DataViewSchema.Column[] columns) : base(cursor, columns)
    {
        _file = new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        _file.Write(string.Join(',', Kept.Select(column => Quoted(column.Name)).Concat(Enumerable.Range(0, Dimension).Select(i => Quoted($"{VectorName}{i}")))));
        _file.Write('\n');
    }

    public override void Write()
    {
        var first = true;
        foreach (var column in Kept)
        {
            Separate(ref first);
            _file.Write(column.Text is { } text ? Quoted(text()) : Text(column.Number!()));
        }
        foreach (var value in Vector())
        {
            Separate(ref first);
            _file.Write(Text(value));
        }
        _file.Write('\n');
    }

    public override void Complete() => _file.Flush();

    public override void Dispose() => _file.Dispose();

    private void Separate(ref bool first)
    {
        if (!first)
            _file.Write(',');
        first = false;
    }

    // The shortest text that gives the same Single; a missing number is an empty field.
    private static string Text(float value) => float.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Quoted(string text) => text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>NumPy's file: Single [rows, dimension], little endian.</summary>
internal sealed class NpyVectorWriter : VectorWriter
{
    // The number of rows is known at the end: its place is as wide as any number.
    private const int HeaderLength = 128;

    private readonly FileStream _file;
    private long _rows;

    public NpyVectorWriter(string path, DataViewRowCursor cursor, DataViewSchema.Column[] columns) : base(cursor, columns)
    {
        _file = File.Create(path, 1 << 16);
        WriteHeader();
    }

    public override void Write()
    {
        _file.Write(MemoryMarshal.AsBytes(Vector()));
        _rows++;
    }

    public override void Complete()
    {
        _file.Position = 0;
        WriteHeader();
        _file.Flush();
    }

    public override void Dispose() => _file.Dispose();

    private void WriteHeader()
    {
        var description = FormattableString.Invariant($"{{'descr': '<f4', 'fortran_order': False, 'shape': ({_rows}, {Dimension}), }}");
        _file.Write([0x93, .. "NUMPY"u8, 1, 0, HeaderLength - 10, 0, .. Encoding.ASCII.GetBytes(description.PadRight(HeaderLength - 11)), (byte)'\n']);
    }
}
