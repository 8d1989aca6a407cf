using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Replaces keys by indicator vectors; as a count vector, those of several keys are added up.</summary>
[LoadableTransformer(Signature)]
public sealed class KeyToVectorMappingTransformer : OneToOneTransformerBase
{
    private const string Signature = "KeyToVectorTransform";

    internal KeyToVectorMappingTransformer(IHostEnvironment env, bool count, params (string Output, string Input)[] columns)
        : base(env.Register(nameof(KeyToVectorMappingTransformer)), columns) => CountVector = count;

    internal bool CountVector { get; }

    internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
        new KeyToVectorMappingTransformer(env, ctx.Reader.ReadBoolean(), ReadColumns(ctx));

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        ctx.Writer.Write(CountVector);
        WriteColumns(ctx);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
        if (KeyVocabulary.ItemOf(source.Type) is not KeyDataViewType { Count: <= int.MaxValue })
        {
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", source.Name, "Key", source.Type.ToString());
        }
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(KeyToVectorMappingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            var source = Source(output);
            var size = KeyCount(source);
            if (source.Type is not VectorDataViewType)
            {
                var get = (ValueGetter<int>)KeyReader.Map(input, source, key => (int)key - 1);
                var slot = -1;
                return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
                {
                    get(ref slot);
                    var known = slot >= 0 && slot < size;
                    var editor = VBufferEditor.Create(ref value, size, known ? 1 : 0);
                    if (known)
                    {
                        editor.Values[0] = 1;
                        if (size > 1)
                        {
                            editor.Indices[0] = slot;
                        }
                    }

                    value = editor.Commit();
                });
            }

            var getVector = (ValueGetter<VBuffer<int>>)KeyReader.Map(input, source, key => (int)key - 1);
            VBuffer<int> slots = default;
            return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
            {
                getVector(ref slots);
                var editor = VBufferEditor.Create(ref value, parent.CountVector ? size : size * slots.Length);
                editor.Values.Clear();
                for (var i = 0; i < slots.Length; i++)
                {
                    var slot = slots.GetValues()[i];
                    if (slot >= 0 && slot < size)
                    {
                        editor.Values[parent.CountVector ? slot : (i * size) + slot]++;
                    }
                }

                value = editor.Commit();
            });
        }

        protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source)
        {
            var size = KeyCount(source);
            var vector = source.Type as VectorDataViewType;
            var indicators = vector == null || parent.CountVector ? 1 : vector.Size;
            var type = indicators == 0
                ? new VectorDataViewType(NumberDataViewType.Single)
                : vector == null || parent.CountVector
                    ? new VectorDataViewType(NumberDataViewType.Single, size)
                    : new VectorDataViewType(NumberDataViewType.Single, vector.Size, size);
            var annotations = new DataViewSchema.Annotations.Builder();
            if (indicators > 0)
            {
                AddSlotNames(annotations, source, size, parent.CountVector ? null : vector);
            }

            if (!parent.CountVector && indicators > 0)
            {
                int[] ranges = [.. Enumerable.Range(0, indicators).SelectMany(i => new[] { i * size, ((i + 1) * size) - 1 })];
                annotations.Add(
                    AnnotationKinds.CategoricalSlotRanges,
                    new VectorDataViewType(NumberDataViewType.Int32, indicators, 2),
                    (ref VBuffer<int> value) => VBuffer<int>.Copy(ranges, 0, ref value, ranges.Length));
            }

            if (!parent.CountVector || vector == null)
            {
                annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
            }

            return new(OutputName(pair), type, annotations.ToAnnotations());
        }

        private static int KeyCount(DataViewSchema.Column source) => (int)((KeyDataViewType)KeyVocabulary.ItemOf(source.Type)).Count;

        private static void AddSlotNames(
            DataViewSchema.Annotations.Builder annotations, DataViewSchema.Column source, int size, VectorDataViewType vector)
        {
            if (!source.HasKeyValues())
            {
                return;
            }

            var count = vector?.Size ?? 1;
            annotations.AddSlotNames(size * count, (ref VBuffer<ReadOnlyMemory<char>> names) =>
            {
                VBuffer<ReadOnlyMemory<char>> keys = default;
                source.GetKeyValues(ref keys);
                if (vector == null)
                {
                    keys.CopyTo(ref names);
                    return;
                }

                VBuffer<ReadOnlyMemory<char>> slots = default;
                if (source.HasSlotNames(count))
                {
                    source.GetSlotNames(ref slots);
                }

                var prefixes = Enumerable.Range(0, count)
                    .Select(i => slots.Length == count ? slots.GetItemOrDefault(i).ToString() : $"[{i}]");
                ReadOnlyMemory<char>[] all =
                    [.. prefixes.SelectMany(prefix => keys.DenseValues().Select(key => $"{prefix}.{key}".AsMemory()))];
                VBuffer<ReadOnlyMemory<char>>.Copy(all, 0, ref names, all.Length);
            });
        }
    }
}

/// <summary>The estimator of <see cref="KeyToVectorMappingTransformer"/>.</summary>
public sealed class KeyToVectorMappingEstimator : TrivialEstimator<KeyToVectorMappingTransformer>
{
    internal KeyToVectorMappingEstimator(IHostEnvironment env, bool count, params (string Output, string Input)[] columns)
        : base(env.Register(nameof(KeyToVectorMappingEstimator)), new KeyToVectorMappingTransformer(env, count, columns))
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
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input, "Key", source.GetTypeString());
            }

            var count = Transformer.CountVector;
            var kind = !count && source.Kind == SchemaShape.Column.VectorKind.VariableVector ? source.Kind
                : SchemaShape.Column.VectorKind.Vector;
            var annotations = new List<SchemaShape.Column>();
            if (source.Annotations.TryFindColumn(AnnotationKinds.KeyValues, out var values) && values.ItemType is TextDataViewType)
            {
                annotations.Add(new(AnnotationKinds.SlotNames, SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, false));
            }

            if (!count && source.Kind != SchemaShape.Column.VectorKind.VariableVector)
            {
                annotations.Add(
                    new(AnnotationKinds.CategoricalSlotRanges, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Int32, false));
            }

            if (!count || source.Kind == SchemaShape.Column.VectorKind.Scalar)
            {
                annotations.Add(
                    new(AnnotationKinds.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false));
            }

            return new SchemaShape.Column(pair.Output, kind, NumberDataViewType.Single, false, new SchemaShape(annotations));
        })]);
    }
}
