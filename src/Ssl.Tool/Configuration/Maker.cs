using System.Reflection;
using Ssl.Estimators;

namespace Ssl.Tool.Configuration;

/// <summary>A public way to make a value of one of the library's types from values that a file can state.</summary>
/// <param name="Name">How a file names it: the method's name, or the class's.</param>
/// <param name="Parameters">What it takes.</param>
/// <param name="Call">Makes one.</param>
internal sealed record Maker(string Name, ParameterInfo[] Parameters, Func<object?[], object> Call)
{
    private static readonly Assembly s_library = typeof(PretrainingOptions).Assembly;

    /// <summary>The static methods of static classes that return the type, and the constructors of its classes, by their names.</summary>
    public static IReadOnlyList<Maker> Of(Type type) => Of(type, []);

    private static List<Maker> Of(Type type, HashSet<Type> within)
    {
        if (type.Assembly != s_library || !within.Add(type))
            return [];
        var methods = from owner in s_library.GetExportedTypes()
                      where owner is { IsAbstract: true, IsSealed: true }
                      from method in owner.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
                      where method.ReturnType.IsAssignableTo(type) && !method.IsGenericMethod && AreReadable(method.GetParameters(), within)
                      select new Maker(method.Name, method.GetParameters(), arguments => method.Invoke(null, arguments)!);
        var constructors = from owner in s_library.GetExportedTypes()
                           where owner is { IsAbstract: false, IsGenericType: false } && owner.IsAssignableTo(type)
                           let constructor = owner.GetConstructors().Where(constructor => AreReadable(constructor.GetParameters(), within)).MaxBy(constructor => constructor.GetParameters().Length)
                           where constructor is not null
                           select new Maker(owner.Name, constructor.GetParameters(), constructor.Invoke);
        List<Maker> makers = [.. methods.Concat(constructors).OrderBy(maker => maker.Name, StringComparer.Ordinal)];
        within.Remove(type);
        return makers;
    }

    private static bool AreReadable(ParameterInfo[] parameters, HashSet<Type> within)
        => parameters.All(parameter => !parameter.IsOut && (IsReadable(parameter.ParameterType, within) || parameter.HasDefaultValue));

    private static bool IsReadable(Type type, HashSet<Type> within)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsArray)
            return IsReadable(type.GetElementType()!, within);
        return type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(TimeSpan) || within.Contains(type) || Of(type, within).Count > 0;
    }
}
