using Microsoft.ML;

namespace Ssl.Estimators.Rows;

/// <summary>The column that a supervised training learns to predict.</summary>
/// <param name="Name">Its name.</param>
/// <param name="CreateGetter">
/// Reads it as a number: the class from 0, or the value in Double, to be scaled before it is narrowed; NaN where the row has no label.
/// </param>
internal sealed record LabelColumn(string Name, Func<DataViewRow, DataViewSchema.Column, ValueGetter<double>> CreateGetter);
