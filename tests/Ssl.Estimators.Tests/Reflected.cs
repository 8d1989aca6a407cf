using System.Reflection;

namespace Ssl.Estimators.Tests;

/// <summary>Calls and values by reflection.</summary>
internal static class Reflected
{
    /// <summary>The value of a field that is not public, of the owner's class or one that it derives from.</summary>
    public static object? Field(object owner, string name)
    {
        for (var type = owner.GetType(); ; type = type.BaseType!)
        {
            if (type.GetField(name, BindingFlags.Instance | BindingFlags.NonPublic) is { } field)
                return field.GetValue(owner);
        }
    }

    /// <summary>The value of a property that is not public.</summary>
    public static object? Property(object owner, Type declaredBy, string name)
        => declaredBy.GetProperty(name, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(owner);

    /// <summary>What a call throws; null where it ends well.</summary>
    public static Exception? Fault(MethodBase method, object? instance, object?[] arguments)
    {
        try
        {
            _ = method is ConstructorInfo constructor ? constructor.Invoke(arguments) : method.Invoke(instance, arguments);
            return null;
        }
        catch (TargetInvocationException fault)
        {
            return fault.InnerException;
        }
    }
}
