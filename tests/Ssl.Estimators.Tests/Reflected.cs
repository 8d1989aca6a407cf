using System.Reflection;

namespace Ssl.Estimators.Tests;

/// <summary>Calls by reflection.</summary>
internal static class Reflected
{
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
