using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Downstream;

/// <summary>Reads the label of a task as a number: the class from 0, whether it is true, or the value; NaN where a row has none.</summary>
internal static class LabelValues
{
    /// <summary>Throws unless the column has the type of the task.</summary>
    public static void CheckColumn(PredictionKind kind, string name, ColumnShape shape)
    {
        var raw = shape.ItemType is KeyDataViewType key ? key.RawType : shape.ItemType.RawType;
        var scalar = shape.Kind == SchemaShape.Column.VectorKind.Scalar;
        var (fits, expected, advice) = kind switch
        {
            PredictionKind.MulticlassClassification => (shape.IsKey && raw == typeof(uint), "Key<UInt32>",
                "Map it to keys first: mlContext.Transforms.Conversion.MapValueToKey(…)."),
            PredictionKind.BinaryClassification => (shape.ItemType is BooleanDataViewType, "Boolean",
                "Two classes of another type are told apart by the multiclass form."),
            _ => (!shape.IsKey && shape.ItemType is NumberDataViewType, "a number",
                "Convert it first: mlContext.Transforms.Conversion.ConvertType(…, DataKind.Double)."),
        };
        if (!scalar || !fits)
            throw Check.SchemaMismatch("label", name, expected, shape.ToString(), advice);
    }

    /// <summary>Reads the label of the current row.</summary>
    public static Func<double> Getter(PredictionKind kind, DataViewRow row, DataViewSchema.Column label)
    {
        switch (kind)
        {
            case PredictionKind.MulticlassClassification:
                var keys = row.GetGetter<uint>(label);
                return () =>
                {
                    uint key = 0;
                    keys(ref key);
                    return key == 0 ? double.NaN : key - 1;      // raw keys count from 1; 0 is missing
                };
            case PredictionKind.BinaryClassification:
                var answers = row.GetGetter<bool>(label);
                return () =>
                {
                    var answer = false;
                    answers(ref answer);
                    return answer ? 1 : 0;
                };
            default:
                var numbers = NumberColumns.OpenOne(row, label);
                return () =>
                {
                    double number = 0;
                    numbers(ref number);
                    return double.IsFinite(number) ? number : double.NaN;
                };
        }
    }

    /// <summary>What the labels leave to predict.</summary>
    /// <exception cref="InvalidOperationException">All are the same.</exception>
    public static PredictionTask CreateTask(PredictionKind kind, DataViewSchema.Column label, IReadOnlyList<double> labels)
    {
        var classes = kind == PredictionKind.MulticlassClassification ? ClassValues.Of(label) : null;
        if (labels.Distinct().Take(2).Count() < 2)
        {
            var value = classes is null ? labels[0].ToString(System.Globalization.CultureInfo.InvariantCulture)
                : classes.Texts[(int)labels[0]];
            throw new InvalidOperationException($"All {labels.Count} rows have the same label, '{value}', in column '{label.Name}': "
                + "there is nothing to tell apart. Give Fit rows with different labels.");
        }

        return new PredictionTask(kind, classes);
    }
}
