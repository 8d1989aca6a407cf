using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.FreshProcess;

/// <summary>States that were damaged: each must be refused in a sentence, or be used.</summary>
internal static class DamageTasks
{
    /// <summary>Every damage to a state of the random streams: refused, or a stream that still gives numbers.</summary>
    public static void RandomStates()
    {
        using var streams = new RandomStreams(1);
        var whole = streams.GetState();
        var (refused, used) = (0, 0);
        foreach (var name in whole.Keys)
        {
            var bytes = whole[name];
            var variants = Enumerable.Range(0, bytes.Length).Where(i => i < 64 || i % 97 == 0).SelectMany(i => (byte[])[0x01, 0x80, 0xff],
                (i, mask) => { var copy = (byte[])bytes.Clone(); copy[i] ^= mask; return copy; });
            foreach (var variant in (byte[][])[.. variants, [], [1], bytes[..^1], [.. bytes, 0], new byte[bytes.Length]])
            {
                try
                {
                    streams.SetState(new Dictionary<string, byte[]>(whole) { [name] = variant });
                    using var drawn = rand(4, generator: streams.Weights);
                    streams.Shuffle.Next();
                    used++;
                }
                catch (ArgumentException fault) when (fault.Message.Contains("random", StringComparison.Ordinal))
                {
                    refused++;
                }
            }
        }
        Console.WriteLine($"streams: {refused} refused, {used} used");
    }
}
