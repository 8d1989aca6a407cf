using System.Diagnostics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Extensions.AI;

namespace Ssl.MLNet.Tests.Generators;

/// <summary>Embedding generators among the services of an application.</summary>
[TestClass]
public sealed class GeneratorServiceTests
{
    private static string s_folder = "", s_texts = "", s_images = "";

    [ClassInitialize]
    public static void Save(TestContext context)
    {
        s_folder = Directory.CreateTempSubdirectory("ssl-services-").FullName;
        (s_texts, s_images) = (Path.Combine(s_folder, "texts.ssl"), Path.Combine(s_folder, "images.ssl"));
        using EncoderTransformer texts = GeneratorData.TextEncoder(), images = GeneratorData.ImageEncoder();
        GeneratorData.Context.SelfSupervised().SaveEncoder(texts, s_texts);
        GeneratorData.Context.SelfSupervised().SaveEncoder(images, s_images);
    }

    [ClassCleanup]
    public static void CleanUp() => Directory.Delete(s_folder, recursive: true);

    [TestMethod]
    public async Task An_encoder_of_a_file_is_loaded_once_and_disposed_of_with_the_provider()
    {
        var services = Services();
        services.AddSslEmbeddingGenerator(s_texts);
        var provider = services.BuildServiceProvider();
        var generator = provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        Assert.AreSame(generator, provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.AreEqual("texts", generator.GetRequiredService<EmbeddingGeneratorMetadata>().DefaultModelId);
        var encoder = generator.GetRequiredService<EncoderTransformer>();
        GeneratorData.AssertEqual(GeneratorData.Transformed(encoder, ["word1 word2"]), await generator.GenerateAsync(["word1 word2"]));
        await provider.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => encoder.Embed("a"));
    }

    [TestMethod]
    public void A_factory_is_asked_when_the_generator_is_and_once()
    {
        var (made, services) = (0, Services());
        EncoderTransformer? encoder = null;
        services.AddSslEmbeddingGenerator(given =>
        {
            Assert.IsNotNull(given.GetService<MLContext>());
            made++;
            return encoder = GeneratorData.TextEncoder();
        }, "made");
        using (var provider = services.BuildServiceProvider())
        {
            Assert.AreEqual(0, made);
            Parallel.For(0, 8, _ => provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>());
            Assert.AreEqual(1, made);
            Assert.AreEqual("made", provider.GetRequiredService<IEmbeddingGenerator>().GetRequiredService<EmbeddingGeneratorMetadata>().DefaultModelId);
            Assert.HasCount(encoder!.EmbeddingDimension, encoder.Embed("a"));
        }
        Assert.Throws<ObjectDisposedException>(() => encoder.Embed("a"));
    }

    [TestMethod]
    public async Task Keys_tell_generators_apart()
    {
        var services = Services();
        services.AddKeyedSslEmbeddingGenerator("texts", s_texts);
        services.AddKeyedSslEmbeddingGenerator("made", _ => GeneratorData.TextEncoder(dimension: 8), "made");
        services.AddKeyedSslImageEmbeddingGenerator("images", s_images, "photos");
        services.AddKeyedSslImageEmbeddingGenerator("made", _ => GeneratorData.ImageEncoder());
        services.AddSslImageEmbeddingGenerator(_ => GeneratorData.ImageEncoder(), "one");
        var provider = services.BuildServiceProvider();
        Assert.AreEqual(("texts", 16), Model(provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("texts")));
        Assert.AreEqual(("made", 8), Model(provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("made")));
        Assert.AreEqual("photos", Model(provider.GetRequiredKeyedService<IEmbeddingGenerator<DataContent, Embedding<float>>>("images")).Item1);
        Assert.IsNull(Model(provider.GetRequiredKeyedService<IEmbeddingGenerator<DataContent, Embedding<float>>>("made")).Item1);
        Assert.AreEqual("one", Model(provider.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>()).Item1);
        Assert.IsNull(provider.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        var images = provider.GetRequiredKeyedService<IEmbeddingGenerator<DataContent, Embedding<float>>>("images");
        GeneratorData.AssertEqual([images.GetRequiredService<EncoderTransformer>().Embed(GeneratorData.Image(4))],
            await images.GenerateAsync([new DataContent(GeneratorData.File(4, "png"), "image/png")]));
        EncoderTransformer[] encoders = [.. new IEmbeddingGenerator[]
        {
            provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("texts"),
            provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("made"), images,
            provider.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>(),
        }.Select(generator => generator.GetRequiredService<EncoderTransformer>())];
        await provider.DisposeAsync();
        foreach (var encoder in encoders)
            Assert.Throws<ObjectDisposedException>(() => encoder.GetOutputSchema(new DataViewSchema.Builder().ToSchema()));

        static (string?, int?) Model(IEmbeddingGenerator generator)
            => generator.GetRequiredService<EmbeddingGeneratorMetadata>() is var metadata ? (metadata.DefaultModelId, metadata.DefaultModelDimensions) : default;
    }

    [TestMethod]
    public async Task What_the_cache_has_is_not_computed()
    {
        var services = Services().AddDistributedMemoryCache();
        services.AddSslEmbeddingGenerator(s_texts).UseDistributedCache(configure: cache => cache.CacheKeyAdditionalValues = ["texts-1"]);
        await using var provider = services.BuildServiceProvider();
        var generator = provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>();
        var encoder = generator.GetRequiredService<EncoderTransformer>();
        var first = await generator.GenerateAsync(["word1", "word2"]);
        Assert.AreEqual(2, encoder.Truncation!.Rows);
        var second = await generator.GenerateAsync(["word1", "word3", "word2"]);
        Assert.AreEqual(3, encoder.Truncation!.Rows);
        CollectionAssert.AreEqual(first[0].Vector.ToArray(), second[0].Vector.ToArray());
        CollectionAssert.AreEqual(first[1].Vector.ToArray(), second[2].Vector.ToArray());
    }

    [TestMethod]
    public async Task Telemetry_and_log_tell_of_it()
    {
        var (source, activities, log) = ($"ssl-{Guid.NewGuid():N}", new List<Activity>(), new LogLines());
        using var listener = new ActivityListener
        {
            ShouldListenTo = candidate => candidate.Name == source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var services = Services().AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(log));
        services.AddSslEmbeddingGenerator(s_texts, "tickets-1").UseOpenTelemetry(sourceName: source).UseLogging();
        await using var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>().GenerateAsync(["word1 word2"]);
        var activity = activities.Single();
        Assert.AreEqual("embeddings tickets-1", activity.DisplayName);
        var tags = activity.TagObjects.ToDictionary(tag => tag.Key, tag => tag.Value);
        Assert.AreEqual("ssl.mlnet", tags["gen_ai.provider.name"]);
        Assert.AreEqual("tickets-1", tags["gen_ai.request.model"]);
        Assert.AreEqual(16, tags["gen_ai.embeddings.dimension.count"]);
        Assert.IsGreaterThan(0, Convert.ToInt32(tags["gen_ai.usage.input_tokens"]));
        Assert.IsTrue(log.Lines.Any(line => line.Contains("GenerateAsync", StringComparison.Ordinal)), string.Join('\n', log.Lines));
    }

    [TestMethod]
    public void What_cannot_be_served_is_said_with_the_file()
    {
        var missing = Path.Combine(s_folder, "missing.ssl");
        var services = Services();
        services.AddSslEmbeddingGenerator(s_images);
        services.AddSslImageEmbeddingGenerator(s_texts);
        services.AddKeyedSslEmbeddingGenerator("missing", missing);
        using var provider = services.BuildServiceProvider();
        var fault = Assert.Throws<ArgumentException>(() => provider.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        StringAssert.Contains(fault.Message, $"The encoder in '{s_images}' is one of kind 'image'");
        StringAssert.Contains(fault.Message, "AddSslImageEmbeddingGenerator");
        fault = Assert.Throws<ArgumentException>(() => provider.GetService<IEmbeddingGenerator<DataContent, Embedding<float>>>());
        StringAssert.Contains(fault.Message, $"The encoder in '{s_texts}' is one of kind 'text'");
        StringAssert.Contains(fault.Message, "AddSslEmbeddingGenerator");
        StringAssert.Contains(Assert.Throws<FileNotFoundException>(() => provider.GetKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("missing")).Message,
            missing);
        Assert.Throws<ArgumentException>(() => services.AddSslEmbeddingGenerator(""));
        Assert.Throws<ArgumentNullException>(() => services.AddSslImageEmbeddingGenerator((Func<IServiceProvider, EncoderTransformer>)null!));
    }

    [TestMethod]
    public void An_encoder_that_a_factory_made_in_vain_is_disposed_of()
    {
        using var images = GeneratorData.ImageEncoder();
        var services = Services();
        services.AddSslEmbeddingGenerator(_ => images);
        services.AddSslImageEmbeddingGenerator(_ => null!);
        using var provider = services.BuildServiceProvider();
        Assert.Throws<ArgumentException>(() => provider.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Throws<ObjectDisposedException>(() => images.Embed(GeneratorData.Image(1)));
        StringAssert.Contains(Assert.Throws<InvalidOperationException>(() => provider.GetService<IEmbeddingGenerator<DataContent, Embedding<float>>>()).Message,
            "gave null");
    }

    [TestMethod]
    public void The_context_among_the_services_says_the_device()
    {
        var services = new ServiceCollection().AddSingleton(new MLContext { GpuDeviceId = 99, FallbackToCpu = false });
        services.AddSslEmbeddingGenerator(s_texts);
        using var provider = services.BuildServiceProvider();
        StringAssert.Contains(Assert.Throws<Exception>(() => provider.GetService<IEmbeddingGenerator<string, Embedding<float>>>()).Message, "GpuDeviceId is 99");
        services = new ServiceCollection();
        services.AddSslEmbeddingGenerator(s_texts);
        using var bare = services.BuildServiceProvider();
        Assert.IsNotNull(bare.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
    }

    private static IServiceCollection Services() => new ServiceCollection().AddSingleton(GeneratorData.Context);

    private sealed class LogLines : ILoggerProvider, ILogger
    {
        public List<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Lines.Add(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
