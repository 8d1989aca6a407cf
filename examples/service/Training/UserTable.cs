using Microsoft.ML;
using Microsoft.ML.Data;

namespace SearchService.Training;

/// <summary>The rows of a table of the user.</summary>
internal static class UserTable
{
    /// <summary>Reads the named columns; rows without a text are left out.</summary>
    /// <exception cref="FormatException">A column is not there, or nothing is.</exception>
    public static TrainingRow[] Read(MLContext mlContext, TrainArguments arguments)
    {
        var path = arguments.Data!;
        var separator = Path.GetExtension(path).Equals(".tsv", StringComparison.OrdinalIgnoreCase) ? '\t' : ',';
        var header = (File.ReadLines(path).FirstOrDefault() ?? throw new FormatException($"'{path}' is empty."))
            .Split(separator).Select(name => name.Trim().Trim('"')).ToArray();
        var columns = new List<TextLoader.Column>();
        void Add(string name, string? column)
        {
            if (column is null)
                return;
            var index = Array.IndexOf(header, column);
            if (index < 0)
                throw new FormatException($"'{path}' has no column '{column}'; it has: {string.Join(", ", header)}.");
            columns.Add(new TextLoader.Column(name, DataKind.String, index));
        }
        Add(nameof(TrainingRow.Text), arguments.Text);
        Add(nameof(TrainingRow.Pair), arguments.Pair);
        Add(nameof(TrainingRow.Label), arguments.Label);
        Add(nameof(TrainingRow.Id), arguments.Id);
        var view = mlContext.Data.LoadFromTextFile(path, new TextLoader.Options
        {
            Columns = [.. columns],
            Separators = [separator],
            HasHeader = true,
            AllowQuoting = true,
            ReadMultilines = true,
        });
        TrainingRow[] rows = [.. mlContext.Data.CreateEnumerable<TrainingRow>(view, reuseRowObject: false, ignoreMissingColumns: true)
            .Where(row => !string.IsNullOrWhiteSpace(row.Text) && (arguments.Pair is null || !string.IsNullOrWhiteSpace(row.Pair)))];
        return rows.Length > 0 ? rows : throw new FormatException($"'{path}' has no row with a text in '{arguments.Text}'.");
    }
}
