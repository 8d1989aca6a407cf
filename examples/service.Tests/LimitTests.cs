using System.Net;
using System.Net.Http.Json;

namespace SearchService.Tests;

/// <summary>What one client may ask, how many may wait, and what is not computed for those who have left.</summary>
[TestClass]
public sealed class LimitTests
{
    [TestMethod]
    public async Task Too_many_requests_are_a_429_that_says_when_to_come_back()
    {
        await using var service = await RunningService.StartAsync(TestModels.First, ("RequestBurst", 5), ("RequestsPerSecond", 1));
        Task<HttpResponseMessage> AskAsync() => service.Client.PostAsJsonAsync("/search", new SearchRequest("a"));
        for (var i = 0; i < 5; i++)
            Assert.AreEqual(HttpStatusCode.OK, (await AskAsync()).StatusCode);
        // On a busy machine a second passes, and one more is allowed.
        var refused = await AskAsync();
        for (var i = 0; i < 50 && refused.StatusCode == HttpStatusCode.OK; i++)
            refused = await AskAsync();
        Assert.AreEqual(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Contains("Your address made more than 1 requests a second (and 5 at once)", await RunningService.DetailAsync(refused));
        var wait = refused.Headers.RetryAfter!.Delta!.Value;
        Assert.IsTrue(wait >= TimeSpan.FromSeconds(1) && wait <= TimeSpan.FromSeconds(5), wait.ToString());

        // The page, its health and its metrics are not what is limited.
        Assert.AreEqual(HttpStatusCode.OK, (await service.Client.GetAsync("/")).StatusCode);
        Assert.AreEqual(HttpStatusCode.OK, (await service.Client.GetAsync("/health/ready")).StatusCode);
        // The tokens are filled up by a timer, which may be late.
        await Task.Delay(wait);
        for (var i = 0; i < 20 && (await AskAsync()).StatusCode != HttpStatusCode.OK; i++)
        {
            Assert.IsLessThan(19, i, "It is not answered again.");
            await Task.Delay(250);
        }
    }

    [TestMethod]
    public async Task A_full_queue_is_a_503_and_what_waits_is_embedded_together()
    {
        await using var service = await RunningService.StartAsync(TestModels.First, ("Workers", 1), ("QueueLimit", 3), ("BatchLimit", 32));
        using var worker = new BusyWorker(service);
        await worker.Begun;
        var texts = new[] { "the parcel is late", "the screen is dark", "the invoice is wrong" };
        var waiting = texts.Select(text => service.PostAsync<EmbedResponse>("/embed", new TextsRequest([text]))).ToArray();
        await service.UntilAsync(() => service.Inference.Waiting == 3);
        using var refused = await service.Client.PostAsJsonAsync("/embed", new TextsRequest(["one more"]));
        Assert.AreEqual(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.AreEqual("Too many requests wait for an answer. Try again in a second.", await RunningService.DetailAsync(refused));
        Assert.AreEqual(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);

        worker.End();
        var answers = await Task.WhenAll(waiting);
        for (var i = 0; i < texts.Length; i++)
        {
            var alone = await service.PostAsync<EmbedResponse>("/embed", new TextsRequest([texts[i]]));
            Assert.IsTrue(alone.Embeddings[0].Zip(answers[i].Embeddings.Single()).All(pair => Math.Abs(pair.First - pair.Second) < 1e-4), texts[i]);
        }
        var metrics = await service.Client.GetStringAsync("/metrics");
        Assert.MatchesRegex("search_service_queue_refusals_total\\{.*\\} 1\\b", metrics);
        // One text, three together, and three by themselves.
        Assert.MatchesRegex("search_service_batch_size_count\\{.*\\} 5\\b", metrics);
        Assert.MatchesRegex("search_service_batch_size_sum\\{.*\\} 7\\b", metrics);
    }

    [TestMethod]
    public async Task A_batch_limit_of_one_computes_every_request_by_itself()
    {
        await using var service = await RunningService.StartAsync(TestModels.First, ("Workers", 1), ("BatchLimit", 1));
        using var worker = new BusyWorker(service);
        await worker.Begun;
        var waiting = Enumerable.Range(0, 3).Select(_ => service.Inference.AnswerAsync(["a"], (_, embeddings) => embeddings.Count, CancellationToken.None)).ToArray();
        worker.End();
        await Task.WhenAll(waiting);
        Assert.MatchesRegex("search_service_batch_size_count\\{.*\\} 4\\b", await service.Client.GetStringAsync("/metrics"));
    }

    [TestMethod]
    public async Task What_its_client_has_left_is_not_computed()
    {
        await using var service = await RunningService.StartAsync(TestModels.First, ("Workers", 1));
        using var worker = new BusyWorker(service);
        await worker.Begun;
        using var left = new CancellationTokenSource();
        var computed = false;
        var waiting = service.Inference.AnswerAsync(["a"], (_, _) => computed = true, left.Token);
        var request = service.Client.PostAsJsonAsync("/embed", new TextsRequest(["b"]), left.Token);
        await service.UntilAsync(() => service.Inference.Waiting == 2);
        await left.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAsync<OperationCanceledException>(() => request);
        // The server learns of it.
        await Task.Delay(200);
        worker.End();
        Assert.AreEqual(1, await service.Inference.AnswerAsync(["c"], (_, embeddings) => embeddings.Count, CancellationToken.None));
        Assert.IsFalse(computed);
        // The first text and the last: neither "a" nor "b".
        Assert.MatchesRegex("search_service_batch_size_sum\\{.*\\} 2\\b", await service.Client.GetStringAsync("/metrics"));
        Assert.DoesNotContain("Error", string.Join('\n', service.Log));
    }

    [TestMethod]
    public async Task Settings_outside_their_ranges_are_named_together_at_the_start()
    {
        var fault = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
            () => RunningService.StartAsync(null, ("QueueLimit", 0), ("MaxTexts", 5_000)));
        Assert.Contains("QueueLimit must be between 1 and 100000", fault.Message);
        Assert.Contains("MaxTexts must be between 1 and 1024", fault.Message);
    }
}
