using System.Text.RegularExpressions;
using Ssl.MLNet.Tests;

namespace Ssl.MLNet.Interactive.Tests.Notebooks;

/// <summary>The notebooks that are committed are those of their programs, and were run.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed partial class NotebookTests
{
    private const int MostBytes = 600_000;

    public static IEnumerable<object[]> Notebooks => NotebookSource.Names.Select(name => new object[] { name });

    [TestMethod]
    public void Every_program_has_its_notebook_and_every_notebook_its_program()
    {
        var notebooks = Directory.GetFiles(NotebookSource.Folder, "*.ipynb").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal).ToArray();
        CollectionAssert.AreEqual(NotebookSource.Names.ToArray(), notebooks);
        Assert.IsGreaterThanOrEqualTo(4, notebooks.Length);
        foreach (var page in new[] { "docs/notebooks.md", "examples/README.md" })
        {
            var text = File.ReadAllText(Path.Combine(Repository.Root, page));
            Assert.AreEqual("", string.Join(", ", notebooks.Where(name => !text.Contains($"notebooks/{name}.ipynb", StringComparison.Ordinal))), $"what {page} does not name");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Notebooks))]
    public void Cells_are_those_of_the_program(string name)
    {
        var (expected, actual) = (NotebookSource.Cells(name, NotebookSource.Program(name)), NotebookFile.Read(name).Cells);
        for (var i = 0; i < Math.Max(expected.Length, actual.Length); i++)
            Assert.AreEqual(expected.ElementAtOrDefault(i), actual.ElementAtOrDefault(i), $"cell {i + 1} of {name}.ipynb is not what {name}.cs says; {NotebookRunTests.Command}");
    }

    [TestMethod]
    [DynamicData(nameof(Notebooks))]
    public void Outputs_are_there_without_errors_and_without_this_machine(string name)
    {
        var (cells, outputs) = NotebookFile.Read(name);
        foreach (var (i, cell) in cells.Index().Where(item => item.Item.IsCode))
        {
            Assert.IsFalse(outputs[i].Any(output => output.Kind == "error"), $"cell {i + 1} of {name}.ipynb failed");
            Assert.AreEqual(Puts(cell.Text), outputs[i].Length > 0, $"cell {i + 1} of {name}.ipynb: whether it has outputs\n{cell.Text}");
            foreach (var output in outputs[i])
            {
                var found = MachinePath().Match(output.Text);
                Assert.IsFalse(found.Success, $"cell {i + 1} of {name}.ipynb shows the path {found.Value}");
                Assert.DoesNotContain("<script", output.Text);
            }
        }
        Assert.IsLessThan(MostBytes, new FileInfo(NotebookFile.PathOf(name)).Length, $"bytes of {name}.ipynb");
    }

    [TestMethod]
    [DynamicData(nameof(Notebooks))]
    public void The_program_compiles(string name)
    {
        var program = NotebookSource.Program(name);
        StringAssert.StartsWith(program, "#:project ../../src/Ssl.MLNet.Interactive/Ssl.MLNet.Interactive.csproj\n#:property PublishAot=false\n#:property NeedsNativeTorch=true\n\n// %% [markdown]\n// # ");
        var code = Regex.Replace(program, "^#:[^\n]*$", "", RegexOptions.Multiline);
        using var assembly = new MemoryStream();
        Assert.AreEqual("", new CodeBlock($"examples/notebooks/{name}.cs", 1, code, null, "the kernel runs it").Compile(assembly));
    }

    [TestMethod]
    public void A_program_becomes_cells()
    {
        const string Program = """
            #:project x

            // %% [markdown]
            // # Title
            //
            // Words.
            // %%
            using System;
            var encoder = 1;
            Console.WriteLine(encoder);

            // %%
            Console.WriteLine(ssl.Report(data, new()
            {
                A = 1,
            }));
            // %%
            Console.WriteLine($"{encoder}");
            // %%
            Console.WriteLine(1);
            Console.WriteLine(string.Join(", ", texts));
            """;
        var cells = NotebookSource.Cells("Name", Program);
        CollectionAssert.AreEqual(new Cell[]
        {
            new(false, "# Title\n\nWords.\n\nThis notebook is made from [Name.cs](Name.cs), which is a program, too: `dotnet run examples/notebooks/Name.cs`."),
            new(true, NotebookSource.References), new(true, "using System;\nvar encoder = 1;\nencoder"), new(true, "ssl.Report(data, new()\n{\n    A = 1,\n})"),
            new(true, "Console.WriteLine($\"{encoder}\");"), new(true, "Console.WriteLine(1);\nConsole.WriteLine(string.Join(\", \", texts));"),
        }, cells);
        Assert.ThrowsExactly<FormatException>(() => NotebookSource.Cells("Name", "// %%\nvar a = 1;\n"));
        Assert.ThrowsExactly<FormatException>(() => NotebookSource.Cells("Name", "// %% [markdown]\nvar a = 1;\n"));
        Assert.ThrowsExactly<FormatException>(() => NotebookSource.Cells("Name", "// %% [markdown]\n// # A\n// %% [raw]\n1\n"));
    }

    [TestMethod]
    [DataRow("in /tmp/a/b.txt", true)]
    [DataRow("<span>/root/.nuget/packages</span>", true)]
    [DataRow(@"C:\Users\me\x", true)]
    [DataRow("https://example.org/home/page and 3/4 of it", false)]
    [DataRow("System.IO/Path", false)]
    public void Paths_of_a_machine_are_known(string text, bool expected) => Assert.AreEqual(expected, MachinePath().IsMatch(text));

    // Prints, trains below itself, or ends with a value.
    private static bool Puts(string code) => code.Contains("Console.WriteLine", StringComparison.Ordinal) || code.Contains("training.Fit", StringComparison.Ordinal)
        || (!code.StartsWith("#r", StringComparison.Ordinal) && code[^1] is not (';' or '}'));

    [GeneratedRegex(@"(?<![\w./:-])/(?:root|home|tmp|work|var|mnt|usr|opt|Users)/|\b[A-Za-z]:\\\w")]
    private static partial Regex MachinePath();
}
