using Microsoft.ML;
using Ssl.Estimators;

namespace Ssl.FreshProcess;

/// <summary>Changes of an index file, made until somebody ends the process.</summary>
internal static class IndexTasks
{
    public const int Dimension = 12;

    private const int Ids = 400;

    /// <summary>Goes on from a change, and says of each that it has returned.</summary>
    public static void Change(string path, int from)
    {
        using var index = NeighborIndex<long>.Open(new MLContext(seed: 1), path, readOnly: false);
        for (var number = from; ; number++)
        {
            var (removed, added) = Of(number);
            if (number % 13 == 12)
                index.Compact();
            if (removed.Length > 0)
                index.Remove(removed);
            else
                index.Replace([], added);
            Console.WriteLine(number + 1);
            Console.Out.Flush();
        }
    }

    /// <summary>The rows after so many changes.</summary>
    public static Dictionary<long, float[]> After(int changes)
    {
        var rows = new Dictionary<long, float[]>();
        for (var number = 0; number < changes; number++)
        {
            var (removed, added) = Of(number);
            foreach (var id in removed)
                rows.Remove(id);
            foreach (var (id, vector) in added)
                rows[id] = vector;
        }
        return rows;
    }

    private static (long[] Removed, (long, float[])[] Added) Of(int number)
    {
        var random = new Random(number);
        return number % 4 == 3 ? ([.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => (long)random.Next(Ids)).Distinct()], [])
            : ([], [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => (long)random.Next(Ids)).Distinct()
                .Select(id => (id, Enumerable.Range(0, Dimension).Select(_ => random.NextSingle() * 2 - 1).ToArray()))]);
    }
}
