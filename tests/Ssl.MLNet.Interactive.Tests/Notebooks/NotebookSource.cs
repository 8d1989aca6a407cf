using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Ssl.MLNet.Tests;

namespace Ssl.MLNet.Interactive.Tests.Notebooks;

/// <summary>A cell: words in Markdown, or C#.</summary>
/// <param name="IsCode">Whether it is run.</param>
/// <param name="Text">Its lines, without a line break at the end.</param>
internal sealed record Cell(bool IsCode, string Text);

/// <summary>
/// The programs in <c>examples/notebooks</c>, of which the notebooks beside them are made. A line <c>// %%</c> begins a cell of code, <c>// %% [markdown]</c> one of words,
/// which are comments in the program. What differs between the two: a notebook references packages where the program references projects, and what the program
/// prints at the end of a cell (<c>Console.WriteLine(x);</c>), the notebook shows (<c>x</c>).
/// </summary>
internal static class NotebookSource
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "examples", "notebooks");

    /// <summary>Names of the programs, without ".cs".</summary>
    public static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.cs").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal);

    /// <summary>What the references of a notebook are: the packages of this version.</summary>
    public static string References => $"""
        #r "nuget: Ssl.MLNet.Interactive, {Repository.Property("Directory.Build.props", "VersionPrefix")}"
        #r "nuget: TorchSharp-cpu, {Repository.PackageVersion("TorchSharp-cpu")}"
        """.ReplaceLineEndings("\n");

    public static string Program(string name) => File.ReadAllText(Path.Combine(Folder, $"{name}.cs")).ReplaceLineEndings("\n");

    /// <summary>The cells of the notebook that a program becomes.</summary>
    /// <param name="name">The program's name, for its link.</param>
    /// <param name="program">Its text.</param>
    public static Cell[] Cells(string name, string program)
    {
        var parts = Regex.Split(program, @"^// %%(?<kind>[^\n]*)\n", RegexOptions.Multiline | RegexOptions.ExplicitCapture);
        var kinds = Regex.Matches(program, @"^// %%(?<kind>[^\n]*)\n", RegexOptions.Multiline | RegexOptions.ExplicitCapture).Select(match => match.Groups["kind"].Value.Trim()).ToArray();
        var texts = parts.Where((_, i) => i % 2 == 0).Skip(1).Select(text => text.Trim('\n')).ToArray();
        if (kinds.FirstOrDefault() != "[markdown]")
            throw new FormatException($"{name}.cs must begin with a cell of words, behind its references.");
        var cells = kinds.Zip(texts, (kind, text) => kind switch
        {
            "[markdown]" => new Cell(false, string.Join('\n', text.Split('\n').Select(Uncommented))),
            "" => new Cell(true, Shown(text)),
            _ => throw new FormatException($"{name}.cs has a cell '// %% {kind}': only '// %%' and '// %% [markdown]' are known."),
        }).ToList();
        cells[0] = cells[0] with { Text = $"{cells[0].Text}\n\nThis notebook is made from [{name}.cs]({name}.cs), which is a program, too: `dotnet run examples/notebooks/{name}.cs`." };
        cells.Insert(cells.FindIndex(cell => cell.IsCode), new Cell(true, References));
        return [.. cells];

        string Uncommented(string line) => line == "//" ? "" : line.StartsWith("// ", StringComparison.Ordinal) ? line[3..]
            : throw new FormatException($"{name}.cs: '{line}' stands in a cell of words and is no comment.");
    }

    // Of an object of this library the last line of a cell shows more than words; texts are printed in both.
    private static string Shown(string code)
    {
        var last = CSharpSyntaxTree.ParseText(code, new CSharpParseOptions(LanguageVersion.Latest)).GetCompilationUnitRoot().Members.LastOrDefault();
        if (last is not GlobalStatementSyntax { Statement: ExpressionStatementSyntax { Expression: InvocationExpressionSyntax call } statement }
            || call.Expression.ToString() != "Console.WriteLine" || call.ArgumentList.Arguments is not [{ Expression: var value }])
        {
            return code;
        }
        return value is IdentifierNameSyntax || value.ToString().StartsWith("ssl.", StringComparison.Ordinal) ? code[..statement.SpanStart] + value.ToString() : code;
    }
}
