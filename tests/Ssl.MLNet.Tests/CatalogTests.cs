using System.Reflection;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Methods;

namespace Ssl.MLNet.Tests;

/// <summary>The catalog's two forms: the short one forwards every parameter, and both have the same defaults.</summary>
[TestClass]
public sealed class CatalogTests
{
    private static IEnumerable<object> Groups(MLContext mlContext)
    {
        var ssl = mlContext.SelfSupervised();
        yield return ssl.Text;
        yield return ssl.Tabular;
        yield return ssl.Images;
        yield return ssl.TimeSeries;
        yield return ssl.ImageText;
    }

    private static IEnumerable<(object Group, MethodInfo Short, MethodInfo Long)> Methods(MLContext mlContext)
    {
        foreach (var group in Groups(mlContext))
        {
            foreach (var name in group.GetType().GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Where(m => !m.IsSpecialName && m.ReturnType.IsAssignableTo(typeof(PretrainingTrainer)))
                .GroupBy(m => m.Name))
            {
                var overloads = name.ToArray();
                Assert.HasCount(2, overloads, $"{name.Key} has a short form and one with options");
                var full = overloads.Single(m => m.GetParameters().Length == 1
                    && typeof(PretrainingOptions).IsAssignableFrom(m.GetParameters()[0].ParameterType));
                yield return (group, overloads.Single(m => m != full), full);
            }
        }
    }

    [TestMethod]
    public void The_short_form_has_at_most_eight_optional_parameters_in_the_usual_order()
    {
        foreach (var (_, brief, _) in Methods(TestDevice.Context(1)))
        {
            var parameters = brief.GetParameters();
            Assert.IsLessThanOrEqualTo(8, parameters.Length, brief.Name);
            // Columns in any number come last, as in Concatenate.
            Assert.IsTrue(parameters.All(p => p.HasDefaultValue || p == parameters[^1] && IsParams(p)), brief.Name);
            Assert.AreEqual("outputColumnName", parameters[0].Name);
            Assert.AreEqual(IsParams(parameters[1]) ? "inputColumnNames" : brief.DeclaringType!.Name.StartsWith("ImageText", StringComparison.Ordinal)
                ? "imageColumnName" : "inputColumnName", parameters[1].Name);
        }
    }

    [TestMethod]
    public void Every_parameter_of_the_short_form_reaches_the_options()
    {
        foreach (var (group, brief, _) in Methods(TestDevice.Context(1)))
        {
            var parameters = brief.GetParameters();
            for (var i = 0; i < parameters.Length; i++)
            {
                var arguments = parameters.Select(Default).ToArray();
                arguments[i] = Odd(parameters[i]);
                var settings = SettingsOf(brief.Invoke(group, arguments)!);
                Assert.AreEqual(arguments[i], Property(settings, parameters[i].Name!).GetValue(settings),
                    $"{brief.Name}({parameters[i].Name})");
            }
        }
    }

    [TestMethod]
    public void The_short_form_has_the_defaults_of_the_options()
    {
        foreach (var (group, brief, full) in Methods(TestDevice.Context(1)))
        {
            var options = Activator.CreateInstance(full.GetParameters()[0].ParameterType)!;
            if (options is TabularPretrainingOptions table)
                table.InputColumnNames = ["Column"];     // has no default
            var settings = SettingsOf(brief.Invoke(group, [.. brief.GetParameters().Select(Default)])!);
            foreach (var property in OptionRuleAttribute.OptionsOf(options.GetType()).Where(p => p.Name != "InputColumnNames"))
                Assert.AreEqual(property.GetValue(options), property.GetValue(settings), $"{brief.Name}: {property.Name}");
            Assert.IsNotNull(full.Invoke(group, [options]), "the defaults are valid");
        }
    }

    [TestMethod]
    public void Every_option_out_of_range_is_refused_by_name()
    {
        foreach (var (group, _, full) in Methods(TestDevice.Context(1)))
        {
            var type = full.GetParameters()[0].ParameterType;
            foreach (var property in type.GetProperties().Where(p => p.CanWrite && IsNumber(Plain(p.PropertyType)) && p.Name != "Seed"))
            {
                var options = Activator.CreateInstance(type)!;
                if (options is TabularPretrainingOptions table)
                    table.InputColumnNames = ["A"];
                var value = Convert.ChangeType(-1, Plain(property.PropertyType));
                if (property.GetCustomAttribute<OptionRuleAttribute>()?.Allows(value) == true)
                    continue;       // a number that may be negative says so
                property.SetValue(options, value);
                var error = Assert.ThrowsExactly<TargetInvocationException>(() => full.Invoke(group, [options]),
                    $"{type.DeclaringType!.Name}.{property.Name} = -1");
                var fault = (ArgumentOutOfRangeException)error.InnerException!;
                Assert.AreEqual(property.Name, fault.ParamName);
                StringAssert.Contains(fault.Message, "got -1");
            }
        }
    }

    private static bool IsParams(ParameterInfo parameter) => parameter.IsDefined(typeof(ParamArrayAttribute));

    private static object? Default(ParameterInfo parameter) => IsParams(parameter) ? new[] { "Column" } : parameter.DefaultValue;

    private static Type Plain(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static bool IsNumber(Type type) => type == typeof(int) || type == typeof(long) || type == typeof(float) || type == typeof(double);

    private static object Odd(ParameterInfo parameter) => Plain(parameter.ParameterType) switch
    {
        var t when t == typeof(string[]) => new[] { "Odd", "Columns" },
        var t when t == typeof(string) => "Odd",
        var t when t == typeof(int) => 7,
        var t when t == typeof(float) => 0.4375f,
        var t when t == typeof(double) => 0.4375,
        var t when t == typeof(ImageEncoderFactory) => ImageEncoders.VisionTransformer(8, 2, 1, 1, 24, 2),
        var t when t == typeof(TimeSeriesEncoderFactory) && parameter.Member.Name == "MaskedPatches" => TimeSeriesEncoders.PatchTransformer(6, 1, 24, 2),
        var t when t == typeof(TimeSeriesEncoderFactory) => TimeSeriesEncoders.DilatedConvolution(24, 8, 2),
        var t when t == typeof(TextEncoderFactory) => TextEncoders.Bag(embeddingDimension: 24),
        var t => throw new NotSupportedException($"no odd value for {t}"),
    };

    private static PropertyInfo Property(object options, string parameterName)
        => options.GetType().GetProperty(parameterName, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase)
            ?? throw new AssertFailedException($"{options.GetType()} has no property for parameter {parameterName}");

    private static object SettingsOf(object trainer)
        => typeof(PretrainingTrainer).GetProperty("Settings", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(trainer)!;
}
