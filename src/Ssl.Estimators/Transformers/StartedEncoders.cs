using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Transformers;

/// <summary>A text encoder to go on from: networks of its architecture start with its weights, and its tokenizer goes with it.</summary>
/// <param name="source">The encoder; it stays as it is, and must not be disposed of before a network was made.</param>
internal sealed class StartedTextEncoderFactory(EncoderModel source) : TextEncoderFactory
{
    private readonly TextRowFormat _format = (TextRowFormat)source.Format;
    private readonly Lazy<string> _checksum = new(() => StartWeights.ChecksumOf(source));

    public override string Kind => Architecture.Kind;

    public override int EmbeddingDimension => Architecture.EmbeddingDimension;

    public override int MaximumTokens => Architecture.MaximumTokens;

    public override bool UsesSpecialTokens => Architecture.UsesSpecialTokens;

    internal override bool StartsFromWeights => true;

    internal override bool RoundsToBFloat16 => Architecture.RoundsToBFloat16;

    /// <summary>The tokenizer that the weights belong to.</summary>
    public TextTokenizer Tokenizer => _format.Tokenizer;

    /// <summary>What the encoder keeps of long texts.</summary>
    public TextTruncation Truncation => _format.Truncation;

    internal override TextEncoderFactory Architecture => _format.Factory;

    public override TextEncoder Create(TokenVocabulary vocabulary, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        if (vocabulary != _format.Tokenizer.Vocabulary)
        {
            throw new ArgumentException($"The encoder to start from has vectors for its own {_format.Tokenizer.VocabularySize} tokens, got a vocabulary "
                + $"of {vocabulary.Size}: use its tokenizer.", nameof(vocabulary));
        }
        return (TextEncoder)source.CreateTrainable(streams);
    }

    public override JsonObject ToJson() => StartWeights.AddTo(Architecture.ToJson(), _checksum.Value);
}

/// <summary>An image encoder to go on from: networks of its architecture start with its weights.</summary>
/// <param name="source">The encoder; it stays as it is, and must not be disposed of before a network was made.</param>
internal sealed class StartedImageEncoderFactory(EncoderModel source) : ImageEncoderFactory(((ImageRowFormat)source.Format).Factory.NetworkShape)
{
    private readonly ImageEncoderFactory _factory = ((ImageRowFormat)source.Format).Factory;
    private readonly Lazy<string> _checksum = new(() => StartWeights.ChecksumOf(source));

    /// <summary>A factory with the pixels' statistics that the weights were trained with.</summary>
    public static ImageEncoderFactory Create(EncoderModel source)
    {
        var started = new StartedImageEncoderFactory(source);
        var factory = started.Resizing(started._factory.Shape);
        return started._factory.Normalization is { } normalization ? factory.WithNormalization(normalization) : factory;
    }

    public override string Kind => _factory.Kind;

    public override int EmbeddingDimension => _factory.EmbeddingDimension;

    public override bool UsesBatchStatistics => _factory.UsesBatchStatistics;

    public override bool EncodesPatches => _factory.EncodesPatches;

    internal override bool StartsFromWeights => true;

    internal override bool RoundsToBFloat16 => _factory.RoundsToBFloat16;

    internal override ImageEncoderFactory Architecture => _factory;

    public override ImageEncoder Create(RandomStreams streams) => (ImageEncoder)source.CreateTrainable(streams);

    protected override void Describe(JsonObject json)
    {
        foreach (var (name, value) in _factory.ToJson())
            json.TryAdd(name, value?.DeepClone());
        StartWeights.AddTo(json, _checksum.Value);
    }
}

/// <summary>The weights to start from in the description of a run: one that starts from others is another run.</summary>
internal static class StartWeights
{
    private const string Key = "startWeights";

    public static JsonObject AddTo(JsonObject description, string checksum)
    {
        description[Key] = checksum;
        return description;
    }

    /// <summary>A checksum of names and values.</summary>
    public static string ChecksumOf(EncoderModel model)
    {
        using var use = model.Lifetime.Enter();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in model.GetWeights().OrderBy(weight => weight.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            foreach (var part in SafeTensors.Values([KeyValuePair.Create(name, tensor)]))
                hash.AppendData(part.bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset()[..8]);
    }
}
