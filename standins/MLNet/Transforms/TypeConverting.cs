using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms
{
    /// <summary>Converts columns to another item type.</summary>
    [LoadableTransformer(Signature)]
    public sealed class TypeConvertingTransformer : OneToOneTransformerBase
    {
        private const string Signature = "TypeConvertTransform";

        internal TypeConvertingTransformer(IHostEnvironment env, DataKind kind, params (string Output, string Input)[] columns)
            : base(env.Register(nameof(TypeConvertingTransformer)), columns) => Kind = kind;

        internal DataKind Kind { get; }

        internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            new TypeConvertingTransformer(env, (DataKind)ctx.Reader.ReadByte(), ReadColumns(ctx));

        private protected override void SaveModel(ModelSaveContext ctx)
        {
            ctx.SetSignature(Signature);
            ctx.Writer.Write((byte)Kind);
            WriteColumns(ctx);
        }

        private protected override void CheckInputColumn(DataViewSchema schema, int pair, DataViewSchema.Column source)
        {
            var target = TargetOf(source.Type, out var possible);
            if (!possible)
            {
                throw Host.ExceptParam(
                    "inputSchema",
                    $"source column '{source.Name}' with item type '{source.Type}' is not compatible with destination type '{target}'");
            }
        }

        private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

        // Keys stay keys: they go into other unsigned types only.
        private PrimitiveDataViewType TargetOf(DataViewType source, out bool possible)
        {
            var item = (source as VectorDataViewType)?.ItemType ?? source;
            var target = Kind.ToType();
            if (item is KeyDataViewType key)
            {
                if (!KeyDataViewType.IsValidDataType(target.RawType))
                {
                    possible = false;
                    return target;
                }

                target = new KeyDataViewType(target.RawType, Math.Min(key.Count, TypedMember.MaximumOf(target.RawType)));
            }

            possible = Conversions.Find(item.RawType, target.RawType) != null;
            return target;
        }

        private sealed class Mapper(TypeConvertingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
        {
            public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
            {
                disposer = null;
                var source = Source(output);
                var target = parent.TargetOf(source.Type, out _);
                var item = (source.Type as VectorDataViewType)?.ItemType.RawType ?? source.Type.RawType;
                var make = typeof(Mapper).GetMethod(
                    source.Type is VectorDataViewType ? nameof(Vector) : nameof(Scalar),
                    System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic);
                return (Delegate)make.MakeGenericMethod(item, target.RawType).Invoke(null, [input, source]);
            }

            protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source)
            {
                var target = parent.TargetOf(source.Type, out _);
                var vector = source.Type as VectorDataViewType;
                var item = vector?.ItemType ?? source.Type;
                var annotations = new DataViewSchema.Annotations.Builder();
                if (vector is { IsKnownSize: true })
                {
                    annotations.Add(source.Annotations, kind => kind == AnnotationKinds.SlotNames);
                }

                if (item is KeyDataViewType from && target is KeyDataViewType to && from.Count == to.Count)
                {
                    annotations.Add(source.Annotations, kind => kind == AnnotationKinds.KeyValues);
                }

                if (item is NumberDataViewType && target is NumberDataViewType)
                {
                    annotations.Add(source.Annotations, kind => kind == AnnotationKinds.IsNormalized);
                }

                if (source.Type is BooleanDataViewType && target is NumberDataViewType)
                {
                    annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
                }

                return new(
                    OutputName(pair),
                    vector == null ? target : new VectorDataViewType(target, vector.Dimensions),
                    annotations.ToAnnotations());
            }

            private static ValueGetter<TTarget> Scalar<TSource, TTarget>(DataViewRow input, DataViewSchema.Column source)
            {
                var get = input.GetGetter<TSource>(source);
                var convert = Conversions.Find<TSource, TTarget>();
                TSource from = default;
                return (ref TTarget value) =>
                {
                    get(ref from);
                    convert(in from, ref value);
                };
            }

            private static ValueGetter<VBuffer<TTarget>> Vector<TSource, TTarget>(DataViewRow input, DataViewSchema.Column source)
            {
                var get = input.GetGetter<VBuffer<TSource>>(source);
                var convert = Conversions.Find<TSource, TTarget>();
                VBuffer<TSource> from = default;

                // An empty text is no zero in every type: sparse texts are filled before.
                var dense = typeof(TSource) == typeof(ReadOnlyMemory<char>);
                return (ref VBuffer<TTarget> value) =>
                {
                    get(ref from);
                    if (dense && !from.IsDense)
                    {
                        VBuffer<TSource> full = default;
                        from.CopyToDense(ref full);
                        from = full;
                    }

                    var editor = VBufferEditor.Create(ref value, from.Length, from.GetValues().Length);
                    for (var i = 0; i < editor.Values.Length; i++)
                    {
                        convert(in from.GetValues()[i], ref editor.Values[i]);
                    }

                    from.GetIndices().CopyTo(editor.Indices);
                    value = editor.Commit();
                };
            }
        }
    }

    /// <summary>The estimator of <see cref="TypeConvertingTransformer"/>.</summary>
    public sealed class TypeConvertingEstimator : TrivialEstimator<TypeConvertingTransformer>
    {
        internal TypeConvertingEstimator(IHostEnvironment env, DataKind kind, params (string Output, string Input)[] columns)
            : base(env.Register(nameof(TypeConvertingEstimator)), new TypeConvertingTransformer(env, kind, columns))
        {
        }

        public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            Host.CheckValue(inputSchema, nameof(inputSchema));
            var target = Transformer.Kind.ToType();
            return inputSchema.With([.. Transformer.Columns.Select(pair =>
            {
                var source = Host.FindColumn(inputSchema, pair.Input);
                if (Conversions.Find(source.ItemType.RawType, target.RawType) == null)
                {
                    throw Host.ExceptParam(nameof(inputSchema), $"Don't know how to convert {pair.Input} into {target}");
                }

                var annotations = source.Annotations.Where(annotation =>
                    (annotation.Name == AnnotationKinds.SlotNames && source.Kind == SchemaShape.Column.VectorKind.Vector)
                    || (annotation.Name == AnnotationKinds.KeyValues && source.IsKey)
                    || (annotation.Name == AnnotationKinds.IsNormalized && source.ItemType is NumberDataViewType && target is NumberDataViewType))
                    .ToList();
                if (source.ItemType is BooleanDataViewType && target is NumberDataViewType)
                {
                    annotations.Add(new(AnnotationKinds.IsNormalized, default, BooleanDataViewType.Instance, false));
                }

                var isKey = source.IsKey && KeyDataViewType.IsValidDataType(target.RawType);
                return new SchemaShape.Column(pair.Output, source.Kind, target, isKey, new SchemaShape(annotations));
            })]);
        }
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Transforms;

    /// <summary>Conversions of values: types here, keys in Transforms/Keys.</summary>
    public static partial class ConversionsExtensionsCatalog
    {
        public static TypeConvertingEstimator ConvertType(
            this TransformsCatalog.ConversionTransforms catalog,
            string outputColumnName,
            string inputColumnName = null,
            DataKind outputKind = DataKind.Single) => new(catalog.Environment, outputKind, (
                outputColumnName,
                inputColumnName ?? outputColumnName));

        public static TypeConvertingEstimator ConvertType(
            this TransformsCatalog.ConversionTransforms catalog,
            InputOutputColumnPair[] columns,
            DataKind outputKind = DataKind.Single)
        {
            catalog.Environment.CheckValue(columns, nameof(columns));
            return new TypeConvertingEstimator(catalog.Environment, outputKind, OneToOneTransformerBase.Pairs(columns));
        }
    }
}
