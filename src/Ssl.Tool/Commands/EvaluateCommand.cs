using System.CommandLine;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Data;
using Ssl.Estimators.Evaluation;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.MLNet;
using Ssl.Tool.Data;

namespace Ssl.Tool.Commands;

/// <summary>
/// <c>ssl evaluate MODEL DATA --label L</c>: how well nearest neighbors and a linear classifier tell labels from the embedding, beside what they tell from
/// the same network without pretraining and from plain features of the columns.
/// </summary>
internal static class EvaluateCommand
{
    private const string LabelKey = "__LabelKey";

    public static Command Create(ToolConsole console, CancellationToken cancellationToken)
    {
        var model = new Argument<string>("model") { Description = "Folder that \"ssl pretrain\" wrote." };
        var data = new Argument<string>("data") { Description = "Rows with labels: a file, or a folder of images or sounds in folders by class." };
        var label = new Option<string>("--label", "-l") { Description = "Column of classes.", DefaultValueFactory = _ => "Label" };
        var most = new Option<int>("--rows") { Description = "Labeled rows at most; of more, so many are drawn.", DefaultValueFactory = _ => 5_000 };
        var seed = new Option<int>("--seed") { Description = "Seed of the draws.", DefaultValueFactory = _ => 0 };
        var json = new Option<bool>("--json") { Description = "Write JSON in place of the table." };
        var format = new Option<string?>("--format") { Description = $"Format of the data where its ending does not say it: {string.Join(", ", DataSettings.Formats)}." };
        var command = new Command("evaluate", "Measure a model on labeled rows, beside baselines.") { model, data, label, most, seed, json, format };
        command.SetAction(parsed => Run(console, parsed.GetValue(model)!, parsed.GetValue(data)!, parsed.GetValue(label)!, parsed.GetValue(most), parsed.GetValue(seed), parsed.GetValue(json),
            parsed.GetValue(format), cancellationToken));
        return command;
    }

    private static int Run(ToolConsole console, string model, string data, string label, int most, int seed, bool json, string? format, CancellationToken cancellationToken)
    {
        EmbedCommand.RequireFormat(format);
        if (most < 2)
            throw new UsageException($"--rows must be at least 2, got {most}.");
        var folder = ModelFolder.Open(model);
        var mlContext = new MLContext(seed);
        console.Follow(mlContext, isVerbose: false);
        using var encoder = folder.LoadEncoder(mlContext.SelfSupervised());
        var all = folder.Data.At(data, format).Open(mlContext, out _);
        if (all.Schema.GetColumnOrNull(label) is null)
            throw new UsageException($"'{data}' has no column '{label}' of labels: say --label NAME. It has: {string.Join(", ", all.Schema.Select(column => column.Name))}.");
        all = mlContext.Transforms.Conversion.MapValueToKey(LabelKey, label, maximumNumberOfKeys: 100_000).Fit(all).Transform(all);
        var (chosen, classes) = Draw(all, most, seed, cancellationToken);
        if (classes.Distinct().Take(2).Count() < 2)
            throw new UsageException($"Column '{label}' of '{data}' has {(classes.Length == 0 ? "no labels" : "one class only")}: there is nothing to tell apart.");
        var rows = new ChosenRowsView(all, chosen);

        var report = new List<Measured>();
        Measure("pretrained", () => ModelRows.Check(() => encoder.Transform(rows), data, rows.Schema), encoder.OutputColumnName, LabelKey);
        using (var untrained = encoder.Untrained(mlContext, seed))
            Measure("not trained", () => untrained.Transform(rows), encoder.OutputColumnName, LabelKey);
        if (PlainVectors(rows, classes, encoder, cancellationToken) is { } plain)
            Measure("plain features", () => plain, LabeledVectorView.Features, LabeledVectorView.Label);
        var largest = classes.GroupBy(c => c).Max(group => group.Count()) / (double)classes.Length;
        if (json)
            WriteJson(console.Output, label, classes, largest, report);
        else
            WriteTable(console.Output, label, classes, largest, report);
        return SslCommand.Success;

        void Measure(string name, Func<IDataView> features, string featureColumn, string labelColumn)
        {
            cancellationToken.ThrowIfCancellationRequested();
            report.Add(new Measured(name, mlContext.SelfSupervised().EvaluateRepresentation(features(), new RepresentationEvaluationOptions
            {
                FeatureColumnName = featureColumn,
                LabelColumnName = labelColumn,
                MaximumNumberOfRows = Math.Max(2, most),
                Seed = seed,
            })));
        }
    }

    // Labeled rows, drawn where there are more than asked for, in their order, and their classes from 0.
    private static (int[] Rows, int[] Classes) Draw(IDataView rows, int most, int seed, CancellationToken cancellationToken)
    {
        var keys = new List<(int Row, int Class)>();
        var position = 0;
        foreach (var key in rows.GetColumn<uint>(LabelKey))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (key > 0)
                keys.Add((position, (int)key - 1));
            position++;
        }
        var drawn = keys.ToArray();
        if (drawn.Length > most)
        {
            new ShuffleRandom((ulong)seed).Shuffle(drawn);
            drawn = [.. drawn.Take(most).OrderBy(row => row.Row)];
        }
        return ([.. drawn.Select(row => row.Row)], [.. drawn.Select(row => row.Class)]);
    }

    // Null where the columns are of a kind that has none: images, and series of differing lengths.
    private static LabeledVectorView? PlainVectors(IDataView rows, int[] classes, EncoderTransformer encoder, CancellationToken cancellationToken)
    {
        if (encoder.InputColumnNames.All(name => TableColumnKinds.Of(ColumnShape.Find(rows.Schema, name)) is null))
            return null;
        var features = PlainFeatures.Learn(rows, encoder.Model, cancellationToken);
        return new LabeledVectorView([.. features.Of(rows, cancellationToken)], classes, classes.Max() + 1);
    }

    private static void WriteTable(TextWriter output, string label, int[] classes, double largest, List<Measured> report)
    {
        Line("accuracy", "neighbors", "linear probe", "dimension");
        Line("---", "---", "---", "---");
        foreach (var (name, metrics) in report)
            Line(name, Share(metrics.NearestNeighborAccuracy), Share(metrics.LinearProbeAccuracy), $"{metrics.Dimension}");
        Line("largest class", Share(largest), Share(largest), "");
        output.WriteLine();
        output.WriteLine($"{label}: {classes.Distinct().Count()} classes, {classes.Length} rows. Neighbors: a vote of the {RepresentationEvaluationOptions.Defaults.NumberOfNeighbors} nearest other rows. "
            + FormattableString.Invariant($"Linear probe: tested on {RepresentationEvaluationOptions.Defaults.TestFraction:0%} of the rows, trained on the others."));

        void Line(string name, string neighbors, string probe, string dimension) => output.WriteLine($"| {name,-14} | {neighbors,9} | {probe,12} | {dimension,9} |");

        static string Share(double? value) => value is { } share ? FormattableString.Invariant($"{share:.000}") : "";
    }

    private static void WriteJson(TextWriter output, string label, int[] classes, double largest, List<Measured> report)
        => output.WriteLine(JsonSerializer.Serialize(new
        {
            label,
            rows = classes.Length,
            classes = classes.Distinct().Count(),
            largestClassShare = largest,
            features = report.Select(measured => new
            {
                measured.Name,
                measured.Metrics.Dimension,
                measured.Metrics.NearestNeighborAccuracy,
                measured.Metrics.LinearProbeAccuracy,
                measured.Metrics.EffectiveRank,
                measured.Metrics.Spread,
                measured.Metrics.Uniformity,
            }),
        }, Json.Options));

    private sealed record Measured(string Name, RepresentationMetrics Metrics);
}
