using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Ssl.Estimators;

namespace Ssl.Tool.Configuration;

/// <summary>The comments of the library's declarations, from the file that the compiler writes beside it.</summary>
internal static partial class OptionComments
{
    private static readonly Lazy<Dictionary<string, string>> s_summaries = new(() =>
    {
        var path = Path.Combine(AppContext.BaseDirectory, $"{typeof(PretrainingOptions).Assembly.GetName().Name}.xml");
        if (!File.Exists(path))
            return [];
        var members = XDocument.Load(path).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);
        return members.Where(pair => Summary(pair.Value) is not null).ToDictionary(pair => pair.Key, pair => Text(Summary(pair.Value)!));

        // The compiler leaves it to readers to look where a comment is taken from.
        XElement? Summary(XElement member) => member.Element("summary")
            ?? (member.Element("inheritdoc")?.Attribute("cref") is { } from && members.TryGetValue(from.Value, out var other) ? Summary(other) : null);
    });

    /// <summary>The first sentence about a class; empty where there is none.</summary>
    public static string OfType(Type type) => s_summaries.Value.GetValueOrDefault($"T:{Name(type)}", "");

    /// <summary>What an option does.</summary>
    public static string Of(PropertyInfo option) => s_summaries.Value.GetValueOrDefault($"P:{Name(option.DeclaringType!)}.{option.Name}", "");

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    private static string Text(XElement element)
        => Spaces().Replace(string.Concat(element.Nodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "see" } see => see.Attribute("langword")?.Value ?? Last(see.Attribute("cref")?.Value ?? see.Value),
            XElement { Name.LocalName: "paramref" } parameter => parameter.Attribute("name")!.Value,
            XElement other => Text(other),
            _ => "",
        })), " ").Trim();

    private static string Last(string reference)
    {
        var bare = reference.Split('(')[0];
        return bare[(bare.LastIndexOf('.') + 1)..];
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
