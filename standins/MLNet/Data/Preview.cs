using System.Collections.Immutable;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data
{
    /// <summary>The first rows of a view, for looking at.</summary>
    public sealed class DataDebuggerPreview
    {
        internal DataDebuggerPreview(IDataView data, int maxRows)
        {
            Contracts.CheckValue(null, data, nameof(data));
            Contracts.CheckParam(null, maxRows >= 0, nameof(maxRows));
            Schema = data.Schema;
            var rows = new List<RowInfo>();
            var columns = Schema.Select(_ => new List<object>()).ToArray();
            using var cursor = data.GetRowCursor(Schema);
            Func<DataViewRow, DataViewSchema.Column, Func<object>> reader = Reader<int>;
            var read = Schema.Select(column => Getters.Call<Func<object>>(reader, column.Type.RawType, cursor, column)).ToArray();
            while (rows.Count < maxRows && cursor.MoveNext())
            {
                var values = new KeyValuePair<string, object>[read.Length];
                for (var i = 0; i < read.Length; i++)
                {
                    var value = read[i]();
                    values[i] = new KeyValuePair<string, object>(Schema[i].Name, value);
                    columns[i].Add(value);
                }

                rows.Add(new RowInfo(values));
            }

            RowView = [.. rows];
            ColumnView = [.. columns.Select((values, i) => new ColumnInfo(Schema[i], [.. values]))];
        }

        public DataViewSchema Schema { get; }
        public ImmutableArray<ColumnInfo> ColumnView { get; }
        public ImmutableArray<RowInfo> RowView { get; }

        public override string ToString() => $"{Schema.Count} columns, {RowView.Length} rows";

        private static Func<object> Reader<T>(DataViewRow row, DataViewSchema.Column column)
        {
            var get = row.GetGetter<T>(column);
            return () =>
            {
                T value = default;
                get(ref value);
                return value;
            };
        }

        public sealed class ColumnInfo
        {
            internal ColumnInfo(DataViewSchema.Column column, object[] values)
            {
                Column = column;
                Values = values;
            }

            public DataViewSchema.Column Column { get; }
            public object[] Values { get; }

            public override string ToString() => $"{Column.Name}: {Column.Type}";
        }

        public sealed class RowInfo
        {
            internal RowInfo(KeyValuePair<string, object>[] values) => Values = values;

            public KeyValuePair<string, object>[] Values { get; }

            public override string ToString() => $"{Values.Length} columns";
        }
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Data;

    /// <summary>Looking at data while developing.</summary>
    public static class DebuggerExtensions
    {
        private const int Rows = 100;

        public static DataDebuggerPreview Preview(this IDataView data, int maxRows = Rows) => new(data, maxRows);

        public static DataDebuggerPreview Preview(
            this IEstimator<ITransformer> estimator,
            IDataView data,
            int maxRows = Rows,
            int maxTrainingRows = Rows)
        {
            Contracts.CheckValue(null, estimator, nameof(estimator));
            Contracts.CheckValue(null, data, nameof(data));
            var sample = new SkipTakeDataView(data, 0, maxTrainingRows);
            return new DataDebuggerPreview(estimator.Fit(sample).Transform(data), maxRows);
        }

        public static DataDebuggerPreview Preview(this ITransformer transformer, IDataView data, int maxRows = Rows)
        {
            Contracts.CheckValue(null, transformer, nameof(transformer));
            Contracts.CheckValue(null, data, nameof(data));
            return new DataDebuggerPreview(transformer.Transform(data), maxRows);
        }
    }
}
