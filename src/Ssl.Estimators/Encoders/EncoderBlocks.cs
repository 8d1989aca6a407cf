namespace Ssl.Estimators.Encoders;

/// <summary>Which block of an encoder a parameter belongs to.</summary>
internal sealed class EncoderBlocks
{
    private readonly Dictionary<string, int> _blockOf = [];

    /// <summary>Sorts the parameters of an encoder into its blocks.</summary>
    public EncoderBlocks(Encoder encoder)
    {
        var prefixes = encoder.Blocks;
        Count = Math.Max(1, prefixes.Count);
        var block = 0;
        foreach (var (name, _) in encoder.named_parameters())
        {
            for (var i = 0; i < prefixes.Count; i++)
            {
                if (name == prefixes[i] || name.StartsWith(prefixes[i] + ".", StringComparison.Ordinal))
                    block = i;
            }
            _blockOf[name] = block;
        }
    }

    /// <summary>Number of blocks, at least 1.</summary>
    public int Count { get; }

    /// <summary>The block of a parameter, 0 next to the input.</summary>
    /// <param name="parameterName">Its name in the encoder.</param>
    public int this[string parameterName] => _blockOf[parameterName];
}
