using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Replaces values by keys: the values seen when it was fitted, numbered from 1; all others are missing.</summary>
[LoadableTransformer(Signature)]
public sealed class ValueToKeyMappingTransformer : OneToOneTransformerBase
{
    private const string Signature = "TermTransform";
    private readonly KeyVocabulary[] _vocabularies;
    private readonly bool _asText;

    internal ValueToKeyMappingTransformer(
        IHostEnvironment env, (string Output, string Input)[] columns, KeyVocabulary[] vocabularies, bool asText)
        : base(env.Register(nameof(ValueToKeyMappingTransformer)), columns) => (_vocabularies, _asText) = (vocabularies, asText);

    internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx)
    {
        var columns = ReadColumns(ctx);
        var vocabularies = ctx.ReadArray(() => KeyVocabulary.Read(ctx.Reader));
        return new ValueToKeyMappingTransformer(env, columns, vocabularies, ctx.Reader.ReadBoolean());
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        WriteColumns(ctx);
        ctx.WriteArray(_vocabularies, vocabulary => vocabulary.Write(ctx.Writer));
        ctx.Writer.Write(_asText);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int pair, DataViewSchema.Column source)
    {
        var expected = _vocabularies[pair].ItemType;
        var found = KeyVocabulary.ItemOf(source.Type);
        if (!expected.Equals(found))
        {
            throw Host.ExceptSchemaMismatch(
                nameof(inputSchema), "input", source.Name, expected.ToString(), found?.ToString() ?? source.Type.ToString());
        }
    }

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(ValueToKeyMappingTransformer parent, DataViewSchema schema) : OneToOneMapper(parent, schema)
    {
        public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
        {
            disposer = null;
            return parent._vocabularies[output].MapToKeys(input, Source(output));
        }

        protected override DataViewSchema.DetachedColumn OutputColumn(int pair, DataViewSchema.Column source)
        {
            var vocabulary = parent._vocabularies[pair];
            var annotations = new DataViewSchema.Annotations.Builder();
            vocabulary.AddKeyValues(annotations, parent._asText);
            DataViewType type = vocabulary.KeyType;
            if (source.Type is VectorDataViewType vector)
            {
                type = new VectorDataViewType(vocabulary.KeyType, vector.Dimensions);
                annotations.Add(source.Annotations, kind => kind == AnnotationKinds.SlotNames);
            }

            return new(OutputName(pair), type, annotations.ToAnnotations());
        }
    }
}

/// <summary>Learns which values there are.</summary>
public sealed class ValueToKeyMappingEstimator : IEstimator<ValueToKeyMappingTransformer>
{
    private readonly IHost _host;
    private readonly (string Output, string Input)[] _columns;
    private readonly int _maximum;
    private readonly KeyOrdinality _ordinality;
    private readonly bool _asText;
    private readonly IDataView _keyData;

    internal ValueToKeyMappingEstimator(
        IHostEnvironment env, (string Output, string Input)[] columns, int maximum, KeyOrdinality ordinality, bool asText,
            IDataView keyData)
    {
        _host = env.Register(nameof(ValueToKeyMappingEstimator));
        foreach (var (output, input) in columns)
        {
            _host.CheckNonEmpty(output, "name");
            _host.CheckNonEmpty(input, "inputColumnName");
        }

        _host.CheckParam(maximum > 0, "maximumNumberOfKeys", "Must be positive");
        if (keyData != null)
        {
            _host.CheckParam(keyData.Schema.Count(column => !column.IsHidden) == 1, nameof(keyData),
                "Input data containing terms should contain exactly one column.");
        }

        (_columns, _maximum, _ordinality, _asText, _keyData) = (columns, maximum, ordinality, asText, keyData);
    }

    /// <summary>The order in which values get their keys.</summary>
    public enum KeyOrdinality : byte
    {
        ByOccurrence = 0,
        ByValue = 1,
    }

    public ValueToKeyMappingTransformer Fit(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        var vocabularies = _columns.Select(pair =>
        {
            var column = _host.FindColumn(input.Schema, pair.Input);
            if (!KeyVocabulary.CanHold(column.Type))
            {
                throw _host.ExceptSchemaMismatch(
                    "inputSchema", "input", pair.Input, "Text, number, Boolean or Key, or a vector of one of them", column.Type.ToString());
            }

            var (data, source) = _keyData == null ? (input, column) : (_keyData, _keyData.Schema.First(candidate => !candidate.IsHidden));
            return KeyVocabulary.Train(data, source, _maximum, _ordinality == KeyOrdinality.ByValue);
        }).ToArray();
        return new ValueToKeyMappingTransformer(_host, _columns, vocabularies, _asText);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With([.. _columns.Select(pair =>
        {
            var source = _host.FindColumn(inputSchema, pair.Input);
            var annotations = new List<SchemaShape.Column>();
            if (source.Kind != SchemaShape.Column.VectorKind.VariableVector
                && source.Annotations.TryFindColumn(AnnotationKinds.SlotNames, out var names))
            {
                annotations.Add(names);
            }

            var valueType = _keyData == null ? source.ItemType
                : KeyVocabulary.ItemOf(_keyData.Schema.First(column => !column.IsHidden).Type);
            annotations.Add(new(AnnotationKinds.KeyValues, SchemaShape.Column.VectorKind.Vector,
                _asText ? TextDataViewType.Instance : valueType, source.IsKey && !_asText));
            return new SchemaShape.Column(pair.Output, source.Kind, NumberDataViewType.UInt32, true, new SchemaShape(annotations));
        })]);
    }
}
