using System.Numerics;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Puts a value in the place of NaN.</summary>
[LoadableTransformer(Signature)]
public sealed class MissingValueReplacingTransformer : OneToOneTransformerBase
{
    private const string Signature = "NAReplaceTransform";

    // One value for each slot, or one for all; in double precision, which holds both types exactly.
    private readonly double[][] _replacements;

    internal MissingValueReplacingTransformer(IHostEnvironment env, (string Output, string Input)[] columns, double[][] replacements)
        : base(env.Register(nameof(MissingValueReplacingTransformer)), columns) => _replacements = replacements;

    internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
        new MissingValueReplacingTransformer(env, ReadColumns(ctx), ctx.ReadArray(() => ctx.ReadArray(ctx.Reader.ReadDouble)));

    /// <summary>Null, or why a column of this type has no missing values.</summary>
    internal static string Refusal(DataViewType item, string text) => item == NumberDataViewType.Single || item == NumberDataViewType.Double
        ? null
        : $"Type '{text}' is not supported by NAReplaceTransform since it doesn't have an NA value";

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        WriteColumns(ctx);
        ctx.WriteArray(_replacements, values => ctx.WriteArray(values, ctx.Writer.Write));
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
        var reason = Refusal((source.Type as VectorDataViewType)?.ItemType ?? source.Type, source.Type.ToString());
        Host.CheckParam(reason == null, nameof(inputSchema), reason);
        var known = (source.Type as VectorDataViewType)?.Size ?? 1;
        if (_replacements[pair].Length > 1 && _replacements[pair].Length != known)
        {
            throw Host.ExceptSchemaMismatch(
                nameof(inputSchema), "input", source.Name, $"{_replacements[pair].Length} slots", source.Type.ToString());
        }
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(MissingValueReplacingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            var type = Source(output).Type;
            return NormalizerFunction.ItemOf(type) == NumberDataViewType.Single ? Typed<float>(input, output)
                : Typed<double>(input, output);
        }

        protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            annotations.Add(source.Annotations, kind => kind == AnnotationKinds.SlotNames);
            return new(OutputName(pair), source.Type, annotations.ToAnnotations());
        }

        private Delegate Typed<T>(DataViewRow input, int output)
            where T : struct, IFloatingPointIeee754<T>
        {
            T[] replacements = [.. parent._replacements[output].Select(T.CreateTruncating)];
            if (Source(output).Type is not VectorDataViewType)
            {
                var get = input.GetGetter<T>(Source(output));
                return (ValueGetter<T>)((ref T value) =>
                {
                    get(ref value);
                    value = T.IsNaN(value) ? replacements[0] : value;
                });
            }

            var getVector = input.GetGetter<VBuffer<T>>(Source(output));
            VBuffer<T> buffer = default;
            return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
            {
                getVector(ref buffer);
                buffer.CopyTo(ref value);
                var editor = VBufferEditor.CreateFromBuffer(ref value);
                for (var i = 0; i < editor.Values.Length; i++)
                {
                    if (T.IsNaN(editor.Values[i]))
                    {
                        var slot = value.IsDense ? i : editor.Indices[i];
                        editor.Values[i] = replacements[replacements.Length == 1 ? 0 : slot];
                    }
                }

                value = editor.Commit();
            });
        }
    }
}

/// <summary>Learns what missing values are replaced by.</summary>
public sealed class MissingValueReplacingEstimator : IEstimator<MissingValueReplacingTransformer>
{
    private readonly IHost _host;
    private readonly (string Output, string Input)[] _columns;
    private readonly ReplacementMode _mode;
    private readonly bool _bySlot;

    internal MissingValueReplacingEstimator(
        IHostEnvironment env, (string Output, string Input)[] columns, ReplacementMode mode, bool bySlot)
    {
        _host = env.Register(nameof(MissingValueReplacingEstimator));
        foreach (var (output, _) in columns)
        {
            _host.CheckNonEmpty(output, "name");
        }

        (_columns, _mode, _bySlot) = (columns, mode, bySlot);
    }

    /// <summary>What missing values become.</summary>
    public enum ReplacementMode : byte
    {
        DefaultValue = 0,
        Mean = 1,
        Minimum = 2,
        Maximum = 3,
        Mode = 5,
    }

    public MissingValueReplacingTransformer Fit(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        var replacements = _columns.Select(pair =>
        {
            var column = _host.FindColumn(input.Schema, pair.Input);
            var reason = MissingValueReplacingTransformer.Refusal(
                (column.Type as VectorDataViewType)?.ItemType ?? column.Type, column.Type.ToString());
            _host.CheckParam(reason == null, "inputSchema", reason);
            return Learn(input, column);
        }).ToArray();
        return new MissingValueReplacingTransformer(_host, _columns, replacements);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With([.. _columns.Select(pair =>
        {
            var source = _host.FindColumn(inputSchema, pair.Input);
            var reason = MissingValueReplacingTransformer.Refusal(source.ItemType, source.GetTypeString());
            _host.CheckParam(reason == null, nameof(inputSchema), reason);
            var names = source.Annotations.Where(annotation => annotation.Name == AnnotationKinds.SlotNames);
            return new SchemaShape.Column(pair.Output, source.Kind, source.ItemType, false, new SchemaShape(names));
        })]);
    }

    private double[] Learn(IDataView data, DataViewSchema.Column column)
    {
        var vector = column.Type as VectorDataViewType;
        var slots = _bySlot && vector is { IsKnownSize: true } ? vector.Size : 1;
        if (_mode == ReplacementMode.DefaultValue)
        {
            return new double[1];
        }

        var seen = Enumerable.Range(0, slots).Select(_ => new List<double>()).ToArray();
        using var cursor = data.GetRowCursor([column]);
        Func<IEnumerable<double>> row = vector == null
            ? Scalar(Numbers.GetterOf(cursor, column))
            : vector.ItemType == NumberDataViewType.Single ? Vector<float>(cursor, column) : Vector<double>(cursor, column);
        while (cursor.MoveNext())
        {
            var slot = 0;
            foreach (var value in row())
            {
                if (!double.IsNaN(value))
                {
                    seen[slots == 1 ? 0 : slot].Add(value);
                }

                slot++;
            }
        }

        return [.. seen.Select(values => values.Count == 0 ? 0 : _mode switch
        {
            ReplacementMode.Mean => values.Average(),
            ReplacementMode.Minimum => values.Min(),
            ReplacementMode.Maximum => values.Max(),
            _ => values.GroupBy(value => value).MaxBy(group => group.Count()).Key,
        })];
    }

    private static Func<IEnumerable<double>> Scalar(Func<double> get) => () => [get()];

    private static Func<IEnumerable<double>> Vector<T>(DataViewRow row, DataViewSchema.Column column)
        where T : INumber<T>
    {
        var get = row.GetGetter<VBuffer<T>>(column);
        VBuffer<T> buffer = default;
        return () =>
        {
            get(ref buffer);
            return buffer.DenseValues().Select(double.CreateTruncating);
        };
    }
}
