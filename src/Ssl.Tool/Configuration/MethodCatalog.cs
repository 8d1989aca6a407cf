using System.Reflection;
using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Tool.Configuration;

/// <summary>A pretraining method: <c>ssl.Group.Name(options)</c>.</summary>
/// <param name="Group">Its group in the catalog: "Text".</param>
/// <param name="Name">Its name there.</param>
/// <param name="OptionsType">The class of its options.</param>
internal sealed record Method(PropertyInfo Group, string Name, Type OptionsType)
{
    public string FullName => $"{Group.Name}.{Name}";

    /// <summary>The trainer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The options do not go together.</exception>
    public IEstimator<EncoderTransformer> Create(SelfSupervisedCatalog ssl, PretrainingOptions options)
    {
        try
        {
            return (IEstimator<EncoderTransformer>)Group.PropertyType.GetMethod(Name, [OptionsType])!.Invoke(Group.GetValue(ssl), [options])!;
        }
        catch (TargetInvocationException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
    }
}

/// <summary>The pretraining methods, found in the catalog: a method that is new there is new here.</summary>
internal static class MethodCatalog
{
    public static IReadOnlyList<Method> All { get; } =
        [.. from catalogGroup in typeof(SelfSupervisedCatalog).GetProperties()
            from method in catalogGroup.PropertyType.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            where method.GetParameters() is [{ } only] && only.ParameterType.IsAssignableTo(typeof(PretrainingOptions))
            orderby catalogGroup.MetadataToken, method.Name
            select new Method(catalogGroup, method.Name, method.GetParameters()[0].ParameterType)];

    /// <summary>The method of a name, with or without its group; null where there is none, or several.</summary>
    public static Method? Find(string name)
        => All.Where(method => method.Name.Equals(name, StringComparison.OrdinalIgnoreCase) || method.FullName.Equals(name, StringComparison.OrdinalIgnoreCase)).ToArray()
            is [{ } only] ? only : null;

    /// <summary>What to say of a name that <see cref="Find"/> does not know.</summary>
    public static string Unknown(string name)
    {
        var several = All.Where(method => method.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(method => method.FullName).ToArray();
        return several.Length > 1 ? $"There are several methods \"{name}\": say {string.Join(" or ", several)}."
            : $"There is no method \"{name}\"{Names.Nearest(name, All.Select(method => method.Name))} \"ssl methods\" lists all.";
    }
}
