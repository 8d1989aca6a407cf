using Microsoft.ML.Transforms;

namespace Ssl.Estimators.Persistence;

// A saved model names a contract and the assembly of the mapping's method; on load ML.NET loads that assembly by itself and looks for the
// class with the contract. So nothing has to be registered, the methods must be static members of this assembly, and names stay for good.

/// <summary>Makes the constant column.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class KeyMapping : CustomMappingFactory<NoInput, KeyOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Key";

    /// <summary>The mapping.</summary>
    public static void Map(NoInput input, KeyOutput output) => output.Key = 1;

    /// <inheritdoc/>
    public override Action<NoInput, KeyOutput> GetMapping() => Map;
}

/// <summary>Embeds rows of texts with the carried encoder.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class TextsEmbedMapping : CustomMappingFactory<TextsInput, EmbeddingOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Texts.Embed";

    /// <summary>The mapping.</summary>
    public static void Map(TextsInput input, EmbeddingOutput output) =>
        output.EmbedTexts(CarriedEncoders.Cache.Get(input.State), input.Texts);

    /// <inheritdoc/>
    public override Action<TextsInput, EmbeddingOutput> GetMapping() => Map;
}

/// <summary>Embeds rows of numbers with the carried encoder.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class NumbersEmbedMapping : CustomMappingFactory<NumbersInput, EmbeddingOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Numbers.Embed";

    /// <summary>The mapping.</summary>
    public static void Map(NumbersInput input, EmbeddingOutput output) =>
        output.EmbedNumbers(CarriedEncoders.Cache.Get(input.State), input.Numbers);

    /// <inheritdoc/>
    public override Action<NumbersInput, EmbeddingOutput> GetMapping() => Map;
}

/// <summary>The encoders of loaded models.</summary>
internal static class CarriedEncoders
{
    /// <summary>All of this process.</summary>
    public static CarrierCache<EncoderModel> Cache { get; } = new(EncoderModelReader.Read);
}
