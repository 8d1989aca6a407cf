using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML;
using Ssl.Estimators;

namespace Ssl.Extensions.AI;

/// <summary>Registers encoders as embedding generators, around which caching, logging and telemetry are put.</summary>
/// <remarks>
/// <para>A registered generator is a singleton. Its encoder is loaded, or made, when the generator is first asked for, once, and disposed of with the
/// service provider. Then a missing file is named in a <see cref="FileNotFoundException"/>, a damaged one in a <see cref="FormatException"/>, and an
/// encoder of another kind refused with an <see cref="ArgumentException"/>.</para>
/// <para>A file is loaded for the device of the <see cref="MLContext"/> among the services, or for the CPU where there is none. An encoder that
/// shall outlive the provider is registered with the library's own <c>AddEmbeddingGenerator(encoder.AsIEmbeddingGenerator())</c>.</para>
/// <para>A cache does not know which encoder it caches, nor its model ID:
/// <c>UseDistributedCache(configure: cache =&gt; cache.CacheKeyAdditionalValues = ["tickets-2"])</c> keeps the vectors of an earlier one, in a
/// store that outlives the process, from being given for a later one.</para>
/// </remarks>
public static class ServiceCollectionExtensions
{
    /// <summary>Registers an encoder of texts that <c>SaveEncoder</c> wrote to a file.</summary>
    /// <param name="services">The services.</param>
    /// <param name="filePath">The file; read when the generator is first asked for.</param>
    /// <param name="modelId">Name of the model in results and telemetry; null for the file's name without its extension.</param>
    /// <returns>Takes what is put around the generator: <c>UseDistributedCache()</c>, <c>UseOpenTelemetry()</c>, <c>UseLogging()</c>.</returns>
    public static EmbeddingGeneratorBuilder<string, Embedding<float>> AddSslEmbeddingGenerator(this IServiceCollection services, string filePath,
        string? modelId = null)
        => services.AddEmbeddingGenerator(TextsOf(filePath, modelId));

    /// <summary>Registers an encoder of texts that a factory makes.</summary>
    /// <param name="services">The services.</param>
    /// <param name="encoderFactory">Loads or makes the encoder, which belongs to the provider from then on.</param>
    /// <param name="modelId">Name of the model in results and telemetry; null for none.</param>
    /// <returns>Takes what is put around the generator: <c>UseDistributedCache()</c>, <c>UseOpenTelemetry()</c>, <c>UseLogging()</c>.</returns>
    public static EmbeddingGeneratorBuilder<string, Embedding<float>> AddSslEmbeddingGenerator(this IServiceCollection services,
        Func<IServiceProvider, EncoderTransformer> encoderFactory, string? modelId = null)
        => services.AddEmbeddingGenerator(TextsOf(encoderFactory, modelId));

    /// <summary>Registers an encoder of texts that <c>SaveEncoder</c> wrote to a file, under a key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="filePath">The file; read when the generator is first asked for.</param>
    /// <param name="modelId">Name of the model in results and telemetry; null for the file's name without its extension.</param>
    /// <returns>Takes what is put around the generator: <c>UseDistributedCache()</c>, <c>UseOpenTelemetry()</c>, <c>UseLogging()</c>.</returns>
    public static EmbeddingGeneratorBuilder<string, Embedding<float>> AddKeyedSslEmbeddingGenerator(this IServiceCollection services,
        object? serviceKey, string filePath, string? modelId = null)
        => services.AddKeyedEmbeddingGenerator(serviceKey, TextsOf(filePath, modelId));

    /// <summary>Registers an encoder of texts that a factory makes, under a key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="encoderFactory">Loads or makes the encoder, which belongs to the provider from then on.</param>
    /// <param name="modelId">Name of the model in results and telemetry; null for none.</param>
    /// <returns>Takes what is put around the generator: <c>UseDistributedCache()</c>, <c>UseOpenTelemetry()</c>, <c>UseLogging()</c>.</returns>
    public static EmbeddingGeneratorBuilder<string, Embedding<float>> AddKeyedSslEmbeddingGenerator(this IServiceCollection services,
        object? serviceKey, Func<IServiceProvider, EncoderTransformer> encoderFactory, string? modelId = null)
        => services.AddKeyedEmbeddingGenerator(serviceKey, TextsOf(encoderFactory, modelId));

    /// <summary>Registers an encoder of images that <c>SaveEncoder</c> wrote to a file.</summary>
    /// <inheritdoc cref="AddSslEmbeddingGenerator(IServiceCollection, string, string?)"/>
    public static EmbeddingGeneratorBuilder<DataContent, Embedding<float>> AddSslImageEmbeddingGenerator(this IServiceCollection services,
        string filePath, string? modelId = null)
        => services.AddEmbeddingGenerator(ImagesOf(filePath, modelId));

    /// <summary>Registers an encoder of images that a factory makes.</summary>
    /// <inheritdoc cref="AddSslEmbeddingGenerator(IServiceCollection, Func{IServiceProvider, EncoderTransformer}, string?)"/>
    public static EmbeddingGeneratorBuilder<DataContent, Embedding<float>> AddSslImageEmbeddingGenerator(this IServiceCollection services,
        Func<IServiceProvider, EncoderTransformer> encoderFactory, string? modelId = null)
        => services.AddEmbeddingGenerator(ImagesOf(encoderFactory, modelId));

    /// <summary>Registers an encoder of images that <c>SaveEncoder</c> wrote to a file, under a key.</summary>
    /// <inheritdoc cref="AddKeyedSslEmbeddingGenerator(IServiceCollection, object?, string, string?)"/>
    public static EmbeddingGeneratorBuilder<DataContent, Embedding<float>> AddKeyedSslImageEmbeddingGenerator(this IServiceCollection services,
        object? serviceKey, string filePath, string? modelId = null)
        => services.AddKeyedEmbeddingGenerator(serviceKey, ImagesOf(filePath, modelId));

    /// <summary>Registers an encoder of images that a factory makes, under a key.</summary>
    /// <inheritdoc cref="AddKeyedSslEmbeddingGenerator(IServiceCollection, object?, Func{IServiceProvider, EncoderTransformer}, string?)"/>
    public static EmbeddingGeneratorBuilder<DataContent, Embedding<float>> AddKeyedSslImageEmbeddingGenerator(this IServiceCollection services,
        object? serviceKey, Func<IServiceProvider, EncoderTransformer> encoderFactory, string? modelId = null)
        => services.AddKeyedEmbeddingGenerator(serviceKey, ImagesOf(encoderFactory, modelId));

    private static Func<IServiceProvider, IEmbeddingGenerator<string, Embedding<float>>> TextsOf(string filePath, string? modelId)
    {
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        return provider => new TextEmbeddingGenerator(Load(provider, filePath), modelId ?? NameOf(filePath), ownsEncoder: true, In(filePath));
    }

    private static Func<IServiceProvider, IEmbeddingGenerator<string, Embedding<float>>> TextsOf(Func<IServiceProvider, EncoderTransformer> encoderFactory,
        string? modelId)
    {
        ArgumentNullException.ThrowIfNull(encoderFactory);
        return provider => new TextEmbeddingGenerator(Make(provider, encoderFactory), modelId, ownsEncoder: true);
    }

    private static Func<IServiceProvider, IEmbeddingGenerator<DataContent, Embedding<float>>> ImagesOf(string filePath, string? modelId)
    {
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        return provider => new ImageEmbeddingGenerator(Load(provider, filePath), modelId ?? NameOf(filePath), ownsEncoder: true, In(filePath));
    }

    private static Func<IServiceProvider, IEmbeddingGenerator<DataContent, Embedding<float>>> ImagesOf(
        Func<IServiceProvider, EncoderTransformer> encoderFactory, string? modelId)
    {
        ArgumentNullException.ThrowIfNull(encoderFactory);
        return provider => new ImageEmbeddingGenerator(Make(provider, encoderFactory), modelId, ownsEncoder: true);
    }

    private static EncoderTransformer Load(IServiceProvider provider, string filePath)
        => EncoderTransformer.LoadArchive(provider.GetService<MLContext>() ?? new MLContext(), filePath);

    private static EncoderTransformer Make(IServiceProvider provider, Func<IServiceProvider, EncoderTransformer> encoderFactory)
        => encoderFactory(provider) ?? throw new InvalidOperationException("The factory of the encoder gave null: it must load or make one.");

    private static string NameOf(string filePath) => Path.GetFileNameWithoutExtension(filePath);

    private static string In(string filePath) => $"The encoder in '{filePath}'";
}
