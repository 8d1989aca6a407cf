using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data
{
    /// <summary>Puts columns of one item type behind one another as a vector.</summary>
    [LoadableTransformer(Signature)]
    public sealed class ColumnConcatenatingTransformer : RowToRowTransformerBase
    {
        private const string Signature = "ConcatTransform";
        private readonly string _output;
        private readonly string[] _inputs;

        internal ColumnConcatenatingTransformer(IHostEnvironment env, string output, string[] inputs)
            : base(env.Register(nameof(ColumnConcatenatingTransformer)))
        {
            _output = output;
            _inputs = inputs;
        }

        internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            new ColumnConcatenatingTransformer(env, ctx.Reader.ReadString(), ctx.ReadArray(ctx.Reader.ReadString));

        private protected override void SaveModel(ModelSaveContext ctx)
        {
            ctx.SetSignature(Signature);
            ctx.Writer.Write(_output);
            ctx.WriteArray(_inputs, ctx.Writer.Write);
        }

        private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

        private sealed class Mapper : RowMapper
        {
            private readonly string _output;
            private readonly DataViewSchema.Column[] _sources;
            private readonly VectorDataViewType _type;

            public Mapper(ColumnConcatenatingTransformer parent, DataViewSchema schema)
                : base(schema)
            {
                _output = parent._output;
                _sources = [.. parent._inputs.Select(name => parent.Host.FindColumn(schema, name))];
                PrimitiveDataViewType item = null;
                var size = 0;
                foreach (var source in _sources)
                {
                    var vector = source.Type as VectorDataViewType;
                    var current = vector?.ItemType ?? source.Type;
                    if (item == null)
                    {
                        item = current as PrimitiveDataViewType
                            ?? throw parent.Host.ExceptSchemaMismatch(
                                "inputSchema",
                                "input",
                                source.Name,
                                "a primitive type or a vector of one",
                                source.Type.ToString());
                        size = vector?.Size ?? 1;
                    }
                    else if (!current.Equals(item))
                    {
                        throw parent.Host.ExceptSchemaMismatch(
                            "inputSchema",
                            "input",
                            source.Name,
                            item.ToString(),
                            source.Type.ToString());
                    }
                    else
                    {
                        // One vector of unknown size makes the whole unknown.
                        var more = vector?.Size ?? 1;
                        size = size == 0 || more == 0 ? 0 : size + more;
                    }
                }

                _type = new VectorDataViewType(item, size);
            }

            private bool IsIdentity => _sources is [{ Type: VectorDataViewType }];

            public override IEnumerable<int> Dependencies(int output) => _sources.Select(source => source.Index);

            public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
            {
                disposer = null;
                return IsIdentity
                    ? Getters.Get(input, _sources[0])
                    : Getters.Call<Delegate>((Func<DataViewRow, Delegate>)Concatenated<int>, _type.ItemType.RawType, input);
            }

            protected override DataViewSchema.DetachedColumn[] MakeOutputs()
            {
                if (IsIdentity)
                {
                    return [new(_output, _sources[0].Type, _sources[0].Annotations)];
                }

                var annotations = new DataViewSchema.Annotations.Builder();
                if (_type.ItemType is NumberDataViewType && _sources.All(source => source.IsNormalized()))
                {
                    annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
                }

                if (_type.IsKnownSize)
                {
                    if (_sources.Any(source => source.Type is not VectorDataViewType || source.HasSlotNames()))
                    {
                        annotations.AddSlotNames(_type.Size, GetSlotNames);
                    }

                    var ranges = CategoricalRanges();
                    if (ranges.Length > 0)
                    {
                        annotations.Add(
                            AnnotationKinds.CategoricalSlotRanges,
                            new VectorDataViewType(NumberDataViewType.Int32, ranges.Length / 2, 2),
                            Getters.Constant(new VBuffer<int>(ranges.Length, ranges)));
                    }
                }

                return [new(_output, _type, annotations.ToAnnotations())];
            }

            private int[] CategoricalRanges()
            {
                var result = new List<int>();
                var offset = 0;
                foreach (var source in _sources)
                {
                    if (source.Annotations.Schema.GetColumnOrNull(AnnotationKinds.CategoricalSlotRanges) != null)
                    {
                        VBuffer<int> ranges = default;
                        source.Annotations.GetValue(AnnotationKinds.CategoricalSlotRanges, ref ranges);
                        foreach (var slot in ranges.DenseValues())
                        {
                            result.Add(slot + offset);
                        }
                    }

                    offset += (source.Type as VectorDataViewType)?.Size ?? 1;
                }

                return [.. result];
            }

            private void GetSlotNames(ref VBuffer<ReadOnlyMemory<char>> value)
            {
                var names = new ReadOnlyMemory<char>[_type.Size];
                var slot = 0;
                foreach (var source in _sources)
                {
                    if (source.Type is not VectorDataViewType vector)
                    {
                        names[slot++] = source.Name.AsMemory();
                        continue;
                    }

                    if (source.HasSlotNames())
                    {
                        VBuffer<ReadOnlyMemory<char>> own = default;
                        source.GetSlotNames(ref own);
                        foreach (var (index, name) in own.Items())
                        {
                            names[slot + index] = name.IsEmpty ? default : $"{source.Name}.{name}".AsMemory();
                        }
                    }

                    slot += vector.Size;
                }

                value = new VBuffer<ReadOnlyMemory<char>>(names.Length, names);
            }

            private Delegate Concatenated<T>(DataViewRow input)
            {
                var scalars = new ValueGetter<T>[_sources.Length];
                var vectors = new ValueGetter<VBuffer<T>>[_sources.Length];
                var buffers = new VBuffer<T>[_sources.Length];
                for (var i = 0; i < _sources.Length; i++)
                {
                    if (_sources[i].Type is VectorDataViewType)
                    {
                        vectors[i] = input.GetGetter<VBuffer<T>>(_sources[i]);
                    }
                    else
                    {
                        scalars[i] = input.GetGetter<T>(_sources[i]);
                    }
                }

                return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
                {
                    var length = 0;
                    for (var i = 0; i < vectors.Length; i++)
                    {
                        if (vectors[i] == null)
                        {
                            length++;
                            continue;
                        }

                        vectors[i](ref buffers[i]);
                        if (_sources[i].Type is VectorDataViewType { Size: > 0 } known && known.Size != buffers[i].Length)
                        {
                            throw Contracts.Except(
                                null,
                                $"Column '{_sources[i].Name}': expected {known.Size} slots, but got {buffers[i].Length}");
                        }

                        length = checked(length + buffers[i].Length);
                    }

                    var editor = VBufferEditor.Create(ref value, length);
                    var slot = 0;
                    for (var i = 0; i < vectors.Length; i++)
                    {
                        if (vectors[i] == null)
                        {
                            scalars[i](ref editor.Values[slot++]);
                        }
                        else
                        {
                            buffers[i].CopyTo(editor.Values, slot);
                            slot += buffers[i].Length;
                        }
                    }

                    value = editor.Commit();
                });
            }
        }
    }
}

namespace Microsoft.ML.Transforms
{
    using Microsoft.ML.Data;

    /// <summary>The estimator of <see cref="ColumnConcatenatingTransformer"/>. Fitting does not look at the data.</summary>
    public sealed class ColumnConcatenatingEstimator : IEstimator<ColumnConcatenatingTransformer>
    {
        private readonly IHost _host;
        private readonly string _output;
        private readonly string[] _inputs;

        internal ColumnConcatenatingEstimator(IHostEnvironment env, string outputColumnName, string[] inputColumnNames)
        {
            _host = env.Register(nameof(ColumnConcatenatingEstimator));
            _host.CheckNonEmpty(outputColumnName, nameof(outputColumnName));
            _host.CheckValue(inputColumnNames, nameof(inputColumnNames));
            _host.CheckParam(inputColumnNames.Length > 0, nameof(inputColumnNames), "Input columns not specified");
            _host.CheckParam(!inputColumnNames.Any(string.IsNullOrEmpty), nameof(inputColumnNames), "Contained some null or empty items");
            _output = outputColumnName;
            _inputs = inputColumnNames;
        }

        public ColumnConcatenatingTransformer Fit(IDataView input)
        {
            _host.CheckValue(input, nameof(input));
            return new ColumnConcatenatingTransformer(_host, _output, _inputs);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            _host.CheckValue(inputSchema, nameof(inputSchema));
            var columns = _inputs.Select(name => _host.FindColumn(inputSchema, name)).ToArray();
            foreach (var column in columns)
            {
                _host.Check(!column.IsKey, $"Column '{column.Name}' is key. Concatenation of keys is unsupported.");
                _host.Check(
                    column.ItemType.Equals(columns[0].ItemType),
                    $"Concatenated columns should have the same type. Column '{column.Name}' has type of {column.ItemType}, " +
                    $"but expected column type is {columns[0].ItemType}.");
            }

            var annotations = new List<SchemaShape.Column>();
            if (columns.All(column => Has(column, AnnotationKinds.IsNormalized)))
            {
                annotations.Add(new(AnnotationKinds.IsNormalized, default, BooleanDataViewType.Instance, false));
            }

            if (columns.Any(column => Has(column, AnnotationKinds.CategoricalSlotRanges)))
            {
                annotations.Add(new(
                    AnnotationKinds.CategoricalSlotRanges,
                    SchemaShape.Column.VectorKind.Vector,
                    NumberDataViewType.Int32,
                    false));
            }

            if (columns.Any(column => column.Kind == SchemaShape.Column.VectorKind.Scalar || Has(column, AnnotationKinds.SlotNames)))
            {
                annotations.Add(new(AnnotationKinds.SlotNames, SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, false));
            }

            var kind = columns.Any(column => column.Kind == SchemaShape.Column.VectorKind.VariableVector)
                ? SchemaShape.Column.VectorKind.VariableVector
                : SchemaShape.Column.VectorKind.Vector;
            return inputSchema.With(new SchemaShape.Column(_output, kind, columns[0].ItemType, false, new SchemaShape(annotations)));
        }

        private static bool Has(SchemaShape.Column column, string kind) => column.Annotations.TryFindColumn(kind, out _);
    }
}
