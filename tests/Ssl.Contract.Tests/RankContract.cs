using Ssl.FreshProcess;

namespace Ssl.Contract.Tests;

/// <summary>
/// Two processes with half of the rows each make the update that one makes of all of them: every method, under Open MPI and under MPICH, each of
/// which must be installed for its test.
/// </summary>
[TestClass]
public sealed class RankContract
{
    // Of one step, in absolute size; the largest change of a weight is some hundredths at least.
    private const double Exact = 1e-5, LeastUpdate = 0.01;

    // Of three, after which a value that was nearly 0 may have passed through a rectifier in the one and not in the other.
    private const double Near = 2e-3;

    private static string? s_folder;

    [ClassCleanup]
    public static void RemoveFolder()
    {
        if (s_folder is not null)
            Directory.Delete(s_folder, recursive: true);
    }

    [TestMethod]
    [DataRow("mpirun.openmpi", "--bind-to none --oversubscribe")]
    [DataRow("mpirun.mpich", "")]
    public void Two_processes_make_the_update_of_one(string launcher, string options)
    {
        if (!MpiLauncher.Exists(launcher))
            Assert.Inconclusive($"There is no {launcher} here: install Open MPI (openmpi-bin) or MPICH (mpich).");
        var alone = Alone();
        var folder = Directory.CreateTempSubdirectory("ranks-").FullName;
        try
        {
            Run([launcher, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), "-n", "2"], folder, ranks: 0);
            var faults = new List<string>();
            string[] names = [.. Directory.GetFiles(alone, "*-before").Select(path => Path.GetFileName(path)[..^"-before".Length])];
            Assert.HasCount(TrainingContract.Contracts.Count(), names, "every method was trained");
            foreach (var name in names)
            {
                foreach (var (steps, tolerance) in ((int, double)[])[(1, Exact), (3, Near)])
                {
                    var (one, first, second) = (Path.Combine(alone, $"{name}-{steps}-alone"), Path.Combine(folder, $"{name}-{steps}-0"),
                        Path.Combine(folder, $"{name}-{steps}-1"));
                    if (!File.Exists(first) || !File.Exists(second))
                    {
                        faults.Add($"{name}: the processes did not come to their end");
                        continue;
                    }
                    if (!File.ReadAllBytes(first).AsSpan().SequenceEqual(File.ReadAllBytes(second)))
                        faults.Add($"{name}, {steps} steps: the two processes have other weights");
                    var (weights, together) = (Read(one), Read(first));
                    if (steps == 1 && Distance(Read(Path.Combine(alone, $"{name}-before")), weights).Largest < LeastUpdate)
                        faults.Add($"{name}: nearly nothing was learned, so that the comparison says nothing");
                    var (largest, where) = Distance(weights, together);
                    if (!(largest <= tolerance))
                        faults.Add(FormattableString.Invariant($"{name}, {steps} steps: {where} differs by {largest:g2}"));
                }
            }
            Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // By one process that draws as the two would; once for both launchers.
    private static string Alone()
    {
        if (s_folder is null)
        {
            s_folder = Directory.CreateTempSubdirectory("ranks-alone-").FullName;
            Run([], s_folder, ranks: 2);
        }
        return s_folder;
    }

    private static void Run(string[] launcher, string folder, int ranks)
    {
        var (exit, output, error) = MpiLauncher.Run(launcher, ["do:ranks", typeof(RankContract).Assembly.Location, folder, $"{ranks}"]);
        Assert.AreEqual(0, exit, $"{output}{Environment.NewLine}{error}");
        Assert.DoesNotContain("Exception", output, output);
    }

    private static Dictionary<string, float[]> Read(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        var state = new Dictionary<string, float[]>();
        while (reader.BaseStream.Position < reader.BaseStream.Length)
        {
            var name = reader.ReadString();
            state.Add(name, [.. Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadSingle())]);
        }
        return state;
    }

    private static (double Largest, string Where) Distance(Dictionary<string, float[]> one, Dictionary<string, float[]> other)
        => one.Select(item => (item.Value.Zip(other[item.Key], (a, b) => (double)Math.Abs(a - b)).DefaultIfEmpty(0).Max(), item.Key)).Max();
}
