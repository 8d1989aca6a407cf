using System.CommandLine;
using System.Text.Json;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;
using Ssl.Tool.Configuration;
using Ssl.Tool.Data;

namespace Ssl.Tool.Commands;

/// <summary><c>ssl init [DATA]</c>: writes a commented file of settings to begin with.</summary>
internal static class InitCommand
{
    public static Command Create(ToolConsole console)
    {
        var data = new Argument<string>("data") { Description = "The rows: a file, or a folder of images. Its columns are named in the settings.", Arity = ArgumentArity.ZeroOrOne };
        var method = new Option<string?>("--method", "-m") { Description = "The method; else one that suits the data." };
        var output = new Option<string>("--output", "-o") { Description = "File to write.", DefaultValueFactory = _ => "ssl.json" };
        var command = new Command("init", "Write a file of settings to begin with.") { data, method, output };
        command.SetAction(parsed => Run(console, parsed.GetValue(data), parsed.GetValue(method), parsed.GetValue(output)!));
        return command;
    }

    private static int Run(ToolConsole console, string? data, string? methodName, string output)
    {
        if (File.Exists(output))
            throw new UsageException($"'{output}' is there already: remove it, or name another file with -o.");
        IReadOnlyList<FileColumn> columns = data is null || Directory.Exists(data) ? [] : RowFile.Open(data, new FileSettings()).Columns;
        var texts = columns.Where(column => column.Kind == CellKind.Text).ToArray();
        methodName ??= data is not null && Directory.Exists(data) ? "SimClr" : columns.Any(column => column.Kind == CellKind.Vector) ? "Ts2Vec"
            : data is null || texts.Length == columns.Count ? "SimCse" : "Scarf";
        var method = MethodCatalog.Find(methodName) ?? throw new UsageException(MethodCatalog.Unknown(methodName));
        File.WriteAllText(output, Settings(data ?? "rows.csv", columns, method));
        console.Output.WriteLine($"{output}: {method.FullName}. Look through it, then: ssl pretrain {output} -o model");
        return SslCommand.Success;
    }

    // Some methods want an encoder of patches, and say so.
    private static string ImageEncoder(Method method)
    {
        var options = (ImagePretrainingOptions)Activator.CreateInstance(method.OptionsType)!;
        options.Encoder = ImageEncoders.ResNet18(imageSize: 64, width: 16);
        try
        {
            method.Create(new MLContext(0).SelfSupervised(), options);
            return "{ \"name\": \"ResNet18\", \"imageSize\": 64, \"width\": 16 }";
        }
        catch (ArgumentException)
        {
            return "{ \"name\": \"ViTTiny\", \"imageSize\": 64, \"patchSize\": 8 }";
        }
    }

    private static string Settings(string data, IReadOnlyList<FileColumn> columns, Method method)
    {
        var (options, optionLines) = (Activator.CreateInstance(method.OptionsType)!, new List<string>());
        var found = columns.Count == 0 ? "" : $"  // Columns: {string.Join(", ", columns.Select(column => $"{column.Name} ({column.Kind.ToString().ToLowerInvariant()})"))}\n";
        if (options is TabularPretrainingOptions)
        {
            var names = columns.Where(column => column.Name is not ("Label" or "Id" or "id" or "label")).Select(column => column.Name).DefaultIfEmpty("Column");
            optionLines.Add($"    // The columns to learn from: take out labels and ids.\n    \"InputColumnNames\": {JsonSerializer.Serialize(names)}");
        }
        else if (options is TextPretrainingOptions or TimeSeriesPretrainingOptions)
        {
            var kind = options is TextPretrainingOptions ? CellKind.Text : CellKind.Vector;
            var name = columns.FirstOrDefault(column => column.Kind == kind)?.Name ?? (kind == CellKind.Text ? "Text" : "Series");
            optionLines.Add($"    \"InputColumnName\": {JsonSerializer.Serialize(name)}");
        }
        else if (options is ImagePretrainingOptions)
        {
            optionLines.Add($"    // Images of other sizes are brought to this one.\n    \"Encoder\": {ImageEncoder(method)}");
        }
        var usual = (PretrainingOptions)options;
        optionLines.Add(FormattableString.Invariant($"    \"BatchSize\": {usual.BatchSize}"));
        optionLines.Add(FormattableString.Invariant($"    // Passes over the rows. Left out, few rows get more of them.\n    // \"NumberOfEpochs\": {usual.NumberOfEpochs},\n    // Share of the rows kept aside; the weights with the lowest loss on them are kept.\n    \"ValidationFraction\": 0.1"));
        return $$"""
            // Settings of "ssl pretrain". Options: "ssl methods {{method.Name}}" lists all, with their defaults.
            {
            {{found}}  "data": {
                // csv, tsv, jsonl, parquet, txt (a text a line), or a folder of images.
                "path": {{JsonSerializer.Serialize(data)}},
                // "types": { "Zip": "text" },                  numbers that are names
                // "texts": { "Text": ["Title", "Body"] },      several columns joined to one
                // "vectors": { "Series": ["x0", "x1"] },       several numbers as one vector; "x*" is all that begin so
              },
              "method": "{{method.FullName}}",
              "options": {
            {{string.Join(",\n", optionLines)}}
              },
              "seed": 1,
              // "device": "cpu",                               or "cuda", "cuda:1"
              // "output": "model",                             the folder, where -o does not say it
            }

            """.ReplaceLineEndings("\n");
    }
}
