using System.CommandLine;
using Microsoft.ML;
using Ssl.MLNet;

namespace Ssl.Tool.Commands;

/// <summary><c>ssl export MODEL -o model.onnx</c> or <c>-o FOLDER</c>: for ONNX Runtime, or for Python's transformers.</summary>
internal static class ExportCommand
{
    public static Command Create(ToolConsole console)
    {
        var model = new Argument<string>("model") { Description = "Folder that \"ssl pretrain\" wrote." };
        var output = new Option<string>("--output", "-o") { Description = "A file ending in .onnx, or a folder for safetensors.", Required = true };
        var command = new Command("export", "Write a model as ONNX, or as a folder of safetensors.") { model, output };
        command.SetAction(parsed => Run(console, parsed.GetValue(model)!, parsed.GetValue(output)!));
        return command;
    }

    private static int Run(ToolConsole console, string model, string output)
    {
        var mlContext = new MLContext(0);
        console.Follow(mlContext, isVerbose: false);
        var ssl = mlContext.SelfSupervised();
        using var encoder = ModelFolder.Open(model).LoadEncoder(ssl);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        if (Path.GetExtension(output).Equals(".onnx", StringComparison.OrdinalIgnoreCase))
        {
            console.Output.WriteLine(ssl.ExportOnnx(encoder, output));
            return SslCommand.Success;
        }
        if (Path.GetExtension(output).Length > 0)
            throw new UsageException($"--output must be a file ending in .onnx, or a folder for safetensors, got '{output}'.");
        ssl.SavePretrained(encoder, output);
        console.Output.WriteLine($"{output}: {string.Join(", ", Directory.EnumerateFiles(output).Select(Path.GetFileName).Order(StringComparer.Ordinal))}");
        return SslCommand.Success;
    }
}
