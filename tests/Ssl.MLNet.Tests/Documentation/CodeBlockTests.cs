using System.Reflection;

namespace Ssl.MLNet.Tests;

/// <summary>
/// The C# of every page compiles and runs. A block stands alone, with the usings of a new console project, or says in a comment before it which
/// small data it is shown on, as in <c>&lt;!-- sample: Texts --&gt;</c> (<c>Samples.cs</c>). <c>&lt;!-- no-run: why --&gt;</c> is for what cannot run here.
/// </summary>
[TestClass]
[TestCategory("Checkout")]
[DoNotParallelize]
public sealed class CodeBlockTests
{
    // A block that is not run is listed here, so that nobody marks one by the way.
    private static readonly string[] s_notRun = ["docs/notebooks.md", "docs/pretrained.md"];

    public static IEnumerable<object[]> PagesWithCode => CodeBlock.Pages.Where(page => Blocks(page).Any()).Select(page => new object[] { page });

    [TestMethod]
    [DynamicData(nameof(PagesWithCode))]
    public void The_code_of_a_page_compiles_and_runs(string page)
    {
        var (before, folder) = (Environment.CurrentDirectory, Directory.CreateTempSubdirectory("ssl-page-").FullName);
        var faults = new List<string>();
        Environment.CurrentDirectory = folder;
        try
        {
            foreach (var block in Blocks(page))
            {
                try
                {
                    block.Run();
                }
                catch (Exception fault)
                {
                    faults.Add($"{block}: {(fault is TargetInvocationException { InnerException: { } inner } ? inner : fault)}");
                }
            }
        }
        finally
        {
            Environment.CurrentDirectory = before;
            Directory.Delete(folder, recursive: true);
        }
        Assert.AreEqual("", string.Join("\n\n", faults));
    }

    [TestMethod]
    public void Blocks_that_are_not_run_are_listed()
        => Assert.AreEqual(string.Join(", ", s_notRun), string.Join(", ", CodeBlock.Pages.SelectMany(Blocks)
            .Where(block => block.NoRun is not null).Select(block => block.Page).Distinct()));

    [TestMethod]
    [DataRow("int x = \"text\";", "page.md(4): Cannot implicitly convert type 'string' to 'int'")]
    [DataRow("throw new InvalidOperationException(\"no\");", "no")]
    [DataRow("new Other();", "'Other' could not be found")]
    public void A_block_that_is_wrong_is_noticed(string code, string message)
    {
        var block = CodeBlock.Of("page.md", $"Text.\n\n```csharp\n{code}\n```\n").Single();
        var fault = Assert.Throws<Exception>(() => block.Run());
        Assert.Contains(message, fault.ToString());
    }

    [TestMethod]
    public void A_block_sees_the_sample_that_it_names_and_prints()
    {
        var blocks = CodeBlock.Of("page.md", "```csharp\nConsole.WriteLine(1);\n```\n\n<!-- sample: Texts -->\n```csharp\nConsole.WriteLine(data.Schema[0].Name);\n```\n");
        CollectionAssert.AreEqual(new[] { "1\n", "Text\n" }, blocks.Select(block => block.Run()).ToArray());
        Assert.Contains("'data' does not exist", Assert.Throws<Exception>(() => CodeBlock.Of("page.md", "```csharp\n_ = data;\n```\n").Single().Run()).Message);
    }

    private static IEnumerable<CodeBlock> Blocks(string page) => CodeBlock.Of(page, File.ReadAllText(Path.Combine(Repository.Root, page)));
}
