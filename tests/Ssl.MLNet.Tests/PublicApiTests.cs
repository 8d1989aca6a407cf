using System.Reflection;
using System.Text;

namespace Ssl.MLNet.Tests;

/// <summary>
/// The public surface is a reviewed text: a change shows up in the diff of docs/public-api.txt. Set SSL_UPDATE_PUBLIC_API=1 to write it
/// anew.
/// </summary>
[TestClass]
public sealed class PublicApiTests
{
    private const BindingFlags Own = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [TestMethod]
    public void The_public_surface_is_the_reviewed_one()
    {
        var path = Path.Combine(Repository(), "docs", "public-api.txt");
        var actual = Surface(typeof(Ssl.Estimators.Trainers.PretrainingTrainer).Assembly, typeof(MLContextExtensions).Assembly);
        if (Environment.GetEnvironmentVariable("SSL_UPDATE_PUBLIC_API") == "1")
            File.WriteAllText(path, actual);
        var expected = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        var added = Lines(actual).Except(Lines(expected));
        var removed = Lines(expected).Except(Lines(actual));
        Assert.AreEqual(expected, actual,
            "The public surface changed. Look whether that is meant, then run this test with SSL_UPDATE_PUBLIC_API=1.\n"
            + string.Join('\n', added.Select(l => "+ " + l).Concat(removed.Select(l => "- " + l))));
    }

    private static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SslMLNet.sln")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("SslMLNet.sln is not above the tests");
        return folder.FullName;
    }

    private static string Surface(params Assembly[] assemblies)
    {
        var text = new StringBuilder();
        foreach (var type in assemblies.SelectMany(a => a.GetExportedTypes()).OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append(type.IsAbstract && type.IsSealed ? "static "
                : type.IsAbstract && !type.IsInterface ? "abstract " : type.IsSealed ? "sealed " : "")
                .Append(Name(type)).Append('\n');
            foreach (var line in type.GetMembers(Own).Select(Describe).OfType<string>().Order(StringComparer.Ordinal))
                text.Append("    ").Append(line).Append('\n');
        }
        return text.ToString();
    }

    private static string? Describe(MemberInfo member) => member switch
    {
        ConstructorInfo c when Visible(c) => $"new({Parameters(c)})",
        MethodInfo m when Visible(m) && !m.IsSpecialName && !m.Name.Contains('<') && m.GetBaseDefinition() == m
            => $"{(m.IsStatic ? "static " : "")}{m.Name}({Parameters(m)}) : {Name(m.ReturnType)}",
        PropertyInfo p when (p.GetMethod ?? p.SetMethod) is { } a && Visible(a) && a.GetBaseDefinition() == a
            => $"{p.Name} {{ get;{(p.SetMethod is { } s && Visible(s) ? " set;" : "")} }} : {Name(p.PropertyType)}",
        FieldInfo f when f.IsPublic && !f.IsSpecialName
            => f.IsLiteral ? $"{f.Name} = {f.GetRawConstantValue()}" : $"{f.Name} : {Name(f.FieldType)}",
        _ => null,
    };

    private static bool Visible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {FormattableString.Invariant($"{p.DefaultValue ?? "null"}")}" : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!) + "&";
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        var name = type.IsNested && !type.IsGenericParameter ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Name;
        return type.IsGenericType ? $"{name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }
}
