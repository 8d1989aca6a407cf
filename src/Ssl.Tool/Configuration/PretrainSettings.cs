using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;
using Ssl.Tool.Data;

namespace Ssl.Tool.Configuration;

/// <summary>A file of settings for <c>ssl pretrain</c>, read and checked.</summary>
internal sealed class PretrainSettings : IDisposable
{
    /// <summary>Options that the command sets.</summary>
    private static readonly HashSet<string> s_reserved = [nameof(PretrainingOptions.Progress), nameof(PretrainingOptions.CancellationToken), nameof(PretrainingOptions.CheckpointPath)];

    private readonly ValueReader _values;
    private readonly ConfigNode _optionsNode;

    private PretrainSettings(string path, ConfigNode root, MLContext mlContext, DataSettings data, Method method, PretrainingOptions options, string? output, ValueReader values,
        ConfigNode optionsNode)
    {
        (Path, Root, MLContext, Data, Method, Options, Output) = (path, root, mlContext, data, method, options, output);
        (_values, _optionsNode) = (values, optionsNode);
    }

    public string Path { get; }

    public ConfigNode Root { get; }

    public MLContext MLContext { get; }

    public DataSettings Data { get; }

    public Method Method { get; }

    public PretrainingOptions Options { get; }

    public string? Output { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConfigException">Something in it is wrong; all faults at once.</exception>
    public static PretrainSettings Read(string path)
    {
        if (!File.Exists(path))
            throw new UsageException($"There is no file '{path}'. \"ssl init\" writes one to begin with.");
        var root = ConfigNode.Parse(path, File.ReadAllText(path));
        var faults = new ConfigFaults(path);
        if (root.Kind != JsonValueKind.Object)
            faults.Add(root, "The file must hold an object: { \"data\": ..., \"method\": ..., \"options\": ... }.");
        faults.RequireKnown(root, "The file", "data", "method", "options", "seed", "device", "output");
        var data = DataSettings.Read(root["data"], faults, root);
        var mlContext = new MLContext(Seed(root, faults));
        SetDevice(mlContext, root, faults);
        var method = faults.Text(root, "method") is { } name ? MethodCatalog.Find(name) : null;
        if (root["method"] is not { } methodNode)
            faults.Add(root, "\"method\" is missing: the name of a method, such as \"SimCse\". \"ssl methods\" lists all.");
        else if (method is null && methodNode.Kind == JsonValueKind.String)
            faults.Add(methodNode, MethodCatalog.Unknown(methodNode.Text));
        var values = new ValueReader(mlContext.SelfSupervised(), faults);
        var options = method is null ? null : (PretrainingOptions)Activator.CreateInstance(method.OptionsType)!;
        if (options is not null && root["options"] is { } optionsNode)
            values.Set(options, optionsNode, s_reserved);
        try
        {
            faults.ThrowIfAny();
            return new PretrainSettings(path, root, mlContext, data!, method!, options!, faults.Text(root, "output"), values, root["options"] ?? root);
        }
        catch (ConfigException)
        {
            values.Dispose();
            throw;
        }
    }

    /// <summary>The trainer. Rules between options are checked here.</summary>
    public IEstimator<EncoderTransformer> CreateTrainer()
    {
        try
        {
            return Method.Create(MLContext.SelfSupervised(), Options);
        }
        catch (ArgumentException e)
        {
            throw Fault(ValueReader.WithoutParameter(e));
        }
    }

    /// <summary>A fault of the options as a whole.</summary>
    public ConfigException Fault(string sentence) => new(Path, [new ConfigFault(_optionsNode.Line, sentence)]);

    public void Dispose() => _values.Dispose();

    private static int? Seed(ConfigNode root, ConfigFaults faults)
    {
        if (root["seed"] is not { } seed)
            return null;
        if (int.TryParse(seed.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        faults.Add(seed, $"\"seed\" must be a whole number, got {seed.Text}.");
        return null;
    }

    private static void SetDevice(MLContext mlContext, ConfigNode root, ConfigFaults faults)
    {
        mlContext.FallbackToCpu = false;
        if (faults.Text(root, "device") is { } device && !Devices.TryParse(device, out var gpu))
            faults.Add(root["device"]!, $"\"device\" must be \"cpu\", \"cuda\" or \"cuda:N\", got \"{device}\".");
        else if (root["device"] is not null)
            mlContext.GpuDeviceId = Devices.TryParse(root["device"]!.Text, out var number) ? number : null;
    }
}

/// <summary>Names of devices.</summary>
internal static class Devices
{
    public static bool TryParse(string name, out int? gpu)
    {
        gpu = name == "cuda" ? 0 : null;
        if (name is "cpu" or "cuda")
            return true;
        if (!name.StartsWith("cuda:", StringComparison.Ordinal) || !int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        gpu = number;
        return true;
    }
}
