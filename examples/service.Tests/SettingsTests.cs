using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace SearchService.Tests;

/// <summary>The settings are in the file, in the readme and in the code the same.</summary>
[TestClass]
public sealed class SettingsTests
{
    [TestMethod]
    public void The_settings_file_has_the_defaults_of_the_code()
    {
        var section = new ConfigurationBuilder().AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json")).Build().GetSection(ServiceOptions.Section);
        foreach (var property in typeof(ServiceOptions).GetProperties().Where(property => property.Name != nameof(ServiceOptions.Workers)))
            Assert.AreEqual(Convert.ToString(property.GetValue(new ServiceOptions()), CultureInfo.InvariantCulture), section[property.Name], property.Name);
        Assert.HasCount(typeof(ServiceOptions).GetProperties().Length - 1, section.GetChildren());
        Assert.IsNull(new ServiceOptions().Workers);
    }

    [TestMethod]
    [TestCategory("Checkout")]
    public void The_readme_names_every_setting_with_its_default()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SslMLNet.sln")))
            folder = folder.Parent!;
        var readme = File.ReadAllText(Path.Combine(folder.FullName, "examples", "service", "README.md"));
        var rows = Regex.Matches(readme, @"^\| (`[A-Z]\w+`(?:, `\w+`)*) \| ([^|]+) \|", RegexOptions.Multiline)
            .SelectMany(row => row.Groups[1].Value.Split(", ").Zip(row.Groups[2].Value.Split(", "))).ToDictionary(row => row.First.Trim('`'), row => row.Second.Trim('`'));
        foreach (var property in typeof(ServiceOptions).GetProperties())
        {
            var value = Convert.ToString(property.GetValue(new ServiceOptions()), CultureInfo.InvariantCulture);
            Assert.AreEqual(value is null or "" ? "one a core" : value, rows.GetValueOrDefault(property.Name), property.Name);
        }
        Assert.HasCount(typeof(ServiceOptions).GetProperties().Length, rows);
    }
}
