using System.Reflection;
using System.Xml.Linq;
using Microsoft.ML;
using Mono.Cecil;
using Ssl.Estimators.Interop;

namespace Ssl.Estimators.Tests.Interop;

/// <summary>What the product uses though ML.NET keeps it to itself: in two files, all of it listed, all of it there.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class ClosedMemberTests
{
    private const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    [TestMethod]
    public void Every_member_that_the_project_lists_is_there()
    {
        Assembly[] assemblies = [typeof(ModelSaveContext).Assembly, typeof(Microsoft.ML.Data.TextLoader).Assembly];
        var version = assemblies[0].GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var faults = Listed().Where(member => member.Split("::") is var parts
                && (assemblies.Select(assembly => assembly.GetType(parts[0])).FirstOrDefault(found => found is not null) is not { } type
                    || parts.Length > 1 && type.GetMember(parts[1], All).Length == 0))
            .Select(member => $"Microsoft.ML {version} has no {member} any more: find what took its place, change "
                + "the files in src/Ssl.Estimators/Interop and the list OpenMember (docs/decisions/0009-model-files.md).").ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void Only_ModelFiles_and_StageView_use_closed_members_and_the_project_lists_them()
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(AppContext.BaseDirectory);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        using var product = AssemblyDefinition.ReadAssembly(typeof(ModelFiles).Assembly.Location,
            new ReaderParameters { AssemblyResolver = resolver });
        var used = product.MainModule.GetTypes().SelectMany(type => type.Methods.Where(method => method.HasBody)
            .SelectMany(method => method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MemberReference>())
            .Select(Closed).OfType<string>().Distinct().Select(member => (By: Outermost(type).Name, Member: member))).ToHashSet();
        var others = used.Where(use => use.By is not (nameof(ModelFiles) or nameof(StageView))).Select(use => $"{use.By} uses {use.Member}").ToArray();
        Assert.IsEmpty(others, string.Join(Environment.NewLine, others));

        var members = used.Select(use => use.Member).ToArray();
        Assert.IsGreaterThan(4, members.Length, "the search finds what is known to be closed");
        // A type that is listed without a member opens itself: its own public members are then usable.
        var listed = Listed();
        var unlisted = members.Where(member => !listed.Any(item => member == item
            || member.StartsWith($"{item}::", StringComparison.Ordinal))).ToArray();
        Assert.IsEmpty(unlisted, string.Join(Environment.NewLine, unlisted));
    }

    [TestMethod]
    public void The_runtime_shows_MLNET_the_attribute_that_names_the_loader()
    {
        var attribute = typeof(ModelFiles).Assembly.GetCustomAttributes().Single(a => a.GetType().Name == "LoadableClassAttribute");
        var names = (string[])attribute.GetType().GetProperty("LoadNames")!.GetValue(attribute)!;
        CollectionAssert.AreEqual(new[] { ModelFiles.Signature }, names);
    }

    private static string[] Listed() => [.. XDocument
        .Load(Path.Combine(ArchitectureTests.Root, "src", "Ssl.Estimators", "Ssl.Estimators.csproj")).Descendants("OpenMember").Select(item => item.Attribute("Include")!.Value)];

    // "Type::Member" of a member of ML.NET that is not public, or whose type is not; null for all others.
    private static string? Closed(MemberReference reference)
    {
        var type = reference as TypeReference ?? reference.DeclaringType;
        if (type?.Scope is not AssemblyNameReference { Name: var scope } || !scope.StartsWith("Microsoft.ML", StringComparison.Ordinal))
            return null;
        var definition = type.Resolve();
        Assert.IsNotNull(definition, $"{type.FullName} is not in {scope}");
        var open = Outermost(definition).IsPublic && reference switch
        {
            FieldReference field => field.Resolve() is { IsPublic: true } or { IsFamily: true },
            MethodReference method => method.Resolve() is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true },
            _ => true,
        };
        return open ? null : reference is TypeReference ? type.FullName : $"{type.FullName}::{reference.Name}";
    }

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is { } outer ? Outermost(outer) : type;
}
