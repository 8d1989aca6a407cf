using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Which block of an encoder a parameter belongs to.</summary>
internal sealed class EncoderBlocks
{
    private readonly Dictionary<string, int> _blockOf = [];

    /// <summary>Sorts the parameters of an encoder into its blocks.</summary>
    public EncoderBlocks(Encoder encoder)
    {
        var groups = encoder.BlockGroups;
        Count = Math.Max(1, groups.Count);
        var block = 0;
        foreach (var (name, _) in encoder.named_parameters())
        {
            for (var i = 0; i < groups.Count; i++)
            {
                if (groups[i].Any(prefix => name == prefix || name.StartsWith(prefix + ".", StringComparison.Ordinal)))
                    block = i;
            }
            _blockOf[name] = block;
        }
    }

    /// <summary>Number of blocks, at least 1.</summary>
    public int Count { get; }

    /// <summary>
    /// The modules of some blocks that keep statistics, as batch normalization does: what changes in training without a gradient.
    /// </summary>
    /// <param name="encoder">The encoder that the blocks are of.</param>
    /// <param name="isChosen">Whether the block of a parameter, given by its name, is one of them.</param>
    public IReadOnlyList<nn.Module> WithStatistics(Encoder encoder, Func<string, bool> isChosen)
        => [.. encoder.named_modules().Where(entry => entry.module.named_buffers(recurse: false).Any()
            && entry.module.named_parameters(recurse: false).Select(parameter => $"{entry.name}.{parameter.name}")
                .FirstOrDefault(_blockOf.ContainsKey) is { } known && isChosen(known)).Select(entry => entry.module)];

    /// <summary>The block of a parameter, 0 next to the input.</summary>
    /// <param name="parameterName">Its name in the encoder.</param>
    public int this[string parameterName] => _blockOf[parameterName];
}
