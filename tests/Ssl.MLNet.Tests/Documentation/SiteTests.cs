using System.Text.RegularExpressions;

namespace Ssl.MLNet.Tests;

/// <summary>The pages of the site are all reached, and quote what the code says.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class SiteTests
{
    private static readonly string s_docs = Path.Combine(Repository.Root, "docs");

    [TestMethod]
    public void Every_page_is_in_the_table_of_contents()
    {
        var contents = Regex.Matches(File.ReadAllText(Path.Combine(s_docs, "toc.yml")), @"href: (\S+\.md)").Select(match => match.Groups[1].Value).ToHashSet();
        var pages = Directory.GetFiles(s_docs, "*.md", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(s_docs, path).Replace('\\', '/'));
        Assert.AreEqual("", string.Join(", ", pages.Where(page => !contents.Contains(page))));
    }

    [TestMethod]
    public void Every_link_between_pages_leads_to_a_file_and_a_heading()
    {
        var faults = new List<string>();
        foreach (var page in CodeBlock.Pages)
        {
            foreach (Match link in Regex.Matches(Read(page), @"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)"))
            {
                var target = link.Groups[1].Value == "" ? Path.Combine(Repository.Root, page)
                    : Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, link.Groups[1].Value));
                if (!File.Exists(target) && !Directory.Exists(target) || link.Groups[2].Success && !Anchors(File.ReadAllText(target)).Contains(link.Groups[2].Value))
                    faults.Add($"{page}: {link.Value}");
            }
        }
        Assert.AreEqual("", string.Join('\n', faults));

        static HashSet<string> Anchors(string text) => [.. Regex.Matches(text, "^#+ (.*)$", RegexOptions.Multiline)
            .Select(heading => Regex.Replace(heading.Groups[1].Value.ToLowerInvariant(), "[^a-z0-9 _-]", "").Replace(' ', '-'))];
    }

    // A message of the page, with … for what differs, stands in the code with anything in those places.
    [TestMethod]
    public void The_messages_of_the_troubleshooting_page_are_those_of_the_code()
    {
        var code = string.Concat(Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(path => Regex.Replace(Regex.Replace(File.ReadAllText(path), @"""\s*\+\s*\$?""", ""), @"""\)\s*\+\s*(?:Invariant|Format)\(\$""", "")));
        var messages = Regex.Matches(Read("docs/troubleshooting.md"), @"^\| `([^`]*)`", RegexOptions.Multiline).Select(match => match.Groups[1].Value).ToArray();
        Assert.IsGreaterThan(10, messages.Length);
        foreach (var part in messages.SelectMany(message => message.Split('…', StringSplitOptions.RemoveEmptyEntries)).Where(part => part.Any(char.IsLetter)))
            Assert.Contains(part.Trim(), code, $"docs/troubleshooting.md quotes '{part}', which the code does not say.");
    }

    private static string Read(string page) => File.ReadAllText(Path.Combine(Repository.Root, page));
}
