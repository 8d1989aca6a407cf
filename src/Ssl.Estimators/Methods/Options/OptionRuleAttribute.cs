using System.Globalization;
using System.Reflection;
using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators.Methods;

/// <summary>What an option may be, stated on its property.</summary>
public abstract class OptionRuleAttribute : Attribute
{
    /// <summary>What is allowed, as the middle of a sentence that begins with the option's name: "must be at least 1".</summary>
    public abstract string Rule { get; }

    /// <summary>Whether a value is allowed.</summary>
    public abstract bool Allows(object? value);

    /// <summary>Adds a sentence for every option of a set of options whose rule its value breaks.</summary>
    internal static void Check(object options, OptionFaults faults)
    {
        foreach (var property in OptionsOf(options.GetType()))
        {
            var value = property.GetValue(options);
            if (property.GetCustomAttribute<OptionRuleAttribute>() is { } rule)
                faults.Require(rule.Allows(value), property.Name, rule.Rule, value is string text ? $"\"{text}\"" : value);
            else if (property.PropertyType.IsEnum && !Enum.IsDefined(property.PropertyType, value!))
                faults.Add(property.Name, string.Create(CultureInfo.InvariantCulture,
                    $"{property.Name} must be one of {string.Join(", ", Enum.GetNames(property.PropertyType))}, got {value}."));
        }
    }

    /// <summary>The options of a class in the order of their declaration, those of base classes first.</summary>
    internal static IEnumerable<PropertyInfo> OptionsOf(Type type)
    {
        for (var chain = new Stack<Type>(Bases(type)); chain.TryPop(out var level);)
        {
            foreach (var property in level.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly))
            {
                if (property is { CanRead: true, CanWrite: true })
                    yield return property;
            }
        }

        static IEnumerable<Type> Bases(Type? type)
        {
            for (; type is not null && type != typeof(object); type = type.BaseType)
                yield return type;
        }
    }
}

/// <summary>A text that must have at least one character that is not white space.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NotEmptyAttribute : OptionRuleAttribute
{
    /// <summary>Whether null, for none, is fine.</summary>
    public bool AllowsNull { get; set; }

    /// <inheritdoc/>
    public override string Rule => "must not be empty";

    /// <inheritdoc/>
    public override bool Allows(object? value) => value is string text ? !string.IsNullOrWhiteSpace(text) : AllowsNull && value is null;
}
