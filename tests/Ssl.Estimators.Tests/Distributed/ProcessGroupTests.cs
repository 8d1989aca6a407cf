using System.Diagnostics;
using System.Text.RegularExpressions;
using Ssl.FreshProcess;

namespace Ssl.Estimators.Tests.Distributed;

/// <summary>A program started several times by a launcher, as a user does it (tests/Ssl.FreshProcess/RankFitTasks.cs).</summary>
[TestClass]
public sealed partial class ProcessGroupTests
{
    private string _folder = "";

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("ranks-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void All_processes_end_with_one_encoder_and_the_first_one_speaks()
    {
        var embeddings = new Dictionary<string, string>();
        foreach (var plan in (string[])["none", "no-seed", "validation", "compressed", "divided"])
        {
            var (_, lines) = Run(plan, 2);
            embeddings[plan] = Told(lines, 0, "embeddings");
            Assert.AreEqual(Told(lines, 0, "embeddings"), Told(lines, 1, "embeddings"), plan);
            StringAssert.Contains(string.Join('\n', lines), "2 processes", plan);
            Assert.IsFalse(lines.Any(line => line.StartsWith("[1] log", StringComparison.Ordinal) || line.StartsWith("[1] epoch", StringComparison.Ordinal)), plan);
            var losses = Losses().Match(Told(lines, 0, "steps"));
            Assert.IsLessThan(Number(losses.Groups[2]), Number(losses.Groups[1]), $"{plan}: the loss falls");
        }
        Assert.AreNotEqual(embeddings["none"], embeddings["compressed"], "gradients that were rounded on their way");
    }

    [TestMethod]
    public void An_interrupted_training_goes_on_as_if_nothing_had_been_and_with_another_number_of_processes()
    {
        var (whole, interrupted, other) = (Path.Combine(_folder, "whole"), Path.Combine(_folder, "interrupted"), Path.Combine(_folder, "other"));
        var expected = Told(Run("none", 2, whole, 5).Lines, 0, "embeddings");
        Run("cancels-first", 2, interrupted, 5);
        File.Copy(interrupted, other);
        var resumed = Run("none", 2, interrupted, 5).Lines;
        StringAssert.Matches(string.Join('\n', resumed), Resumed());
        Assert.AreEqual(expected, Told(resumed, 0, "embeddings"));
        var more = Run("none", 4, other, 5).Lines;
        StringAssert.Matches(string.Join('\n', more), Resumed());
        Assert.AreEqual(Told(more, 0, "embeddings"), Told(more, 3, "embeddings"));
        StringAssert.Contains(Told(more, 0, "steps"), "5 epochs");
    }

    [TestMethod]
    public void Files_are_embedded_by_all_and_none_twice()
    {
        var place = Path.Combine(_folder, "corpus");
        Directory.CreateDirectory(place + "-in");
        for (var i = 0; i < 5; i++)
            File.WriteAllLines($"{place}-in/part{i}.txt", Enumerable.Range(0, 10 + i).Select(row => $"word{row} word{i}"));
        var (_, lines) = Run("files", 2, place);
        Assert.AreEqual("files 5, rows 60", Told(lines, 0, "files"));
        Assert.AreEqual("files 5, rows 60", Told(lines, 1, "files"));
        CollectionAssert.AreEquivalent((string[])["[0] wrote part0.idv", "[0] wrote part2.idv", "[0] wrote part4.idv", "[1] wrote part1.idv", "[1] wrote part3.idv"],
            lines.Where(line => line.Contains("wrote", StringComparison.Ordinal)).ToArray());
        File.Delete($"{place}-out/part3.idv");
        File.SetLastWriteTimeUtc($"{place}-in/part0.txt", DateTime.UtcNow.AddMinutes(1));
        (_, lines) = Run("files", 2, place);
        Assert.AreEqual("files 5, rows 60", Told(lines, 0, "files"));
        CollectionAssert.AreEquivalent((string[])["[0] wrote part0.idv", "[1] wrote part3.idv"],
            lines.Where(line => line.Contains("wrote", StringComparison.Ordinal)).ToArray(), "what is missing, and what is older than its input");
    }

    [TestMethod]
    public void One_that_cancels_ends_all_with_what_was_learned()
    {
        var (exit, lines) = Run("cancels", 2, Path.Combine(_folder, "checkpoint"), 400);
        Assert.AreEqual(0, exit);
        Assert.AreEqual(Told(lines, 0, "embeddings"), Told(lines, 1, "embeddings"));
    }

    [TestMethod]
    public void What_goes_wrong_in_one_is_said_by_all()
    {
        foreach (var (plan, first, last) in ((string, string, string?)[])
        [
            ("options", "process 1 differs from process 0: Temperature is 0.1 in place of 0.05", "process 1 differs from process 0"),
            ("data", "Process 1 stopped, and this one with it: row 200 cannot be read", "row 200 cannot be read"),
            ("uneven", "BatchSize 33 cannot be shared evenly by 2 processes; it is the rows of a step of all of them. Set it to 32 or 34.", "32 or 34"),
            ("late", "waited 2 s for the other 1 processes, longer than ProcessGroupOptions.Timeout", null),
            ("leaves", "Process 1 has ended, while this one begins a Fit", null),
        ])
        {
            var (_, lines) = Run(plan, 2);
            StringAssert.Contains(Told(lines, 0, "fault:"), first, plan);
            if (last is not null)
                StringAssert.Contains(Told(lines, 1, "fault:"), last, plan);
        }
    }

    [TestMethod]
    public void One_that_is_killed_ends_all_soon_and_leaves_a_checkpoint()
    {
        var checkpoint = Path.Combine(_folder, "checkpoint");
        var clock = Stopwatch.StartNew();
        var (exit, lines) = Run("killed", 2, checkpoint, 4000);
        Assert.AreNotEqual(0, exit);
        Assert.IsLessThan(60, clock.Elapsed.TotalSeconds, "thirty of them at most after the kill");
        StringAssert.Contains(string.Join('\n', lines), $"The training goes on from '{checkpoint}', written after epoch");
        Assert.IsTrue(File.Exists(checkpoint));
    }

    [TestMethod]
    public void A_missing_library_and_one_of_another_launcher_are_named()
    {
        var missing = Run("none", 2, environment: ("SSL_MPI_LIBRARY", "libnothing.so")).Lines;
        StringAssert.Contains(string.Join('\n', missing), "started 2 processes, but no MPI library was found (libnothing.so). Install it: Open MPI, on Debian and "
            + "Ubuntu the package openmpi-bin");
        if (!File.Exists("/usr/lib/x86_64-linux-gnu/libmpich.so.12"))
            Assert.Inconclusive("MPICH is not here.");
        var other = Run("none", 2, environment: ("SSL_MPI_LIBRARY", "libmpich.so.12")).Lines;
        StringAssert.Contains(string.Join('\n', other), "but libmpich.so.12 says that it is process 0 of 1: the library belongs to another MPI than the launcher");
    }

    private static double Number(Group group) => double.Parse(group.Value, System.Globalization.CultureInfo.InvariantCulture);

    private static string Told(string[] lines, int rank, string what)
        => lines.FirstOrDefault(line => line.StartsWith($"[{rank}] {what}", StringComparison.Ordinal))?[$"[{rank}] ".Length..]
            ?? throw new AssertFailedException($"Process {rank} says nothing of '{what}':\n{string.Join('\n', lines)}");

    private static (int Exit, string[] Lines) Run(string plan, int processes, string checkpoint = "none", int epochs = 2, (string Name, string Value)? environment = null)
    {
        const string launcher = "mpirun.openmpi";
        if (!MpiLauncher.Exists(launcher))
            Assert.Inconclusive("There is no mpirun.openmpi here: install Open MPI (openmpi-bin).");
        var (exit, output, error) = MpiLauncher.Run([launcher, "--bind-to", "none", "--oversubscribe", "-n", $"{processes}"],
            ["do:ranks-fit", plan, checkpoint, $"{epochs}"], environment is { } variable ? [variable] : []);
        return (exit, $"{output}\n{error}".Split('\n'));
    }

    // A fast machine tells of the third epoch when it is over.
    [GeneratedRegex("after epoch [23] of 5")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"loss ([0-9.]+) after ([0-9.]+)")]
    private static partial Regex Losses();
}
