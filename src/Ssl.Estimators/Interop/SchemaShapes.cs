using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Interop;

/// <summary>
/// Makes <see cref="SchemaShape.Column"/>s, whose constructor is closed to other assemblies: a custom mapping with the wanted output is
/// asked for its schema, and its column is borrowed.
/// </summary>
internal static class SchemaShapes
{
    private const string SlotNames = "SlotNames";

    /// <summary>An embedding column: known-size vector of Single with slot names, carrying its encoder.</summary>
    public static SchemaShape.Column Embedding(string name, int dimension) =>
        Vector(name, NumberDataViewType.Single, dimension, hasSlotNames: true, hasEncoder: true);

    /// <summary>The input's columns and an embedding column.</summary>
    public static SchemaShape AddEmbedding(SchemaShape input, string name, int dimension) => Append(input, Embedding(name, dimension));

    /// <summary>A known-size vector column.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="itemType">Type of the elements: a number or text.</param>
    /// <param name="dimension">Its length.</param>
    /// <param name="hasSlotNames">Whether slot names are announced.</param>
    /// <param name="hasEncoder">Whether the encoder annotation is announced.</param>
    public static SchemaShape.Column Vector(string name, PrimitiveDataViewType itemType, int dimension, bool hasSlotNames = false,
        bool hasEncoder = false)
    {
        if (itemType is TextDataViewType)
        {
            return Borrow<TextRow>(name, new VectorDataViewType(itemType, dimension), dimension, hasSlotNames, hasEncoder);
        }

        return itemType.RawType == typeof(long)
            ? Borrow<LongRow>(name, new VectorDataViewType(itemType, dimension), dimension, hasSlotNames, hasEncoder)
            : Borrow<SingleRow>(name, new VectorDataViewType(itemType, dimension), dimension, hasSlotNames, hasEncoder);
    }

    /// <summary>A column of vectors of varying size.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="itemType">Type of the elements: Text, Int32 or Single.</param>
    public static SchemaShape.Column VariableVector(string name, PrimitiveDataViewType itemType)
    {
        var type = new VectorDataViewType(itemType);
        return itemType is TextDataViewType ? Borrow<TextRow>(name, type, 0, false, false)
            : itemType.RawType == typeof(int) ? Borrow<Int32Row>(name, type, 0, false, false) : Borrow<SingleRow>(name, type, 0, false, false);
    }

    /// <summary>A column of vectors of varying size, of keys with the values of another column's.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="keys">The column whose values it has.</param>
    public static SchemaShape.Column KeyVector(string name, SchemaShape.Column keys)
    {
        // Copied and mapped: what ML.NET's own stages make of such a column.
        var transforms = new MLContext().Transforms;
        var shape = transforms.CopyColumns(name, keys.Name).GetOutputSchema(new SchemaShape([keys]));
        return shape.First(column => column.Name == name);
    }

    /// <summary>The input's columns with new ones in place of those of the same name, or after them.</summary>
    public static SchemaShape Append(SchemaShape input, params IReadOnlyList<SchemaShape.Column> columns) =>
        new(input.Where(old => columns.All(c => c.Name != old.Name)).Concat(columns));

    /// <summary>The input's columns and those that one of ML.NET's own trainers would add, annotations and all.</summary>
    /// <param name="input">With the label column, whose type was checked.</param>
    /// <param name="label">Name of the label column.</param>
    /// <param name="trainer">Makes the trainer, of these label and feature columns.</param>
    /// <param name="outputs">Names of the columns that it adds.</param>
    public static SchemaShape AppendPrediction(SchemaShape input, string label,
        Func<MLContext, string, string, IEstimator<ITransformer>> trainer, IReadOnlyList<string> outputs)
    {
        const string Features = "SslDonorFeatures";
        var donor = trainer(new MLContext(), label, Features);
        var features = Vector(Features, NumberDataViewType.Single, 1);
        var given = input.First(c => c.Name == label);
        // ML.NET's own trainers take numbers as Single only.
        if (!given.IsKey && given.ItemType is NumberDataViewType && given.ItemType != NumberDataViewType.Single)
            given = Borrow<NumberRow>(label, NumberDataViewType.Single, 0, hasSlotNames: false, hasEncoder: false);
        var shape = donor.GetOutputSchema(new SchemaShape([given, features]));
        return Append(input, [.. outputs.Select(name => shape.First(c => c.Name == name))]);
    }

    /// <summary>The input's columns and those of a classifier whose classes are texts that no column holds.</summary>
    /// <param name="input">Any columns.</param>
    /// <param name="trainer">Makes one of ML.NET's own trainers, of these label and feature columns.</param>
    /// <param name="outputs">Names of the columns that it adds.</param>
    public static SchemaShape AppendClasses(SchemaShape input, Func<MLContext, string, string, IEstimator<ITransformer>> trainer,
        IReadOnlyList<string> outputs)
    {
        const string Label = "SslDonorLabel";
        var text = Borrow<OneTextRow>(Label, TextDataViewType.Instance, 0, hasSlotNames: false, hasEncoder: false);
        var key = new MLContext().Transforms.Conversion.MapValueToKey(Label).GetOutputSchema(new SchemaShape([text]));
        var predicted = AppendPrediction(key, Label, trainer, outputs);
        return Append(input, [.. predicted.Where(column => column.Name != Label)]);
    }

    /// <summary>The input's columns and those of a detector of anomalies: whether a row is one, and its score.</summary>
    public static SchemaShape AppendAnomaly(SchemaShape input, string predictedLabel, string score)
    {
        const string Label = "SslDonorLabel";
        var label = Borrow<FlagRow>(Label, BooleanDataViewType.Instance, 0, hasSlotNames: false, hasEncoder: false);
        var predicted = AppendPrediction(new SchemaShape([label]), Label, static (mlContext, flag, features) =>
            mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression(flag, features), [predictedLabel, score]);
        return Append(input, [.. predicted.Where(column => column.Name != Label)]);
    }

    private static SchemaShape.Column Borrow<TRow>(string name, DataViewType type, int dimension, bool hasSlotNames, bool hasEncoder)
        where TRow : class, new()
    {
        var definition = SchemaDefinition.Create(typeof(TRow), SchemaDefinition.Direction.Write);
        definition[0].ColumnName = name;
        definition[0].ColumnType = type;
        if (hasSlotNames)
        {
            definition[0].AddAnnotation(SlotNames, default(VBuffer<ReadOnlyMemory<char>>),
                new VectorDataViewType(TextDataViewType.Instance, dimension));
        }

        if (hasEncoder)
        {
            definition[0].AddAnnotation(EncoderAnnotation.Kind, default(ReadOnlyMemory<char>), TextDataViewType.Instance);
        }

        // A context of its own: the user's would advance its random stream with every look at a schema.
        var transforms = new MLContext().Transforms;
        var donor = transforms.CustomMapping<NoColumns, TRow>(static (_, _) => { }, null, outputSchemaDefinition: definition);
        return donor.GetOutputSchema(new SchemaShape([])).Single();
    }

    private sealed class NoColumns;

    private sealed class SingleRow
    {
        public VBuffer<float> Values { get; set; }
    }

    private sealed class Int32Row
    {
        public VBuffer<int> Values { get; set; }
    }

    private sealed class LongRow
    {
        public VBuffer<long> Values { get; set; }
    }

    private sealed class NumberRow
    {
        public float Value { get; set; }
    }

    private sealed class FlagRow
    {
        public bool Value { get; set; }
    }

    private sealed class OneTextRow
    {
        public ReadOnlyMemory<char> Value { get; set; }
    }

    private sealed class TextRow
    {
        public VBuffer<ReadOnlyMemory<char>> Values { get; set; }
    }
}
