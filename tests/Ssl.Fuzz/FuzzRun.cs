using System.Diagnostics;
using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace Ssl.Fuzz;

/// <summary>Reads damaged files of some kinds, and tells what came of it.</summary>
internal sealed class FuzzRun(FileKind kind)
{
    private const int FailedExit = 1, HungExit = 3;
    private const double SecondsAFile = 2, HungAfterSeconds = 60;
    private const long FurtherBytes = 200 << 20, GarbageBytes = 32 << 20;

    private long _before, _largest;
    private int _refused, _same, _others;
    private double _slowest;
    private string? _fault;

    /// <summary>So many files of each kind in this process.</summary>
    /// <returns>The exit code: 0 where nothing was found.</returns>
    public static int Here(IEnumerable<string> names, int count, int seed)
    {
        var failed = false;
        foreach (var name in names)
        {
            using var folder = new Kinds();
            failed |= !new FuzzRun(folder.Make(name)).Check(count, seed);
        }
        return failed ? FailedExit : 0;
    }

    /// <summary>All kinds in turn until the time is over, each in a process of its own, which may crash.</summary>
    /// <returns>The exit code: 0 where nothing was found.</returns>
    public static int InProcesses(IReadOnlyList<string> names, TimeSpan time, int seed)
    {
        const int FilesAProcess = 2_000;
        var clock = Stopwatch.StartNew();
        for (; clock.Elapsed < time; seed++)
        {
            foreach (var name in names)
            {
                using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!,
                    [.. Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? (string[])[typeof(FuzzRun).Assembly.Location] : [],
                    "--kind", name, "--count", $"{FilesAProcess}", "--seed", $"{seed}"]))!;
                process.WaitForExit();
                if (process.ExitCode == 0)
                    continue;
                Console.Error.WriteLine($"{name}, seed {seed}: exit code {process.ExitCode}; the last file that was read is {LastFile(name)}");
                return FailedExit;
            }
        }
        Console.WriteLine($"{clock.Elapsed.TotalMinutes:0} minutes: nothing found");
        return 0;
    }

    private bool Check(int count, int seed)
    {
        using var watch = new Timer(_ => Hang(), null, Timeout.Infinite, Timeout.Infinite);
        string last = LastFile(kind.Name), failing = Path.ChangeExtension(last, ".failing.bin");
        Directory.CreateDirectory(Path.GetDirectoryName(last)!);
        File.WriteAllBytes(Path.ChangeExtension(last, ".whole.bin"), kind.Whole);
        _ = kind.Expected;
        _before = Peak();
        var property = Prop.ForAll(Damage.Any, damages =>
        {
            var bytes = Damage.Apply(kind.Whole, damages);
            File.WriteAllBytes(last, bytes);        // what is left of a process that crashes
            watch.Change(TimeSpan.FromSeconds(HungAfterSeconds), Timeout.InfiniteTimeSpan);
            var isGood = Judge(bytes, damages.Any(damage => damage.Kind == DamageKind.Value));
            watch.Change(Timeout.Infinite, Timeout.Infinite);
            if (!isGood)
                File.Copy(last, failing, overwrite: true);      // the smallest comes last
            return isGood;
        });
        var replay = FSharpOption<Replay>.Some(new Replay(new Rnd((ulong)seed, 0x9E3779B97F4A7C15), FSharpOption<int>.None));
        var failed = false;
        try
        {
            FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(replay).WithQuietOnSuccess(true), property);
            File.Delete(last);
        }
        catch (Exception fault) when (_fault is not null)
        {
            failed = true;
            Console.Error.WriteLine($"{kind.Name}: {_fault}\n{fault.Message}\nThe file is {failing}; --kind \"{kind.Name}\" --count {count} --seed {seed} repeats it.");
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{kind.Name}: {_refused} refused, {_same} the same, {_others} read, slowest {1000 * _slowest:0} ms, peak {(Peak() - _before) >> 20} MB more"));
        return !failed;
    }

    private bool Judge(byte[] bytes, bool isSealed)
    {
        // What is measured is the reading, not what making damaged files leaves to the collector.
        if (GC.GetTotalMemory(forceFullCollection: false) > GarbageBytes)
            GC.Collect();
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        try
        {
            var numbers = kind.Read(bytes);
            if (numbers.Zip(kind.Expected).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
                _same++;
            else if (isSealed || !kind.HasChecksums)
                _others++;
            else
                return Fails("it was read and gives other numbers");
        }
        catch (Exception fault) when (kind.Refusals.Contains(fault.GetType()) && IsSentence(fault.Message))
        {
            _refused++;
        }
        catch (Exception fault)
        {
            return Fails($"{fault.GetType().Name}: {fault.Message}\n{fault.StackTrace}");
        }
        var seconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
        _slowest = Math.Max(_slowest, seconds);
        if (seconds > SecondsAFile)
            return Fails($"it took {seconds:0.0} s of the processor");
        var memory = Peak() - _before;
        // The peak is one of all files so far.
        _largest = Math.Max(_largest, bytes.Length);
        return memory <= 3 * _largest + FurtherBytes || Fails($"it took {memory >> 20} MB");
    }

    private bool Fails(string why)
    {
        _fault = why;
        return false;
    }

    // Not the words of the runtime about one of its parameters, and not cut off.
    private static bool IsSentence(string message) => message.Length > 20 && message.TrimEnd()[^1] is '.' or ')'
        && !message.Contains("(Parameter", StringComparison.Ordinal) && !message.StartsWith("Exception of type", StringComparison.Ordinal);

    private static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private static string LastFile(string name) => Path.GetFullPath(Path.Combine("artifacts", "fuzz", $"{name}.bin"));

    private void Hang()
    {
        Console.Error.WriteLine($"{kind.Name}: a file is being read for {HungAfterSeconds} seconds; it is {LastFile(kind.Name)}");
        Environment.Exit(HungExit);
    }
}
