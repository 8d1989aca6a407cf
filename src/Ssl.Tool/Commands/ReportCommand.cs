using System.CommandLine;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Serialization;
using Ssl.MLNet;
using Ssl.Tool.Data;

namespace Ssl.Tool.Commands;

/// <summary><c>ssl report MODEL DATA -o report.html</c>: one page about a model, to look at and to pass on.</summary>
internal static class ReportCommand
{
    public static Command Create(ToolConsole console, CancellationToken cancellationToken)
    {
        var defaults = new ReportOptions();
        var model = new Argument<string>("model") { Description = "Folder that \"ssl pretrain\" wrote." };
        var data = new Argument<string>("data") { Description = "Rows as the model learned from: a file, or a folder of images or sounds." };
        var output = new Option<string>("--output", "-o") { Description = "Page to write, an HTML file.", DefaultValueFactory = _ => "report.html" };
        var label = new Option<string?>("--label", "-l") { Description = "Column of classes to compare with; without it nothing is said of classes." };
        var display = new Option<string?>("--display") { Description = "Column by which rows are shown; without it, what the model reads." };
        var title = new Option<string?>("--title") { Description = "The page's title." };
        var most = new Option<int>("--rows") { Description = "Rows at most; of more, so many are drawn.", DefaultValueFactory = _ => defaults.MaximumNumberOfRows };
        var seed = new Option<int>("--seed") { Description = "Seed of the draws.", DefaultValueFactory = _ => 0 };
        var format = new Option<string?>("--format") { Description = $"Format of the data where its ending does not say it: {string.Join(", ", DataSettings.Formats)}." };
        var command = new Command("report", "Write a page about a model: losses, figures, maps, neighbors.") { model, data, output, label, display, title, most, seed, format };
        command.SetAction(parsed => Run(console, parsed.GetValue(model)!, parsed.GetValue(data)!, parsed.GetValue(output)!, parsed.GetValue(format), new ReportOptions
        {
            LabelColumnName = parsed.GetValue(label), DisplayColumnName = parsed.GetValue(display), Title = parsed.GetValue(title),
            MaximumNumberOfRows = parsed.GetValue(most), Seed = parsed.GetValue(seed), CancellationToken = cancellationToken,
        }));
        return command;
    }

    private static int Run(ToolConsole console, string model, string data, string output, string? format, ReportOptions options)
    {
        EmbedCommand.RequireFormat(format);
        if (options.MaximumNumberOfRows < 10)
            throw new UsageException($"--rows must be at least 10, got {options.MaximumNumberOfRows}.");
        var folder = ModelFolder.Open(model);
        var mlContext = new MLContext(options.Seed);
        console.Follow(mlContext, isVerbose: false);
        using var encoder = folder.LoadEncoder(mlContext.SelfSupervised());
        var rows = folder.Data.At(data, format).Open(mlContext, out _);
        foreach (var (option, name) in new[] { ("--label", options.LabelColumnName), ("--display", options.DisplayColumnName) })
        {
            if (name is not null && rows.Schema.GetColumnOrNull(name) is null)
                throw new UsageException($"{option} {name}: '{data}' has no column '{name}'. It has: {string.Join(", ", rows.Schema.Select(column => column.Name))}.");
        }
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        AtomicFile.RequireWritable(output);
        options.Progress = new Lines(console);
        var report = ModelRows.Check(() => mlContext.SelfSupervised().Report(rows, encoder, options), data, rows.Schema);
        report.Save(output);
        console.Output.WriteLine(report);
        console.Output.WriteLine(output);
        return SslCommand.Success;
    }

    private sealed class Lines(ToolConsole console) : IProgress<string>
    {
        public void Report(string value) => console.Tell($"{char.ToUpperInvariant(value[0])}{value[1..]} ...");
    }
}
