using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Quickstart;

/// <summary>
/// The XML documentation of the reference packs that every .NET SDK brings along: tens of thousands of real sentences about real code,
/// one pair a member.
/// </summary>
public static partial class ReferenceDocumentation
{
    private const int ShortestText = 20;

    /// <summary>Folder of the installed SDK: DOTNET_ROOT, or the one that runs this program.</summary>
    public static string FindSdk()
    {
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;          // …/shared/Microsoft.NETCore.App/10.0.x
        string?[] candidates =
        [
            Environment.GetEnvironmentVariable("DOTNET_ROOT"),
            Path.GetFullPath(Path.Combine(runtime, "..", "..", "..")),
            Path.GetDirectoryName(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH")),
        ];
        return candidates.FirstOrDefault(folder => !string.IsNullOrEmpty(folder) && Directory.Exists(Path.Combine(folder, "packs")))
            ?? throw new DirectoryNotFoundException(
                $"No .NET SDK with reference packs was found (looked in {string.Join(", ", candidates.Where(c => !string.IsNullOrEmpty(c)))}). "
                + "Set DOTNET_ROOT to the SDK's folder, or give your own text with --data DIR.");
    }

    /// <summary>All documented members: the summary, and the text of parameters, type, result and exceptions.</summary>
    /// <param name="sdk">Folder of the SDK.</param>
    public static IEnumerable<Document> Read(string sdk)
    {
        var files = Directory.EnumerateFiles(Path.Combine(sdk, "packs"), "*.xml", SearchOption.AllDirectories)
            .Where(path => ReferencePack().IsMatch(path.Replace('\\', '/')))
            .Order(StringComparer.Ordinal);
        return files.AsParallel().AsOrdered().Select(file => ReadFile(file).ToArray()).AsEnumerable().SelectMany(documents => documents);
    }

    private static IEnumerable<Document> ReadFile(string file)
    {
        XDocument xml;
        try
        {
            xml = XDocument.Load(file, LoadOptions.PreserveWhitespace);
        }
        catch (XmlException)
        {
            yield break;                                                                 // not documentation
        }
        var members = xml.Descendants("member").ToArray();
        var types = members.Select(member => (string?)member.Attribute("name")).Where(name => name is ['T', ':', ..]).Select(name => name![2..]).ToHashSet();
        foreach (var member in members)
        {
            var name = (string?)member.Attribute("name");
            var summary = member.Element("summary");
            if (name is null || name.Length < 3 || summary is null)
                continue;
            var text = Flatten(summary);
            string[] parts = ["param", "returns", "value", "exception"];
            var details = string.Join(' ', parts.SelectMany(part => member.Elements(part)).Select(Flatten)).Trim();
            if (text.Length >= ShortestText && details.Length >= ShortestText)
                yield return new Document(DisplayName(name), Namespace(name, types), text, details);
        }
    }

    /// <summary>The text of an element; a reference is spelled as words: <c>System.IO.FileStream</c> becomes "File Stream".</summary>
    private static string Flatten(XElement element)
    {
        var text = new StringBuilder();
        Append(element, text);
        return WhiteSpace().Replace(text.ToString(), " ").Trim();
    }

    private static void Append(XElement element, StringBuilder text)
    {
        foreach (var node in element.Nodes())
        {
            if (node is XText words)
                text.Append(words.Value);
            if (node is not XElement child)
                continue;
            if (child.Name.LocalName is "see" or "paramref" or "typeparamref" or "seealso")
                text.Append(' ').Append(Spell((string?)child.Attribute("cref") ?? (string?)child.Attribute("name") ?? (string?)child.Attribute("langword") ?? "")).Append(' ');
            Append(child, text);
        }
    }

    private static string Spell(string reference)
    {
        var plain = reference.Split('(')[0];
        return WordBoundary().Replace(plain[(plain.LastIndexOfAny(['.', ':']) + 1)..], "$1 $2");
    }

    /// <summary><c>M:System.IO.File.ReadAllLines(System.String)</c> is shown as <c>System.IO.File.ReadAllLines(String)</c>.</summary>
    private static string DisplayName(string name)
    {
        var arguments = name.IndexOf('(');
        if (arguments < 0)
            return name[2..];
        return name[2..arguments] + Qualifier().Replace(name[arguments..], "");
    }

    /// <summary>What stands before the outermost documented type; a documentation name does not tell by itself where that is.</summary>
    private static string Namespace(string name, HashSet<string> types)
    {
        var full = name[2..].Split('(')[0];
        for (var dot = full.IndexOf('.'); dot > 0; dot = full.IndexOf('.', dot + 1))
            if (types.Contains(full[..dot]))
                return Parent(full[..dot]);
        return name[0] == 'T' ? Parent(full) : Parent(Parent(full));
    }

    private static string Parent(string name) => name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : name;

    [GeneratedRegex(@"packs/[^/]+\.Ref/[^/]+/ref/net[0-9.]+/[^/]+\.xml$")]
    private static partial Regex ReferencePack();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();

    [GeneratedRegex("([a-z])([A-Z])")]
    private static partial Regex WordBoundary();

    [GeneratedRegex(@"[A-Za-z0-9_]+\.(?=[A-Za-z0-9_])")]
    private static partial Regex Qualifier();
}
