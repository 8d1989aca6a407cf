using System.Collections;
using System.Globalization;
using System.Reflection;
using Ssl.Estimators;
using Ssl.Estimators.Methods;

namespace Ssl.Tool.Configuration;

/// <summary>An option as a file of settings states it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Default">Its default value as JSON.</param>
/// <param name="Allowed">What it may be; empty where the type says it.</param>
/// <param name="Comment">What it does.</param>
internal sealed record OptionEntry(string Name, string Default, string Allowed, string Comment);

/// <summary>The options of a method that a file can state, from their declarations.</summary>
internal static class OptionList
{
    private static readonly HashSet<string> s_notInFiles = [nameof(PretrainingOptions.Progress), nameof(PretrainingOptions.CancellationToken), nameof(PretrainingOptions.CheckpointPath)];

    public static IEnumerable<OptionEntry> Of(Method method)
    {
        var options = Activator.CreateInstance(method.OptionsType)!;
        foreach (var property in OptionRuleAttribute.OptionsOf(method.OptionsType).Where(property => !s_notInFiles.Contains(property.Name) && CanBeStated(property.PropertyType)))
            yield return new OptionEntry(property.Name, Json(property.GetValue(options)), Allowed(property), OptionComments.Of(property));
    }

    private static bool CanBeStated(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(TimeSpan) || type.IsAssignableTo(typeof(IEnumerable)) || Maker.Of(type).Count > 0;
    }

    private static string Allowed(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (property.GetCustomAttribute<OptionRuleAttribute>() is { } rule)
            return rule.Rule + (type != property.PropertyType ? ", or null" : "");
        if (type.IsEnum)
            return string.Join(", ", Enum.GetNames(type).Select(name => $"\"{name}\""));
        var names = Maker.Of(type).Select(maker => maker.Name).ToArray();
        return names.Length == 0 ? "" : $"null, {(type.IsAssignableTo(typeof(EncoderFactory)) ? "{ \"pretrained\": FOLDER }, " : "")}or {{ \"name\": ... }} with one of {string.Join(", ", names)}";
    }

    private static string Json(object? value) => value switch
    {
        null => "null",
        bool on => on ? "true" : "false",
        string text => $"\"{text}\"",
        Enum choice => $"\"{choice}\"",
        TimeSpan span => $"\"{span}\"",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => $"[{string.Join(", ", items.Cast<object>().Select(Json))}]",
        _ => "null",
    };
}
