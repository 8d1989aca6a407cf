using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data
{
    /// <summary>Views as bytes: the schema, then the rows. A format of its own; annotations of text, boolean and numeric types
    /// stay.</summary>
    internal static class BinaryViews
    {
        private const uint Magic = 0x56495353;

        public static void Save(IExceptionContext context, IDataView data, Stream stream, bool keepHidden)
        {
            var columns = data.Schema
                .Where(column => (keepHidden || !column.IsHidden) && ValueSerializer.For(column.Type) != null)
                .ToArray();
            context.CheckParam(columns.Length > 0, nameof(data), "No column is of a type that can be saved");
            using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
            var schema = new DataViewSchema.Builder();
            schema.AddColumns(columns);
            writer.Write(Magic);
            SchemaSerializer.Write(writer, schema.ToSchema());
            using var cursor = data.GetRowCursor(columns);
            var getters = columns.Select(column => Getters.Get(cursor, column)).ToArray();
            var serializers = columns.Select(column => ValueSerializer.For(column.Type)).ToArray();
            while (cursor.MoveNext())
            {
                writer.Write(true);
                for (var i = 0; i < columns.Length; i++)
                {
                    serializers[i].WriteFrom(writer, getters[i]);
                }
            }

            writer.Write(false);
        }

        public static IDataView Load(IHostEnvironment env, IMultiStreamSource source)
        {
            using var reader = Open(env, source);
            return new View(env, source, SchemaSerializer.Read(reader));
        }

        private static BinaryReader Open(IHostEnvironment env, IMultiStreamSource source)
        {
            env.CheckParam(source.Count == 1, nameof(source), "Binary views are read from one file");
            var reader = new BinaryReader(new BufferedStream(source.Open(0), 1 << 16), Encoding.UTF8);
            env.CheckDecode(reader.ReadUInt32() == Magic, "This is no binary view");
            return reader;
        }

        private sealed class View(IHostEnvironment env, IMultiStreamSource source, DataViewSchema schema) : IDataView
        {
            public bool CanShuffle => false;
            public DataViewSchema Schema => schema;

            public long? GetRowCount() => null;

            public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
            {
                var reader = Open(env, source);
                SchemaSerializer.Read(reader);
                return new Cursor(schema, reader, Getters.Active(columnsNeeded, schema));
            }

            public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
                [GetRowCursor(columnsNeeded)];
        }

        private sealed class Cursor(DataViewSchema schema, BinaryReader reader, bool[] active) : DataViewRowCursor
        {
            private readonly ValueSerializer[] _serializers = [.. schema.Select(column => ValueSerializer.For(column.Type))];
            private readonly Delegate[] _values = new Delegate[schema.Count];
            private long _position = -1;
            private bool _done;

            public override DataViewSchema Schema => schema;
            public override long Position => _position;
            public override long Batch => 0;

            public override bool MoveNext()
            {
                _done = _done || !reader.ReadBoolean();
                for (var i = 0; i < _values.Length && !_done; i++)
                {
                    _values[i] = _serializers[i].ReadConstant(reader);
                }

                _position = _done ? -1 : _position + 1;
                return !_done;
            }

            public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

            public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
            {
                Getters.CheckActive(column.Index < active.Length && active[column.Index]);
                if (column.Type.RawType != typeof(TValue))
                {
                    Getters.Cast<TValue>(Getters.Constant(Activator.CreateInstance(column.Type.RawType)), column);
                }

                return (ref TValue value) =>
                {
                    Contracts.Check(
                        null,
                        _position >= 0,
                        "Values cannot be fetched unless the cursor returned true from the last call to MoveNext");
                    ((ValueGetter<TValue>)_values[column.Index])(ref value);
                };
            }

            public override ValueGetter<DataViewRowId> GetIdGetter() =>
                (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

            protected override void Dispose(bool disposing)
            {
                if (disposing)
                {
                    _done = true;
                    reader.Dispose();
                }
            }
        }
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Data;

    /// <summary>Views from and to binary files.</summary>
    public static class BinaryLoaderSaverCatalog
    {
        public static IDataView LoadFromBinary(this DataOperationsCatalog catalog, IMultiStreamSource fileSource)
        {
            catalog.Environment.CheckValue(fileSource, nameof(fileSource));
            return BinaryViews.Load(catalog.Environment, fileSource);
        }

        public static IDataView LoadFromBinary(this DataOperationsCatalog catalog, string path)
        {
            catalog.Environment.CheckNonEmpty(path, nameof(path));
            return BinaryViews.Load(catalog.Environment, new MultiFileSource(path));
        }

        public static void SaveAsBinary(this DataOperationsCatalog catalog, IDataView data, Stream stream, bool keepHidden = false)
        {
            catalog.Environment.CheckValue(data, nameof(data));
            catalog.Environment.CheckValue(stream, nameof(stream));
            BinaryViews.Save(catalog.Environment, data, stream, keepHidden);
        }
    }
}
