using System.Net;
using System.Net.Http.Json;
using SearchService.Models;

namespace SearchService.Tests;

/// <summary>Another model file is served without a restart, a bad one is not, and no request notices.</summary>
[TestClass]
public sealed class ReloadTests
{
    [TestMethod]
    public async Task A_request_under_way_ends_on_the_model_that_it_began_with_which_is_freed_then()
    {
        await using var service = await RunningService.StartAsync(TestModels.First, ("Workers", 1));
        var (before, first) = (ServedModel.InMemory, service.Store.Version!);
        using var worker = new BusyWorker(service);
        await worker.Begun;
        service.Put(TestModels.Second);
        await service.UntilAsync(() => service.Store.Version != first);
        Assert.AreEqual(before + 1, ServedModel.InMemory);

        worker.End();
        var (model, stillTheSame) = await worker.Answer;
        Assert.AreEqual(first, model.Version);
        Assert.IsTrue(stillTheSame);
        await service.UntilAsync(() => ServedModel.InMemory == before);
        Assert.ThrowsExactly<ObjectDisposedException>(() => model.Embed(["a"]));
        Assert.IsFalse(model.TryUse());
        Assert.AreEqual(service.Store.Version, (await service.PostAsync<EmbedResponse>("/embed", new TextsRequest(["a"]))).ModelVersion);
    }

    [TestMethod]
    public async Task Under_requests_of_many_clients_every_answer_is_of_the_model_that_it_names()
    {
        await using var service = await RunningService.StartAsync(TestModels.First, ("RequestsPerSecond", 100_000), ("RequestBurst", 100_000));
        const string Text = "my package has not arrived";
        Dictionary<string, float[]> right = [];
        foreach (var path in new[] { TestModels.First, TestModels.Second })
        {
            var model = ModelFile.Load(path, _ => { });
            right[model.Version] = [.. model.Embed([Text])[0]];
            model.Release();
        }
        var before = ServedModel.InMemory;
        using var stop = new CancellationTokenSource();
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        var clients = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var answer = await service.PostAsync<EmbedResponse>("/embed", new TextsRequest([Text]));
                var expected = right[answer.ModelVersion];
                Assert.IsTrue(answer.Embeddings[0].Zip(expected).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-5f * expected.Max(Math.Abs)), answer.ModelVersion);
                seen.AddOrUpdate(answer.ModelVersion, 1, (_, count) => count + 1);
            }
        })).ToArray();
        for (var swap = 0; swap < 6; swap++)
        {
            var served = service.Store.Version;
            service.Put(swap % 2 == 0 ? TestModels.Second : TestModels.First);
            await service.UntilAsync(() => service.Store.Version != served);
            await Task.Delay(100);
        }
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.HasCount(2, seen);
        await service.UntilAsync(() => ServedModel.InMemory == before);
        Assert.MatchesRegex("search_service_model_reloads_total\\{.*result=\"loaded\".*\\} 7\\b", await service.Client.GetStringAsync("/metrics"));
    }

    public static IEnumerable<object[]> BadFiles =>
    [
        ["half of a file", (byte[] bytes) => bytes[..(bytes.Length / 2)], "is no model that can be served"],
        ["an empty file", (byte[] _) => Array.Empty<byte>(), "is no model that can be served"],
        ["a damaged file", (byte[] bytes) => bytes.Select((value, i) => i == bytes.Length / 2 ? (byte)~value : value).ToArray(), "is no model that can be served"],
        ["a text", (byte[] _) => "not a model"u8.ToArray(), "is no model that can be served"],
    ];

    [TestMethod]
    [DynamicData(nameof(BadFiles))]
    public async Task A_bad_file_leaves_the_old_model_and_is_told_of_everywhere(string name, Func<byte[], byte[]> spoil, string sentence)
    {
        await using var service = await RunningService.StartAsync(TestModels.First);
        var (before, version) = (ServedModel.InMemory, service.Store.Version);
        File.WriteAllBytes(service.ModelPath + ".new", spoil(File.ReadAllBytes(TestModels.Second)));
        File.Move(service.ModelPath + ".new", service.ModelPath, overwrite: true);
        await service.UntilAsync(() => service.Store.Fault is not null);
        Assert.Contains(sentence, service.Store.Fault!, name);
        Assert.AreEqual(version, (await service.PostAsync<EmbedResponse>("/embed", new TextsRequest(["a"]))).ModelVersion);
        // Ready, and not well.
        using var ready = await service.Client.GetAsync("/health/ready");
        Assert.AreEqual(HttpStatusCode.OK, ready.StatusCode);
        var health = await ready.Content.ReadAsStringAsync();
        Assert.Contains("Degraded", health);
        Assert.Contains(sentence, health);
        Assert.Contains(sentence, (await service.Client.GetFromJsonAsync<ModelResponse>("/model"))!.ReloadFault!);
        var metrics = await service.Client.GetStringAsync("/metrics");
        Assert.MatchesRegex("search_service_model_reloads_total\\{.*result=\"failed\".*\\} 1\\b", metrics);
        Assert.MatchesRegex("search_service_model_stale\\{.*\\} 1\\b", metrics);
        lock (service.Log)
            Assert.ContainsSingle(line => line.StartsWith("Error: The model file", StringComparison.Ordinal) && line.Contains(version!), service.Log);
        Assert.AreEqual(before, ServedModel.InMemory);

        // The next good one is served.
        service.Put(TestModels.Second);
        await service.UntilAsync(() => service.Store.Version != version);
        Assert.IsNull(service.Store.Fault);
        Assert.Contains("Healthy", await service.Client.GetStringAsync("/health/ready"));
    }

    [TestMethod]
    public async Task A_model_that_answers_its_probe_otherwise_is_not_served()
    {
        await using var service = await RunningService.StartAsync(TestModels.First);
        var path = Path.Combine(Path.GetDirectoryName(service.ModelPath)!, "other.zip");
        File.Copy(TestModels.Second, path);
        Manifests.Change(path, manifest => manifest["probe"]!["embedding"]![0] = 1000);
        service.Put(path);
        await service.UntilAsync(() => service.Store.Fault is not null);
        Assert.Contains("from the one that it had when it was trained", service.Store.Fault!);
    }

    [TestMethod]
    public async Task A_model_of_another_format_says_which()
    {
        await using var service = await RunningService.StartAsync(TestModels.First);
        var path = Path.Combine(Path.GetDirectoryName(service.ModelPath)!, "other.zip");
        File.Copy(TestModels.Second, path);
        Manifests.Change(path, manifest => manifest["format"] = 2);
        service.Put(path);
        await service.UntilAsync(() => service.Store.Fault is not null);
        Assert.Contains("It has format 2, and this service reads format 1", service.Store.Fault!);
    }

    [TestMethod]
    public async Task Without_a_model_it_lives_is_not_ready_and_serves_the_first_that_comes()
    {
        await using var service = await RunningService.StartAsync(null);
        Assert.AreEqual(HttpStatusCode.OK, (await service.Client.GetAsync("/health/live")).StatusCode);
        await service.UntilAsync(() => service.Store.Fault!.StartsWith("There is no model file", StringComparison.Ordinal));
        using (var ready = await service.Client.GetAsync("/health/ready"))
        {
            Assert.AreEqual(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            Assert.Contains("There is no model file", await ready.Content.ReadAsStringAsync());
        }
        foreach (var path in new[] { "/model", "/catalog/a", "/catalog/a/similar" })
        {
            using var response = await service.Client.GetAsync(path);
            Assert.AreEqual(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }
        using (var response = await service.SendAsync("POST", "/embed", """{"texts": ["a"]}"""))
        {
            Assert.AreEqual(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.AreEqual("No model is loaded: /health/ready says why. Try again later.", await RunningService.DetailAsync(response));
            Assert.IsNotNull(response.Headers.RetryAfter);
        }
        service.Put(TestModels.First);
        await service.UntilAsync(() => service.Store.Version is not null);
        Assert.AreEqual(HttpStatusCode.OK, (await service.Client.GetAsync("/health/ready")).StatusCode);
    }

    [TestMethod]
    public async Task A_file_that_is_gone_is_told_of_and_the_same_one_put_back_is_no_reload()
    {
        await using var service = await RunningService.StartAsync(TestModels.First);
        var loaded = (await service.Client.GetFromJsonAsync<ModelResponse>("/model"))!.Loaded;
        File.Delete(service.ModelPath);
        await service.UntilAsync(() => service.Store.Fault is not null);
        Assert.Contains("Degraded", await service.Client.GetStringAsync("/health/ready"));
        service.Put(TestModels.First);
        await service.UntilAsync(() => service.Store.Fault is null);
        Assert.AreEqual(loaded, (await service.Client.GetFromJsonAsync<ModelResponse>("/model"))!.Loaded);
    }

    [TestMethod]
    public async Task A_link_that_is_turned_to_another_file_is_followed()
    {
        if (OperatingSystem.IsWindows())
            return; // links need a right of their own there
        await using var service = await RunningService.StartAsync(null);
        File.CreateSymbolicLink(service.ModelPath, TestModels.First);
        await service.UntilAsync(() => service.Store.Version is not null);
        var first = service.Store.Version;
        File.CreateSymbolicLink(service.ModelPath + ".new", TestModels.Second);
        File.Move(service.ModelPath + ".new", service.ModelPath, overwrite: true);
        await service.UntilAsync(() => service.Store.Version != first);
    }

    // Forty models that stayed would be some 55 megabytes. The released ones are held, so that no collector does what Release did not.
    [TestMethod]
    public void Native_memory_goes_back_with_the_last_user()
    {
        List<ServedModel> released = [];
        void LoadAndRelease(int times)
        {
            for (var i = 0; i < times; i++)
            {
                var model = ModelFile.Load(TestModels.First, _ => { });
                released.Add(model);
                _ = model.Search(model.Embed(["a text"])[0], 3);
                Assert.IsTrue(model.TryUse());
                model.Release();
                _ = model.Embed(["still there"]);
                model.Release();
            }
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }

        // What the collector holds is its own affair.
        static long Native() => Environment.WorkingSet - GC.GetGCMemoryInfo().TotalCommittedBytes;
        LoadAndRelease(10);
        var before = Native();
        LoadAndRelease(40);
        Assert.IsLessThan(25e6, Native() - before);
        GC.KeepAlive(released);
    }
}
