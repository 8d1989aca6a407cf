namespace Ssl.Estimators.Distributed;

/// <summary>How many threads a process computes with, where several share a machine.</summary>
internal static class Threads
{
    private static int s_processes = 1;

    /// <summary>Threads for the processor's kernels of this process.</summary>
    public static int Count => Math.Max(1, Environment.ProcessorCount / Volatile.Read(ref s_processes));

    /// <summary>From now on the machine's cores are shared by so many processes, unless the launcher bound each to cores of its own.</summary>
    public static void Share(int processes) => Volatile.Write(ref s_processes, IsBound(processes) ? 1 : processes);

    // A process that is bound sees its own cores alone.
    private static bool IsBound(int processes)
    {
        try
        {
            return OperatingSystem.IsLinux() && processes > 1
                && Environment.ProcessorCount < File.ReadLines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false;
        }
    }
}
