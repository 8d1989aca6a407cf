using System.Reflection;

namespace Ssl.FreshProcess;

/// <summary>The contracts of an assembly of tests, and their members, which are protected there.</summary>
public static class ContractAccess
{
    /// <summary>All contracts of an assembly.</summary>
    public static IEnumerable<Type> Of(Assembly assembly) => assembly.GetTypes().Where(type => !type.IsAbstract && IsContract(type.BaseType));

    /// <summary>Calls a member that is not public, of the type that overrides it last.</summary>
    public static T Call<T>(object target, string method, params object?[] arguments)
    {
        for (var type = target.GetType(); ; type = type.BaseType!)
        {
            if (type.GetMethod(method, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly) is { IsAbstract: false } found)
                return (T)found.Invoke(target, arguments)!;
        }
    }

    // By name: this program does not know the assembly of the contracts.
    private static bool IsContract(Type? type)
        => type is not null && (type.IsGenericType && type.Name.StartsWith("PretrainingContract", StringComparison.Ordinal) || IsContract(type.BaseType));
}
