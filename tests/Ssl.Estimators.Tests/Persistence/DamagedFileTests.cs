namespace Ssl.Estimators.Tests.Persistence;

/// <summary>Hundreds of damaged files in a process of their own: refused in a sentence, never a crash, never other numbers.</summary>
[TestClass]
public sealed class DamagedFileTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-damaged-").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow("archives", 400)]
    [DataRow("checkpoints", 400)]
    public void Damaged_files_are_refused(string what, int count)
    {
        var lines = ChildProcess.Run($"damaged-{what}", [_folder, $"{count}"]).Trim().Split('\n');
        Assert.HasCount(what == "archives" ? 3 : 1, lines);
        foreach (var line in lines)
        {
            var parts = line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Split(", ")
                .Select(part => int.Parse(part[..part.IndexOf(' ')])).ToArray();
            Assert.AreEqual(count, parts.Sum(), line);
            Assert.AreEqual(0, parts[2], line);
            // What is resealed may be as good a file as before; everything else must be noticed.
            Assert.IsGreaterThanOrEqualTo(count * 3 / 4, parts[0], line);
            Assert.AreEqual(0, parts[1], line);
        }
    }
}
