using System.CommandLine;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Training;
using Ssl.MLNet;
using Ssl.Tool.Configuration;
using Ssl.Tool.Output;

namespace Ssl.Tool.Commands;

/// <summary><c>ssl pretrain CONFIG -o MODEL</c>: trains as a file of settings says, and writes a model folder.</summary>
internal static class PretrainCommand
{
    public static Command Create(ToolConsole console, CancellationToken cancellationToken)
    {
        var config = new Argument<string>("config") { Description = "File of settings, JSON with comments; \"ssl init\" writes one." };
        var output = new Option<string?>("--output", "-o") { Description = "Folder for the model; else \"output\" of the settings." };
        var resume = new Option<bool>("--resume") { Description = "Go on with an interrupted training of the same settings." };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace a model that is there." };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Show all that the log tells of the run." };
        var command = new Command("pretrain", "Pretrain an encoder on rows without labels.") { config, output, resume, overwrite, verbose };
        command.SetAction(parsed => Run(console, parsed.GetValue(config)!, parsed.GetValue(output), parsed.GetValue(resume), parsed.GetValue(overwrite), parsed.GetValue(verbose), cancellationToken));
        return command;
    }

    private static int Run(ToolConsole console, string config, string? output, bool resume, bool overwrite, bool verbose, CancellationToken cancellationToken)
    {
        using var settings = PretrainSettings.Read(config);
        var folder = output ?? settings.Output ?? throw new UsageException("Say where the model goes: -o FOLDER, or \"output\" in the settings.");
        var checkpoint = Path.Combine(folder, ModelFolder.CheckpointName);
        PrepareFolder(folder, checkpoint, resume, overwrite);
        console.Follow(settings.MLContext, verbose);
        settings.Options.CheckpointPath = checkpoint;
        settings.Options.CancellationToken = cancellationToken;
        using var progress = TrainingProgress.On(console);
        settings.Options.Progress = progress;
        var trainer = settings.CreateTrainer();
        var rows = settings.Data.Open(settings.MLContext, out var columns);
        using var encoder = Fit(settings, trainer, rows);
        progress.Dispose();

        ModelFolder.Write(folder, settings.MLContext.SelfSupervised(), encoder, settings.Root, columns);
        var wasCanceled = cancellationToken.IsCancellationRequested;
        if (!wasCanceled)
            File.Delete(checkpoint);
        console.Output.WriteLine($"{folder}: {settings.Method.FullName}, {encoder.EmbeddingDimension} numbers a row{Losses(encoder)}");
        if (wasCanceled)
            console.Tell($"Canceled. The model has the weights as far as it came; \"ssl pretrain {config} -o {folder} --resume\" goes on after the last whole epoch.");
        return wasCanceled ? SslCommand.Canceled : SslCommand.Success;
    }

    private static void PrepareFolder(string folder, string checkpoint, bool resume, bool overwrite)
    {
        var (hasModel, hasCheckpoint) = (File.Exists(Path.Combine(folder, ModelFolder.SettingsName)), File.Exists(checkpoint));
        if (resume && overwrite)
            throw new UsageException("--resume and --overwrite exclude each other.");
        if (resume && !hasCheckpoint)
            throw new UsageException($"There is nothing to go on with in '{folder}': it has no {ModelFolder.CheckpointName}.");
        if (!resume && !overwrite && (hasModel || hasCheckpoint))
        {
            throw new UsageException(hasCheckpoint ? $"An interrupted training lies in '{folder}': --resume goes on with it, --overwrite begins anew."
                : $"There is a model in '{folder}': --overwrite replaces it.");
        }
        Directory.CreateDirectory(folder);
        if (overwrite)
            File.Delete(checkpoint);
    }

    // Columns that do not fit are a fault of the settings, and what there is helps.
    private static EncoderTransformer Fit(PretrainSettings settings, IEstimator<EncoderTransformer> trainer, IDataView rows)
    {
        try
        {
            return trainer.Fit(rows);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw settings.Fault($"{ValueReader.WithoutParameter(e)} Columns of '{settings.Data.Path}': {string.Join(", ", rows.Schema.Select(column => $"{column.Name} ({column.Type})"))}.");
        }
    }

    private static string Losses(EncoderTransformer encoder)
        => encoder.TrainingHistory is { Epochs: [.., { } last] epochs } ? FormattableString.Invariant($", {epochs.Count} epochs, loss {ProgressText.Number(last.Loss)}") : "";
}
