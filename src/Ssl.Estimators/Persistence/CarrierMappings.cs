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

/// <summary>Embeds rows with the carried encoder.</summary>
/// <typeparam name="TInput">What it reads.</typeparam>
internal abstract class EmbedMapping<TInput> : CustomMappingFactory<TInput, EmbeddingOutput> where TInput : class, ICarrierInput, new()
{
    /// <summary>The mapping.</summary>
    public static void Map(TInput input, EmbeddingOutput output) =>
        output.Embed(CarriedEncoders.Cache.Get(input.State), input.ToRow());

    /// <inheritdoc/>
    public override Action<TInput, EmbeddingOutput> GetMapping() => Map;
}

/// <summary>Embeds rows of texts.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class TextsEmbedMapping : EmbedMapping<TextsInput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Texts.Embed";
}

/// <summary>Embeds rows of numbers.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class NumbersEmbedMapping : EmbedMapping<NumbersInput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Numbers.Embed";
}

/// <summary>Embeds rows of numbers and texts.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class MixedEmbedMapping : EmbedMapping<MixedInput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Mixed.Embed";
}

/// <summary>Embeds rows of an image.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class ImagesEmbedMapping : EmbedMapping<ImagesInput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Images.Embed";
}

/// <summary>The encoders of loaded models.</summary>
internal static class CarriedEncoders
{
    /// <summary>All of this process.</summary>
    public static CarrierCache<EncoderModel> Cache { get; } = new(EncoderModelReader.Read);
}
