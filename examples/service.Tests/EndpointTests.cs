using System.IO.Compression;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.ML;
using SearchService.Training;

namespace SearchService.Tests;

/// <summary>What each path answers.</summary>
[TestClass]
public sealed class EndpointTests
{
    private static readonly string[] s_texts = ["my package has not arrived", "the screen stays dark", "I was charged too much"];
    private static RunningService s_service = null!;

    [ClassInitialize]
    public static async Task Start(TestContext context) => s_service = await RunningService.StartAsync(TestModels.First);

    [ClassCleanup]
    public static async Task Stop() => await s_service.DisposeAsync();

    [TestMethod]
    public async Task The_answers_are_those_of_the_chain()
    {
        // The chain as ML.NET itself reads and applies it.
        var mlContext = new MLContext();
        using var zip = ZipFile.OpenRead(TestModels.First);
        using var bytes = new MemoryStream();
        using (var entry = zip.GetEntry("chain.zip")!.Open())
            entry.CopyTo(bytes);
        var chain = mlContext.Model.Load(bytes, out _);
        var right = mlContext.Data.CreateEnumerable<Row>(
            chain.Transform(mlContext.Data.LoadFromEnumerable(s_texts.Select(text => new TrainingRow { Text = text }))), reuseRowObject: false).ToArray();
        (chain as IDisposable)?.Dispose();

        var embedded = await s_service.PostAsync<EmbedResponse>("/embed", new TextsRequest(s_texts));
        var classified = await s_service.PostAsync<ClassifyResponse>("/classify", new TextsRequest(s_texts));
        Assert.HasCount(s_texts.Length, embedded.Embeddings);
        Assert.HasCount(s_texts.Length, classified.Predictions);
        for (var i = 0; i < s_texts.Length; i++)
        {
            Assert.AreEqual(embedded.Dimension, embedded.Embeddings[i].Length);
            Same(right[i].Features, embedded.Embeddings[i], 1e-5f * right[i].Features.Max(Math.Abs));

            Assert.AreEqual(right[i].PredictedLabel, classified.Predictions[i].Label);
            Assert.AreEqual(right[i].PredictedLabel, classified.Predictions[i].Scores[0].Label);
            Same([.. right[i].Score.OrderDescending()], [.. classified.Predictions[i].Scores.Select(score => score.Score)], 1e-5f);

            var found = await s_service.PostAsync<SearchResponse>("/search", new SearchRequest(s_texts[i], 7));
            CollectionAssert.AreEqual(right[i].Neighbors[..7], found.Matches.Select(match => match.Id).ToArray());
            Same(right[i].Scores[..7], [.. found.Matches.Select(match => match.Score)], 1e-5f);
            Assert.AreEqual(embedded.ModelVersion, found.ModelVersion);
        }

        static void Same(float[] right, float[] given, float tolerance)
        {
            Assert.HasCount(right.Length, given);
            foreach (var (expected, actual) in right.Zip(given))
                Assert.AreEqual(expected, actual, tolerance);
        }
    }

    [TestMethod]
    public async Task A_search_gives_five_rows_with_text_and_class_where_no_number_is_asked_for()
    {
        var found = await s_service.PostAsync<SearchResponse>("/search", new { text = "my package has not arrived" });
        Assert.HasCount(5, found.Matches);
        Assert.AreEqual("The parcel is late: the depot finds it and sends it on the same day.", found.Matches[0].Text);
        Assert.AreEqual("Delivery", found.Matches[0].Label);
        Assert.IsTrue(found.Matches.Zip(found.Matches.Skip(1)).All(pair => pair.First.Score >= pair.Second.Score));
    }

    [TestMethod]
    public async Task The_rows_like_a_row_are_others()
    {
        var row = await s_service.Client.GetFromJsonAsync<CatalogRow>("/catalog/device-11");
        Assert.AreEqual("The screen does not turn on: hold the switch for ten seconds, then start it again.", row!.Text);
        var found = await s_service.Client.GetFromJsonAsync<SearchResponse>("/catalog/device-11/similar?count=3");
        Assert.HasCount(3, found!.Matches);
        Assert.DoesNotContain("device-11", found.Matches.Select(match => match.Id));
        Assert.Contains("does not turn on", found.Matches[0].Text);
    }

    [TestMethod]
    public async Task It_says_what_is_served()
    {
        var model = (await s_service.Client.GetFromJsonAsync<ModelResponse>("/model"))!;
        Assert.AreEqual(125, model.CatalogRows);
        CollectionAssert.AreEquivalent(new[] { "Account", "Billing", "Delivery", "Devices", "Returns" }, model.Labels.ToArray());
        Assert.IsNull(model.ReloadFault);
        Assert.AreEqual((await s_service.PostAsync<EmbedResponse>("/embed", new TextsRequest(["a"]))).ModelVersion, model.Version);
        Assert.IsTrue(model.Created < model.Loaded);
    }

    [TestMethod]
    public async Task Its_document_has_every_path_with_its_faults()
    {
        using var document = JsonDocument.Parse(await s_service.Client.GetStringAsync("/openapi/v1.json"));
        var paths = document.RootElement.GetProperty("paths");
        foreach (var (path, method, statuses) in new[] { ("/embed", "post", "200 400 413 415 429 503"), ("/search", "post", "200 400 413 415 429 503"),
            ("/classify", "post", "200 400 404 413 415 429 503"), ("/catalog/{id}", "get", "200 400 404 429 503"),
            ("/catalog/{id}/similar", "get", "200 400 404 429 503"), ("/model", "get", "200 400 429 503") })
        {
            var operation = paths.GetProperty(path).GetProperty(method);
            Assert.AreEqual(statuses, string.Join(' ', operation.GetProperty("responses").EnumerateObject().Select(response => response.Name).Order()), path);
            Assert.IsFalse(string.IsNullOrEmpty(operation.GetProperty("summary").GetString()));
        }
    }

    [TestMethod]
    public async Task Health_and_metrics_tell_of_the_model()
    {
        var version = s_service.Store.Version!;
        Assert.Contains("Healthy", await s_service.Client.GetStringAsync("/health/live"));
        Assert.Contains($"Serving {version}", await s_service.Client.GetStringAsync("/health/ready"));
        await s_service.PostAsync<EmbedResponse>("/embed", new TextsRequest(["a", "b"]));
        var metrics = await s_service.Client.GetStringAsync("/metrics");
        foreach (var name in new[] { "http_server_request_duration_seconds", "search_service_batch_size_bucket", "search_service_batch_duration_seconds_count",
            "search_service_queue_duration_seconds_count", "search_service_model_reloads_total", "search_service_models_in_memory", "search_service_model_stale",
            "kestrel_active_connections", "aspnetcore_rate_limiting_requests_total", "dotnet_process_memory_working_set_bytes" })
            Assert.Contains(name, metrics);
        Assert.MatchesRegex($"search_service_model_info\\{{.*version=\"{version}\".*\\}} 1", metrics);
    }

    [TestMethod]
    public async Task The_page_asks_nobody_else()
    {
        using var response = await s_service.Client.GetAsync("/");
        Assert.Contains("default-src 'self'", string.Join(' ', response.Headers.GetValues("Content-Security-Policy")));
        Assert.AreEqual("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        var page = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("http", page);
        foreach (var file in new[] { "style.css", "search.js", "icon.svg" })
        {
            Assert.Contains(file, page);
            Assert.AreNotEqual("", await s_service.Client.GetStringAsync(file));
        }
    }

    [TestMethod]
    public async Task Texts_of_any_script_and_length_are_answered_alone_and_together()
    {
        string[] texts = ["ü", "日本語のテキスト", "🙂", new string('a', 2_000), string.Join(' ', Enumerable.Repeat("word", 399)), "\u0000 x", "e\u0301"];
        var together = await s_service.PostAsync<EmbedResponse>("/embed", new TextsRequest(texts));
        for (var i = 0; i < texts.Length; i++)
        {
            var alone = (await s_service.PostAsync<EmbedResponse>("/embed", new TextsRequest([texts[i]]))).Embeddings[0];
            var tolerance = 1e-5f * alone.Max(Math.Abs);
            Assert.IsTrue(alone.Zip(together.Embeddings[i]).All(pair => Math.Abs(pair.First - pair.Second) <= tolerance), texts[i]);
        }
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];
        public string[] Neighbors { get; set; } = [];
        public float[] Scores { get; set; } = [];
        public string PredictedLabel { get; set; } = "";
        public float[] Score { get; set; } = [];
    }
}
