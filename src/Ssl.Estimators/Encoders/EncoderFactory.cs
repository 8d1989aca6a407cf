using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators;

/// <summary>The description of an encoder: its architecture without weights. Immutable; can be written to JSON and read back.</summary>
public abstract class EncoderFactory
{
    /// <summary>Name of the property that holds <see cref="Kind"/> in the JSON form.</summary>
    protected internal const string KindProperty = "kind";

    private static readonly ConcurrentDictionary<string, Func<JsonObject, EncoderFactory>> s_readers = new();

    /// <summary>The architecture's name in files: "text.bag".</summary>
    public abstract string Kind { get; }

    /// <summary>Length of an embedding.</summary>
    public abstract int EmbeddingDimension { get; }

    /// <summary>Whether networks start from weights that exist, not from random ones.</summary>
    internal virtual bool StartsFromWeights => false;

    /// <summary>What MixedPrecision must be where <see cref="RoundsToBFloat16"/> is false, and why.</summary>
    internal const string ExactOnly = "must be false for an encoder of your own module, which decides on its precision itself";

    /// <summary>Whether the network's layers know <see cref="MixedPrecision"/>.</summary>
    internal virtual bool RoundsToBFloat16 => false;

    /// <summary>The description as JSON, with <see cref="Kind"/> as property "kind".</summary>
    public abstract JsonObject ToJson();

    /// <summary>Reads a description that <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">An object with a property "kind" and the architecture's own.</param>
    /// <exception cref="FormatException">The kind is missing or nobody registered it.</exception>
    public static EncoderFactory FromJson(JsonObject json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var kind = (string?)json[KindProperty] ?? throw new FormatException("The description of an encoder has no \"kind\".");
        TextEncoders.RegisterAll();
        TabularEncoders.RegisterAll();
        ImageEncoders.RegisterAll();
        TimeSeriesEncoders.RegisterAll();
        return s_readers.TryGetValue(kind, out var read)
            ? read(json)
            : throw new FormatException($"Encoder kind \"{kind}\" is unknown here. Known: {string.Join(", ", s_readers.Keys.Order())}. "
                + "An encoder of your own must be announced with EncoderFactory.Register before it is loaded.");
    }

    /// <summary>Announces an architecture, so that saved encoders of it can be read. The last one for a kind counts.</summary>
    /// <param name="kind">Its <see cref="Kind"/>.</param>
    /// <param name="read">Makes the factory from what <see cref="ToJson"/> wrote.</param>
    public static void Register(string kind, Func<JsonObject, EncoderFactory> read)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        ArgumentNullException.ThrowIfNull(read);
        s_readers[kind] = read;
    }
}

/// <summary>The description of a text encoder.</summary>
public abstract class TextEncoderFactory : EncoderFactory
{
    /// <summary>Tokens of a text that count; the rest is cut off.</summary>
    public abstract int MaximumTokens { get; }

    /// <summary>Whether texts are given between a class and a separator token.</summary>
    public abstract bool UsesSpecialTokens { get; }

    /// <summary>What describes the networks without the weights that they start from: itself, unless they start from some.</summary>
    internal virtual TextEncoderFactory Architecture => this;

    /// <summary>A network with fresh weights, on the CPU.</summary>
    /// <param name="vocabulary">Of the tokenizer whose ids it will get.</param>
    /// <param name="streams">Weights are drawn from its Weights now, dropout from its Dropout in training.</param>
    public abstract TextEncoder Create(TokenVocabulary vocabulary, RandomStreams streams);
}
