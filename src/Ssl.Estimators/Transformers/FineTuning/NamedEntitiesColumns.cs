using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Interop;

namespace Ssl.Estimators.Transformers;

/// <summary>The output columns of found entities.</summary>
internal static class NamedEntitiesColumns
{
    public const string Text = "EntityText", Label = "EntityLabel", Start = "EntityStart", Length = "EntityLength", Score = "EntityScore";

    /// <summary>Their names, in their order.</summary>
    public static IReadOnlyList<string> Names(UnitKind kind) => kind == UnitKind.Words
        ? [PredictionColumns.PredictedLabel, Text, Label, Start, Length, Score] : [Text, Label, Start, Length, Score];

    /// <summary>The input's columns and these.</summary>
    public static DataViewSchema Append(DataViewSchema input, UnitKind kind, ClassValues classes)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input);
        foreach (var name in Names(kind))
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            if (name == PredictionColumns.PredictedLabel)
                classes.AddTo(annotations, "KeyValues");
            schema.AddColumn(name, new VectorDataViewType(name == PredictionColumns.PredictedLabel ? new KeyDataViewType(typeof(uint), classes.Count) : TypeOf(name)),
                annotations.ToAnnotations());
        }
        return schema.ToSchema();
    }

    /// <summary>The same before Fit.</summary>
    public static SchemaShape Append(SchemaShape input, UnitKind kind, string labelColumn) => SchemaShapes.Append(input, [.. Names(kind).Select(name =>
        name == PredictionColumns.PredictedLabel ? SchemaShapes.KeyVector(name, input.First(column => column.Name == labelColumn))
            : SchemaShapes.VariableVector(name, TypeOf(name)))]);

    private static PrimitiveDataViewType TypeOf(string name) => name switch
    {
        Text or Label => TextDataViewType.Instance,
        Start or Length => NumberDataViewType.Int32,
        _ => NumberDataViewType.Single,
    };
}
