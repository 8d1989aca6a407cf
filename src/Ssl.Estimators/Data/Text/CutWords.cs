using System.Collections.Concurrent;

namespace Ssl.Estimators.Data;

/// <summary>Words and the pieces that they are cut into, remembered. Any number of threads may ask at once.</summary>
internal sealed class CutWords
{
    // Text from outside must not fill the memory.
    private const int MostRemembered = 200_000;

    private readonly Func<ReadOnlySpan<char>, int[]> _cut;
    private readonly ConcurrentDictionary<string, int[]> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private int _count;

    /// <param name="cut">The ids of a word's pieces.</param>
    public CutWords(Func<ReadOnlySpan<char>, int[]> cut) => (_cut, _lookup) = (cut, _known.GetAlternateLookup<ReadOnlySpan<char>>());

    /// <summary>The ids of a word's pieces.</summary>
    public int[] this[ReadOnlySpan<char> word]
    {
        get
        {
            if (_lookup.TryGetValue(word, out var known))
                return known;
            var pieces = _cut(word);
            if (Volatile.Read(ref _count) < MostRemembered && _known.TryAdd(word.ToString(), pieces))
                Interlocked.Increment(ref _count);
            return pieces;
        }
    }
}
