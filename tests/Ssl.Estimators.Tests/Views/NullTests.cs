using System.Reflection;
using System.Runtime.CompilerServices;
using Ssl.Estimators.Masking;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

/// <summary>What views, their compositions and maskers are given is there, or they name what is missing.</summary>
[TestClass]
public sealed class NullTests
{
    private static readonly Type[] s_bases = [typeof(ImageView), typeof(TableView), typeof(SeriesView), typeof(TextView)];

    private static readonly Type[] s_catalogs = [typeof(ImageViews), typeof(TableViews), typeof(SeriesViews), typeof(TextViews)];

    [TestMethod]
    public void EveryViewNamesTheBatchThatIsMissing()
    {
        var methods = s_bases[0].Assembly.GetExportedTypes().Where(type => s_bases.Any(type.IsAssignableTo)).SelectMany(type => type
            .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(method => method.Name == "Apply" && !method.IsAbstract)).ToArray();
        Assert.IsGreaterThan(25, methods.Length);
        foreach (var method in methods)
        {
            var concrete = method.DeclaringType!.IsAbstract ? s_bases[0].Assembly.GetExportedTypes().First(type => type.IsSubclassOf(method.DeclaringType) && !type.IsAbstract)
                : method.DeclaringType;
            foreach (var parameter in method.GetParameters().Where(parameter => parameter.ParameterType != typeof(Generator)))
                AssertNamed(method, RuntimeHelpers.GetUninitializedObject(concrete), parameter);
        }
    }

    [TestMethod]
    public void ConstructorsAndCompositionsNameWhatIsMissing()
    {
        var constructors = s_bases[0].Assembly.GetExportedTypes().Where(type => s_bases.Any(type.IsAssignableTo) && !type.IsAbstract)
            .SelectMany(type => type.GetConstructors());
        var catalogs = s_catalogs.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly));
        var count = 0;
        foreach (var method in constructors.Cast<MethodBase>().Concat(catalogs))
        {
            foreach (var parameter in method.GetParameters().Where(parameter => !parameter.ParameterType.IsValueType && !parameter.IsOptional))
            {
                AssertNamed(method, null, parameter);
                count++;
            }
        }
        Assert.IsGreaterThan(15, count);
    }

    [TestMethod]
    public void MaskersNameWhatIsMissing()
    {
        foreach (var type in (Type[])[typeof(TokenMasker), typeof(CellMasker)])
        {
            foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(method => !method.IsSpecialName))
            {
                foreach (var parameter in method.GetParameters().Where(parameter => !parameter.ParameterType.IsValueType && !parameter.IsOptional))
                    AssertNamed(method, RuntimeHelpers.GetUninitializedObject(type), parameter);
            }
        }
    }

    // With something in all other places, of which nothing is looked at before.
    private static void AssertNamed(MethodBase method, object? instance, ParameterInfo missing)
    {
        using var scope = NewDisposeScope();
        object?[] arguments = [.. method.GetParameters().Select(parameter => parameter.Position == missing.Position ? null
            : parameter.HasDefaultValue ? parameter.DefaultValue : Something(parameter.ParameterType))];
        var fault = Reflected.Fault(method, instance, arguments);
        Assert.IsInstanceOfType<ArgumentNullException>(fault, $"{method.DeclaringType!.Name}.{method.Name}, {missing.Name}: {fault}");
        Assert.AreEqual(missing.Name, ((ArgumentNullException)fault).ParamName, $"{method.DeclaringType!.Name}.{method.Name}");
    }

    private static object? Something(Type type) => type == typeof(Tensor) ? zeros(2, 3, 4, 4) : type == typeof(Generator) ? new Generator(1)
        : type == typeof(int) ? 1 : type.IsAssignableFrom(typeof(Grayscale)) ? new Grayscale() : type.IsValueType ? Activator.CreateInstance(type) : type.IsArray ? Array.CreateInstance(type.GetElementType()!, 0)
        : type.IsInterface && type.GetGenericArguments().Length == 1 ? Array.CreateInstance(type.GetGenericArguments()[0], 0)
        : type.IsAbstract ? null : RuntimeHelpers.GetUninitializedObject(type);
}
