using Ssl.Estimators.Training.Checkpoints;
using static System.FormattableString;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Options in words, from their declarations.</summary>
internal static class OptionTexts
{
    private const string TrainerSuffix = "Trainer";

    /// <summary>
    /// What a run is, in one line of the log: "SimClr on cpu, seed 1, 40 steps (10 epochs of 4): LearningRate 0.01, Encoder.width 32".
    /// </summary>
    /// <param name="trainer">The estimator's type.</param>
    /// <param name="options">Its options; those that differ from their defaults are told.</param>
    /// <param name="numberOfEpochs">Passes over the rows; 0 where nothing is trained.</param>
    /// <param name="stepsPerEpoch">Null where the rows are streamed and not counted yet.</param>
    /// <param name="seed">The seed that is used.</param>
    /// <param name="device">The device that is used.</param>
    /// <param name="omitted">Names of options that are told otherwise.</param>
    public static string Run(Type trainer, object options, int numberOfEpochs, long? stepsPerEpoch, long seed, Device device,
        params IReadOnlyCollection<string> omitted)
    {
        var name = trainer.Name.EndsWith(TrainerSuffix, StringComparison.Ordinal) ? trainer.Name[..^TrainerSuffix.Length] : trainer.Name;
        var length = (numberOfEpochs, stepsPerEpoch) switch
        {
            (0, _) => "untrained",
            (_, { } steps) => Invariant($"{numberOfEpochs * steps:N0} steps ({numberOfEpochs} epochs of {steps:N0})"),
            _ => Invariant($"{numberOfEpochs} epochs of streamed rows"),
        };
        var changed = Changed(options, omitted);
        return Invariant($"{name} on {TorchDevice.Describe(device)}, seed {seed}, {length}: {(changed == "" ? "all options have their defaults" : changed)}");
    }

    /// <summary>"LearningRate 0.01, Encoder.width 32": the options whose value is not the one that they are declared with.</summary>
    /// <param name="options">Where its type has no public constructor without parameters, there are no defaults and all are told.</param>
    /// <param name="omitted">Names of options that are told otherwise.</param>
    public static string Changed(object options, params IReadOnlyCollection<string> omitted)
    {
        var defaults = options.GetType().GetConstructor([])?.Invoke([]);
        return string.Join(", ", OptionRuleAttribute.OptionsOf(options.GetType())
            .Where(option => !omitted.Contains(option.Name) && !IsWiring(option.PropertyType))
            .SelectMany(option =>
            {
                string[] texts = [.. Texts(option.Name, option.GetValue(options))];
                return defaults is not null && texts.SequenceEqual(Texts(option.Name, option.GetValue(defaults))) ? [] : texts;
            }));
    }

    private static IEnumerable<string> Texts(string name, object? value)
        => StableText.Of(name, value is string text ? $"'{text}'" : value).Select(item => $"{item.Name} {item.Text}");

    // Whom a run reports to, and who may end it, is no setting of the run.
    private static bool IsWiring(Type type)
        => type == typeof(CancellationToken) || type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IProgress<>);
}
