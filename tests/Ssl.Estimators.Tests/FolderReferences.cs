using System.Text.RegularExpressions;
using Mono.Cecil;

namespace Ssl.Estimators.Tests;

/// <summary>Which folder of src/Ssl.Estimators names which, read from the compiled assembly: namespaces do not tell it (docs/decisions/0022-two-namespaces.md).</summary>
internal sealed partial class FolderReferences
{
    private readonly Dictionary<string, string> _folders = [];
    private readonly HashSet<(string From, string To)> _references = [];

    /// <param name="files">The source files with their folders.</param>
    public FolderReferences(IEnumerable<(string Path, string Folder)> files)
    {
        foreach (var (path, folder) in files)
        {
            var code = File.ReadAllText(path);
            var space = Namespace().Match(code).Groups[1].Value;
            foreach (Match declared in Declaration().Matches(code))
                _folders.TryAdd($"{space}.{declared.Groups[1].Value}", folder);
        }
        using var assembly = AssemblyDefinition.ReadAssembly(typeof(EncoderTransformer).Assembly.Location);
        foreach (var type in assembly.MainModule.Types.Where(type => type.Namespace.StartsWith("Ssl.", StringComparison.Ordinal)))
            Read(type, Key(type));
    }

    /// <summary>Types that no source file declares where this class looks for it.</summary>
    public IEnumerable<string> Unknown => _references.Select(reference => reference.From).Where(type => Folder(type) is null).Distinct();

    /// <summary>Every type that names another one, with the folders of both.</summary>
    public IEnumerable<(string From, string FromFolder, string To, string ToFolder)> All
        => from reference in _references
           let source = Folder(reference.From)
           let target = Folder(reference.To)
           where source is not null && target is not null
           select (reference.From, source, reference.To, target);

    // What is generated has no source file; its namespace is that of a folder.
    private string? Folder(string type)
        => _folders.TryGetValue(type, out var folder) ? folder : type.Split('.') is { Length: > 3 } parts ? parts[2] : null;

    private void Read(TypeDefinition type, string from)
    {
        Add(from, type.BaseType);
        foreach (var contract in type.Interfaces)
            Add(from, contract.InterfaceType);
        foreach (var field in type.Fields)
            Add(from, field.FieldType);
        foreach (var attribute in type.CustomAttributes.Concat(type.Properties.SelectMany(property => property.CustomAttributes)))
            Add(from, attribute.AttributeType);
        foreach (var method in type.Methods)
        {
            Add(from, method.ReturnType);
            foreach (var parameter in method.Parameters)
                Add(from, parameter.ParameterType);
            if (!method.HasBody)
                continue;
            foreach (var local in method.Body.Variables)
                Add(from, local.VariableType);
            foreach (var instruction in method.Body.Instructions)
                AddOperand(from, instruction.Operand);
        }
        foreach (var nested in type.NestedTypes)
            Read(nested, from);
    }

    private void AddOperand(string from, object? operand)
    {
        switch (operand)
        {
            case TypeReference type:
                Add(from, type);
                break;
            case MethodReference method:
                Add(from, method.DeclaringType);
                Add(from, method.ReturnType);
                if (method is GenericInstanceMethod generic)
                    foreach (var argument in generic.GenericArguments)
                        Add(from, argument);
                break;
            case FieldReference field:
                Add(from, field.DeclaringType);
                break;
        }
    }

    private void Add(string from, TypeReference? type)
    {
        if (type is GenericInstanceType generic)
            foreach (var argument in generic.GenericArguments)
                Add(from, argument);
        if (type is TypeSpecification specification)
            Add(from, specification.ElementType);
        if (type is null or GenericParameter or TypeSpecification)
            return;
        var named = type;
        while (named.DeclaringType is not null)
            named = named.DeclaringType;
        if (named.Namespace.StartsWith("Ssl.Estimators", StringComparison.Ordinal) && Key(named) != from)
            _references.Add((from, Key(named)));
    }

    private static string Key(TypeReference type) => $"{type.Namespace}.{type.Name.Split('`')[0]}";

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^(?:(?:public|internal|file|abstract|sealed|static|partial|readonly|ref|unsafe)\s+)+(?:class|record struct|record|struct|enum|interface|delegate [^\s(]+)\s+(\w+)",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
