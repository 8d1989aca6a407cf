using System.CommandLine;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet;
using Ssl.Tool.Data;
using Ssl.Tool.Output;

namespace Ssl.Tool.Commands;

/// <summary><c>ssl embed MODEL DATA -o FILE</c>: one embedding a row, in the order of the rows.</summary>
internal static class EmbedCommand
{
    public static Command Create(ToolConsole console, CancellationToken cancellationToken)
    {
        var model = new Argument<string>("model") { Description = "Folder that \"ssl pretrain\" wrote." };
        var data = new Argument<string>("data") { Description = "File of rows, or folder of images or sounds, as the model learned from." };
        var output = new Option<string>("--output", "-o") { Description = "File to write: .csv, .parquet or .npy.", Required = true };
        var keep = new Option<string[]>("--keep") { Description = "Columns of the data to write along, such as an id.", AllowMultipleArgumentsPerToken = true };
        var format = new Option<string?>("--format") { Description = $"Format of the data where its ending does not say it: {string.Join(", ", DataSettings.Formats)}." };
        var command = new Command("embed", "Write the embeddings of rows.") { model, data, output, keep, format };
        command.SetAction(parsed => Run(console, parsed.GetValue(model)!, parsed.GetValue(data)!, parsed.GetValue(output)!, parsed.GetValue(keep) ?? [], parsed.GetValue(format), cancellationToken));
        return command;
    }

    private static int Run(ToolConsole console, string model, string data, string output, string[] keep, string? format, CancellationToken cancellationToken)
    {
        RequireFormat(format);
        var writerOf = VectorWriter.For(output);
        var folder = ModelFolder.Open(model);
        var mlContext = new MLContext(0);
        console.Follow(mlContext, isVerbose: false);
        using var encoder = folder.LoadEncoder(mlContext.SelfSupervised());
        var rows = folder.Data.At(data, format).Open(mlContext, out _);
        string[] kept = [.. keep.SelectMany(names => names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        foreach (var name in kept)
        {
            if (rows.Schema.GetColumnOrNull(name)?.Type is not (TextDataViewType or NumberDataViewType { RawType.Name: "Single" }))
                throw new UsageException($"--keep {name}: '{data}' has no column '{name}' of texts or numbers. It has: {string.Join(", ", rows.Schema.Select(column => $"{column.Name} ({column.Type})"))}.");
        }
        var embedded = ModelRows.Check(() => encoder.Transform(rows), data, rows.Schema);
        var columns = kept.Append(encoder.OutputColumnName).Select(name => embedded.Schema[name]).ToArray();
        long count = 0;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        var partial = output + ".partial";
        try
        {
            using (var cursor = embedded.GetRowCursor(columns))
            using (var writer = writerOf(partial, cursor, columns))
            {
                while (cursor.MoveNext())
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    writer.Write();
                    count++;
                }
                writer.Complete();
            }
            File.Move(partial, output, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
        console.Output.WriteLine(FormattableString.Invariant($"{output}: {count} rows of {encoder.EmbeddingDimension}"));
        return SslCommand.Success;
    }

    /// <summary>Refuses a name that no format has.</summary>
    internal static void RequireFormat(string? format)
    {
        if (format is not null && !DataSettings.Formats.Contains(format))
            throw new UsageException($"--format must be one of {string.Join(", ", DataSettings.Formats)}, got \"{format}\".");
    }
}
