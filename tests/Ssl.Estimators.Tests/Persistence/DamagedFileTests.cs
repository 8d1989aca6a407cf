using System.Diagnostics;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>Damaged files of every kind in a process of their own: refused in a sentence, never a crash, never other numbers. The long run is
/// tests/Ssl.Fuzz itself.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class DamagedFileTests
{
    private const int FilesAKind = 30;

    [TestMethod]
    public void Damaged_files_are_refused()
    {
        var folder = Directory.CreateTempSubdirectory("ssl-damaged-").FullName;
        try
        {
            var isDotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
            var process = Process.Start(new ProcessStartInfo(isDotnet ? Environment.ProcessPath! : "dotnet",
                [Path.Combine(AppContext.BaseDirectory, "Ssl.Fuzz.dll"), "--count", $"{FilesAKind}", "--seed", "5"])
            {
                RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
            })!;
            var lines = ChildProcess.Finish(process).Trim().Split('\n');
            Assert.HasCount(40, lines);
            foreach (var line in lines)
            {
                int[] counts = [.. line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Split(", ").Take(3).Select(part => int.Parse(part[..part.IndexOf(' ')]))];
                Assert.AreEqual(FilesAKind, counts.Sum(), line);
                // A damaged image or sound is another one, most of the time.
                if (!line.StartsWith("image ", StringComparison.Ordinal) && !line.StartsWith("sound ", StringComparison.Ordinal))
                    Assert.IsGreaterThan(FilesAKind / 8, counts[0], line);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
