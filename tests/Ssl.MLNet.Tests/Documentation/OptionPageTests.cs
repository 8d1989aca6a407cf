namespace Ssl.MLNet.Tests;

/// <summary>
/// docs/options.md says what the declarations say. After a change of options: <c>SSL_UPDATE_DOCS=1 dotnet test -c Release
/// tests/Ssl.MLNet.Tests --filter OptionPageTests</c>.
/// </summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class OptionPageTests
{
    private static readonly string s_path = Path.Combine(Repository.Root, "docs", "options.md");

    [TestMethod]
    public void The_page_is_what_the_declarations_say()
    {
        var page = OptionPage.Write();
        if (Environment.GetEnvironmentVariable("SSL_UPDATE_DOCS") == "1")
            File.WriteAllText(s_path, page);
        string[] committed = File.ReadAllLines(s_path), declared = page.TrimEnd('\n').Split('\n');
        for (var i = 0; i < Math.Max(committed.Length, declared.Length); i++)
        {
            Assert.AreEqual(declared.ElementAtOrDefault(i), committed.ElementAtOrDefault(i), $"line {i + 1} of docs/options.md is not what the "
                + "declarations say; SSL_UPDATE_DOCS=1 and this test write the page anew");
        }
    }

    [TestMethod]
    [DataRow("README.md")]
    [DataRow("docs/methods.md")]
    public void Pages_that_list_the_methods_name_them_all(string page)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, page));
        Assert.AreEqual("", string.Join(", ", OptionPage.AllMethods.Where(method => !text.Contains($"`{method}`", StringComparison.Ordinal))));
    }
}
