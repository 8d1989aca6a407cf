using System.Globalization;
using System.Runtime.Loader;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Ssl.MLNet.Tests;

/// <summary>A block of C# of a page, and what the comment before it says.</summary>
/// <param name="Page">The page, from the root of the repository.</param>
/// <param name="Line">The line of the block's first line of code.</param>
/// <param name="Code">The code.</param>
/// <param name="Sample">The class of <c>Samples.cs</c> whose members the block sees as its variables; null where it stands alone.</param>
/// <param name="NoRun">Why it is compiled only; null where it is run.</param>
internal sealed record CodeBlock(string Page, int Line, string Code, string? Sample, string? NoRun)
{
    private static readonly string[] s_implicitUsings = ["System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Threading",
        "System.Threading.Tasks"];

    private static readonly string[] s_sampleUsings = ["Microsoft.ML", "Microsoft.ML.Data", "Ssl.MLNet", "Ssl.Estimators"];

    private static readonly Lazy<MetadataReference[]> s_references = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path))]);

    /// <summary>The pages whose code is compiled and run.</summary>
    public static IEnumerable<string> Pages => new[] { "README.md", "CONTRIBUTING.md", "examples/README.md", "examples/service/README.md" }
        .Concat(new[] { "docs", "src" }.SelectMany(folder => Directory.GetFiles(Path.Combine(Repository.Root, folder), "*.md", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
            .Where(path => !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/obj/", StringComparison.Ordinal)))
        .Order(StringComparer.Ordinal);

    /// <summary>The blocks of a page: between ```csharp and ```, with the comments "sample: X" and "no-run: why" on the lines before.</summary>
    public static IEnumerable<CodeBlock> Of(string page, string text)
    {
        foreach (Match match in Regex.Matches(text, @"(?<comments>(?:^<!-- (?:sample|no-run): [^\n]* -->\n+)*)^```(?:csharp|cs|c#|C#)[^\n]*\n(?<code>.*?)^```\s*$",
            RegexOptions.Multiline | RegexOptions.Singleline))
        {
            var comments = Regex.Matches(match.Groups["comments"].Value, @"<!-- (sample|no-run): (.*) -->").ToDictionary(c => c.Groups[1].Value, c => c.Groups[2].Value);
            yield return new CodeBlock(page, text.AsSpan(0, match.Groups["code"].Index).Count('\n') + 1, match.Groups["code"].Value,
                comments.GetValueOrDefault("sample"), comments.GetValueOrDefault("no-run"));
        }
    }

    /// <summary>The faults of the compiler, by line of the page; none where the block compiles.</summary>
    public string Compile(Stream assembly)
    {
        var usings = new StringBuilder();
        foreach (var space in Sample is null ? s_implicitUsings : s_implicitUsings.Concat(s_sampleUsings))
            usings.Append(CultureInfo.InvariantCulture, $"global using {space};\n");
        if (Sample is not null)
            usings.Append(CultureInfo.InvariantCulture, $"global using static Ssl.MLNet.Tests.Samples.{Sample};\n");
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        // A block of declarations alone has no statement to begin with.
        var block = CSharpSyntaxTree.ParseText(Code, options);
        var isProgram = block.GetCompilationUnitRoot().Members.Any(member => member.IsKind(SyntaxKind.GlobalStatement));
        var compilation = CSharpCompilation.Create($"Page{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(usings.ToString(), options), CSharpSyntaxTree.ParseText(SourceText.From(Code), options, Page)], s_references.Value,
            new CSharpCompilationOptions(isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var result = compilation.Emit(assembly);
        return string.Join('\n', result.Diagnostics.Where(fault => fault.Severity == DiagnosticSeverity.Error)
            .Select(fault => $"{Page}({Line + fault.Location.GetLineSpan().StartLinePosition.Line}): {fault.GetMessage(CultureInfo.InvariantCulture)}"));
    }

    /// <summary>Compiles the block and, unless it says that it is not to be run, runs it.</summary>
    /// <returns>What it prints.</returns>
    public string Run()
    {
        using var assembly = new MemoryStream();
        var faults = Compile(assembly);
        if (faults != "")
            throw new InvalidOperationException(faults);
        assembly.Position = 0;
        if (NoRun is not null)
            return "";
        var context = new AssemblyLoadContext(null, isCollectible: true);
        var entry = context.LoadFromStream(assembly).EntryPoint;
        using var printed = new StringWriter { NewLine = "\n" };
        var console = Console.Out;
        Console.SetOut(printed);
        try
        {
            entry?.Invoke(null, entry.GetParameters().Length == 0 ? null : [Array.Empty<string>()]);
        }
        finally
        {
            Console.SetOut(console);
            context.Unload();
        }
        return printed.ToString();
    }

    public override string ToString() => $"{Page}({Line})";
}
