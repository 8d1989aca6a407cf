using System.Globalization;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Ssl.Estimators;
using Ssl.Estimators.Methods;
using Ssl.MLNet;

namespace Ssl.Tool.Configuration;

/// <summary>
/// Makes values of the library's types of a configuration's values: numbers, texts, enumerations, lists, and, by their names and parameters, whatever
/// the library's static classes and public constructors make: encoders, views, spectrograms.
/// </summary>
internal sealed class ValueReader(SelfSupervisedCatalog ssl, ConfigFaults faults) : IDisposable
{
    private const string NameKey = "name", PretrainedKey = "pretrained", ModelKey = "model";

    private readonly List<IDisposable> _owned = [];

    /// <summary>Sets options, and adds a fault for each that is unknown, of another type or out of its range.</summary>
    public void Set(object options, ConfigNode node, IReadOnlySet<string> reserved)
    {
        if (node.Kind != JsonValueKind.Object)
        {
            faults.Add(node, $"\"options\" must be an object, such as {{ \"BatchSize\": 64 }}, got {node.Text}.");
            return;
        }
        var properties = OptionRuleAttribute.OptionsOf(options.GetType()).DistinctBy(property => property.Name).ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in node.Members)
        {
            if (!properties.TryGetValue(name, out var property))
                faults.Add(value, $"There is no option \"{name}\" of this method{Names.Nearest(name, properties.Keys)} \"ssl methods NAME\" lists them.");
            else if (reserved.Contains(property.Name))
                faults.Add(value, $"The option {property.Name} is set by the command itself: remove it.");
            else if (TryRead(property.PropertyType, property.Name, value, IsNullable(property), out var read))
                Set(options, property, value, read);
        }
    }

    private void Set(object options, PropertyInfo property, ConfigNode node, object? value)
    {
        if (property.GetCustomAttribute<OptionRuleAttribute>() is { } rule && !rule.Allows(value))
            faults.Add(node, $"{property.Name} {rule.Rule}, got {(node.Kind == JsonValueKind.String ? $"\"{node.Text}\"" : node.Text)}.");
        else
            property.SetValue(options, value);
    }

    private bool TryRead(Type type, string name, ConfigNode node, bool nullable, out object? value)
    {
        value = null;
        if (node.Kind == JsonValueKind.Null)
            return nullable || Fault(node, $"{name} must not be null.");
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        if (bare == typeof(string))
            return node.Kind == JsonValueKind.String ? Is(node.Text, out value) : Fault(node, $"{name} must be a text, got {node.Text}.");
        if (bare == typeof(bool))
            return node.Kind is JsonValueKind.True or JsonValueKind.False ? Is(node.Kind == JsonValueKind.True, out value) : Fault(node, $"{name} must be true or false, got {node.Text}.");
        if (bare.IsEnum)
        {
            return node.Kind == JsonValueKind.String && Enum.TryParse(bare, node.Text, ignoreCase: true, out value) && Enum.IsDefined(bare, value!)
                || Fault(node, $"{name} must be one of {string.Join(", ", Enum.GetNames(bare))}, got {node.Text}.");
        }
        if (bare == typeof(int) || bare == typeof(long))
        {
            return node.Kind == JsonValueKind.Number && long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
                && (bare == typeof(long) || whole is >= int.MinValue and <= int.MaxValue) ? Is(bare == typeof(long) ? (object)whole : (int)whole, out value)
                : Fault(node, $"{name} must be a whole number, got {node.Text}.");
        }
        if (bare == typeof(double) || bare == typeof(float))
        {
            return node.Kind == JsonValueKind.Number && double.TryParse(node.Text, CultureInfo.InvariantCulture, out var number)
                ? Is(bare == typeof(double) ? (object)number : (float)number, out value) : Fault(node, $"{name} must be a number, got {node.Text}.");
        }
        if (bare == typeof(TimeSpan))
        {
            return node.Kind == JsonValueKind.String && TimeSpan.TryParse(node.Text, CultureInfo.InvariantCulture, out var span) ? Is(span, out value)
                : Fault(node, $"{name} must be a time as \"hours:minutes:seconds\", got {node.Text}.");
        }
        if (ItemType(bare) is { } item)
            return TryReadList(item, name, node, out value);
        return TryMake(bare, name, node, out value);
    }

    private bool TryReadList(Type item, string name, ConfigNode node, out object? value)
    {
        value = null;
        if (node.Kind != JsonValueKind.Array)
            return Fault(node, $"{name} must be an array, got {node.Text}.");
        var made = Array.CreateInstance(item, node.Items.Count);
        var all = true;
        foreach (var (i, entry) in node.Items.Index())
        {
            if (TryRead(item, name, entry, nullable: false, out var read))
                made.SetValue(read, i);
            else
                all = false;
        }
        return all && Is(made, out value);
    }

    // A name with parameters; of a type that is made in one way only, the parameters alone; of several in one, an array.
    private bool TryMake(Type type, string name, ConfigNode node, out object? value)
    {
        value = null;
        if (node.Kind == JsonValueKind.Object && type.IsAssignableTo(typeof(EncoderFactory)) && TryStart(type, name, node, out value, out var handled))
            return handled;
        var makers = Maker.Of(type);
        if (makers.Count == 0)
            return Fault(node, $"{name} can only be set in a program: its type, {type.Name}, is one of code.");
        if (node.Kind == JsonValueKind.Array)
        {
            return makers.FirstOrDefault(maker => maker.Name == "Compose") is { } compose ? TryCall(compose, name, node, [(compose.Parameters[0].Name!, node)], out value)
                : Fault(node, $"{name} must be one, got an array.");
        }
        if (makers is [{ } only] && node.Kind == JsonValueKind.Object && node[NameKey] is null)
            return TryCall(only, name, node, node.Members, out value);
        var wanted = node.Kind == JsonValueKind.String ? node.Text : node.Kind == JsonValueKind.Object ? node[NameKey]?.Text : null;
        if (wanted is null)
            return Fault(node, $"{name} must be a name or an object with \"name\" and parameters, got {node.Text}. Names: {string.Join(", ", makers.Select(maker => maker.Name))}.");
        return makers.FirstOrDefault(maker => maker.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase)) is { } found
            ? TryCall(found, name, node, [.. node.Members.Where(member => !member.Name.Equals(NameKey, StringComparison.OrdinalIgnoreCase))], out value)
            : Fault(node, $"{name} has no \"{wanted}\"{Names.Nearest(wanted, makers.Select(maker => maker.Name))} Known: {string.Join(", ", makers.Select(maker => maker.Name))}.");
    }

    // Weights that exist: a folder of safetensors or an ONNX file, or a model that was pretrained before.
    private bool TryStart(Type type, string name, ConfigNode node, out object? value, out bool read)
    {
        (value, read) = (null, false);
        var (pretrained, model) = (node[PretrainedKey], node[ModelKey]);
        if ((pretrained ?? model) is not { } source)
            return false;
        faults.RequireKnown(node, name, PretrainedKey, ModelKey);
        try
        {
            var encoder = pretrained is not null ? ssl.LoadPretrained(source.Text) : ModelFolder.Open(source.Text).LoadEncoder(ssl);
            _owned.Add(encoder);
            value = type == typeof(TextEncoderFactory) ? encoder.ToTextEncoderFactory() : type == typeof(ImageEncoderFactory) ? encoder.ToImageEncoderFactory() : null;
            read = value is not null || Fault(source, $"{name} cannot start from weights that exist: only encoders of texts and images can.");
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException or UsageException)
        {
            faults.Add(source, $"{name} cannot be read: {e.Message}");
        }
        return true;
    }

    private bool TryCall(Maker maker, string name, ConfigNode node, IReadOnlyList<(string Name, ConfigNode Value)> given, out object? value)
    {
        value = null;
        var (arguments, all) = (new object?[maker.Parameters.Length], true);
        foreach (var (parameterName, entry) in given)
        {
            if (!maker.Parameters.Any(parameter => parameter.Name!.Equals(parameterName, StringComparison.OrdinalIgnoreCase)))
            {
                all = Fault(entry, $"{name} {maker.Name} has no \"{parameterName}\"{Names.Nearest(parameterName, maker.Parameters.Select(parameter => parameter.Name!))} "
                    + $"Known: {string.Join(", ", maker.Parameters.Select(parameter => parameter.Name))}.");
            }
        }
        foreach (var (i, parameter) in maker.Parameters.Index())
        {
            var entry = given.FirstOrDefault(member => member.Name.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase)).Value;
            if (entry is not null)
                all &= TryRead(parameter.ParameterType, $"{name}.{parameter.Name}", entry, IsNullable(parameter), out arguments[i]);
            else if (parameter.HasDefaultValue)
                arguments[i] = parameter.DefaultValue;
            else
                all = Fault(node, $"{name} {maker.Name} needs \"{parameter.Name}\".");
        }
        if (!all)
            return false;
        try
        {
            value = maker.Call(arguments);
            return true;
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException fault)
        {
            return Fault(node, $"{name}: {WithoutParameter(fault)}");
        }
        catch (TargetInvocationException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
    }

    /// <summary>The message of an exception without .NET's note on the parameter, whose name is in the sentence.</summary>
    public static string WithoutParameter(ArgumentException fault)
    {
        var end = fault.Message.LastIndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? fault.Message : fault.Message[..end];
    }

    public void Dispose() => _owned.ForEach(owned => owned.Dispose());

    private bool Fault(ConfigNode node, string sentence)
    {
        faults.Add(node, sentence);
        return false;
    }

    private static bool Is(object? made, out object? value)
    {
        value = made;
        return true;
    }

    private static Type? ItemType(Type type) => type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericTypeDefinition() is { } open && (open == typeof(IReadOnlyList<>) || open == typeof(IReadOnlyCollection<>)) ? type.GetGenericArguments()[0] : null;

    private static bool IsNullable(PropertyInfo property)
        => Nullable.GetUnderlyingType(property.PropertyType) is not null || new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;

    private static bool IsNullable(ParameterInfo parameter)
        => Nullable.GetUnderlyingType(parameter.ParameterType) is not null || new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;
}
