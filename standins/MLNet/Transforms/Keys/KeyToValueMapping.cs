using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Replaces keys by the values that they stand for, taken from the column's KeyValues.</summary>
[LoadableTransformer(Signature)]
public sealed class KeyToValueMappingTransformer : OneToOneTransformerBase
{
    private const string Signature = "KeyToValueTransform";

    internal KeyToValueMappingTransformer(IHostEnvironment env, params (string Output, string Input)[] columns)
        : base(env.Register(nameof(KeyToValueMappingTransformer)), columns)
    {
    }

    internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
        new KeyToValueMappingTransformer(env, ReadColumns(ctx));

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        WriteColumns(ctx);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
        if (KeyVocabulary.ItemOf(source.Type) is not KeyDataViewType key)
        {
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", source.Name, "key type", source.Type.ToString());
        }

        var values = source.Annotations.Schema.GetColumnOrNull(AnnotationKinds.KeyValues)?.Type as VectorDataViewType;
        Host.Check(values != null, "Metadata KeyValues does not exist");
        Host.Check((ulong)values.Size == key.Count, "KeyValues metadata size does not match column type key count");
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(KeyToValueMappingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            return Getters.Call<Delegate>(
                (Func<DataViewRow, DataViewSchema.Column, Delegate>)Typed<int>, ValueType(Source(output)).RawType, input, Source(output));
        }

        protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            annotations.Add(source.Annotations, kind => kind == AnnotationKinds.SlotNames);
            DataViewType type = source.Type is VectorDataViewType vector ? new VectorDataViewType(ValueType(source), vector.Dimensions)
                : ValueType(source);
            return new(OutputName(pair), type, annotations.ToAnnotations());
        }

        private static PrimitiveDataViewType ValueType(DataViewSchema.Column source) =>
            ((VectorDataViewType)source.Annotations.Schema[AnnotationKinds.KeyValues].Type).ItemType;

        // A missing key is NaN where the type has it, and the type's default elsewhere.
        private static Delegate Typed<T>(DataViewRow input, DataViewSchema.Column source)
        {
            VBuffer<T> buffer = default;
            source.GetKeyValues(ref buffer);
            T[] values = [.. buffer.DenseValues()];
            var missing = typeof(T) == typeof(float) ? (T)(object)float.NaN : typeof(T) == typeof(double) ? (T)(object)double.NaN : default;
            T Map(ulong key) => key > 0 && key <= (ulong)values.Length ? values[key - 1] : missing;
            return KeyReader.Map(input, source, Map);
        }
    }
}

/// <summary>The estimator of <see cref="KeyToValueMappingTransformer"/>.</summary>
public sealed class KeyToValueMappingEstimator : TrivialEstimator<KeyToValueMappingTransformer>
{
    internal KeyToValueMappingEstimator(IHostEnvironment env, params (string Output, string Input)[] columns)
        : base(env.Register(nameof(KeyToValueMappingEstimator)), new KeyToValueMappingTransformer(env, columns))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With([.. Transformer.Columns.Select(pair =>
        {
            var source = Host.FindColumn(inputSchema, pair.Input);
            if (!source.IsKey)
            {
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input, "key type", source.GetTypeString());
            }

            if (!source.Annotations.TryFindColumn(AnnotationKinds.KeyValues, out var values))
            {
                throw Host.ExceptParam(nameof(inputSchema), $"Input column '{pair.Input}' doesn't contain key values metadata");
            }

            var names = source.Annotations.Where(annotation => annotation.Name == AnnotationKinds.SlotNames);
            return new SchemaShape.Column(pair.Output, source.Kind, values.ItemType, values.IsKey, new SchemaShape(names));
        })]);
    }
}

/// <summary>Reads key columns of any raw type.</summary>
internal static class KeyReader
{
    /// <summary>A getter of what the keys map to, scalar or vector like the column.</summary>
    public static Delegate Map<T>(DataViewRow input, DataViewSchema.Column source, Func<ulong, T> map) =>
        KeyVocabulary.ItemOf(source.Type).RawType switch
    {
        var type when type == typeof(byte) => Typed<byte, T>(input, source, key => map(key)),
        var type when type == typeof(ushort) => Typed<ushort, T>(input, source, key => map(key)),
        var type when type == typeof(uint) => Typed<uint, T>(input, source, key => map(key)),
        _ => Typed<ulong, T>(input, source, map),
    };

    private static Delegate Typed<TKey, T>(DataViewRow input, DataViewSchema.Column source, Func<TKey, T> map)
    {
        if (source.Type is not VectorDataViewType)
        {
            var get = input.GetGetter<TKey>(source);
            TKey key = default;
            return (ValueGetter<T>)((ref T value) =>
            {
                get(ref key);
                value = map(key);
            });
        }

        var getVector = input.GetGetter<VBuffer<TKey>>(source);
        VBuffer<TKey> keys = default;
        return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> values) =>
        {
            getVector(ref keys);
            var editor = VBufferEditor.Create(ref values, keys.Length);
            var slot = 0;
            foreach (var key in keys.DenseValues())
            {
                editor.Values[slot++] = map(key);
            }

            values = editor.Commit();
        });
    }
}
