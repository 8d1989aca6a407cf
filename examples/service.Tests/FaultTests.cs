using System.Net;

namespace SearchService.Tests;

/// <summary>Every fault is told in a sentence, with its status, as problem details.</summary>
[TestClass]
public sealed class FaultTests
{
    private static RunningService s_service = null!;

    [ClassInitialize]
    public static async Task Start(TestContext context)
        => s_service = await RunningService.StartAsync(TestModels.First, ("MaxTexts", 3), ("MaxTextLength", 10), ("MaxBodyBytes", 2_000));

    [ClassCleanup]
    public static async Task Stop() => await s_service.DisposeAsync();

    [TestMethod]
    [DataRow("/embed", "{}", "'texts' is missing or empty: give at least one text")]
    [DataRow("/embed", """{"texts": []}""", "'texts' is missing or empty")]
    [DataRow("/embed", """{"texts": null}""", "'texts' is missing or empty")]
    [DataRow("/embed", """{"texts": ["a", " \t "]}""", "'texts[1]' is missing or empty")]
    [DataRow("/embed", """{"texts": ["a", null]}""", "'texts[1]' is missing or empty")]
    [DataRow("/embed", """{"texts": ["a", "b", "c", "d"]}""", "There are 4 texts, and a request may have 3")]
    [DataRow("/embed", """{"texts": ["12345678901"]}""", "'texts[0]' has 11 characters, and a text may have 10")]
    [DataRow("/classify", """{"texts": []}""", "'texts' is missing or empty")]
    [DataRow("/classify", """{"texts": ["12345678901"]}""", "'texts[0]' has 11 characters")]
    [DataRow("/search", "{}", "'text' is missing or empty")]
    [DataRow("/search", """{"text": ""}""", "'text' is missing or empty")]
    [DataRow("/search", """{"text": "12345678901"}""", "'text' has 11 characters, and a text may have 10")]
    [DataRow("/search", """{"text": "a", "count": 0}""", "'count' must be from 1 to 50, got 0")]
    [DataRow("/search", """{"text": "a", "count": 51}""", "'count' must be from 1 to 50, got 51")]
    [DataRow("/search", """{"text": "a", "count": "many"}""", "A value has another type than expected, at $.count (line 1, byte 30)")]
    [DataRow("/search", """{"txet": "a"}""", "It has a member that is not known, at $.txet")]
    [DataRow("/search", """{"text": "a" """, "It does not parse, at $")]
    [DataRow("/search", "", "The body is missing or cut off")]
    [DataRow("/search", "null", "The body is missing or cut off")]
    public async Task A_body_that_cannot_be_answered_is_a_400(string path, string body, string sentence)
    {
        using var response = await s_service.SendAsync("POST", path, body);
        Assert.AreEqual(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(sentence, await RunningService.DetailAsync(response));
    }

    [TestMethod]
    [DataRow("POST", "/embed", "x", "text/plain", 415, "The content type is 'text/plain', and must be 'application/json'.")]
    [DataRow("POST", "/embed", "{}", null, 415, "The content type is 'missing', and must be 'application/json'.")]
    [DataRow("GET", "/embed", null, null, 405, "'/embed' does not take GET.")]
    [DataRow("GET", "/nothing", null, null, 404, "There is no '/nothing' here.")]
    [DataRow("GET", "/catalog/nobody", null, null, 404, "has no row 'nobody'. /search finds rows and their ids.")]
    [DataRow("GET", "/catalog/nobody/similar", null, null, 404, "has no row 'nobody'.")]
    [DataRow("GET", "/catalog/device-11/similar?count=50", null, null, 400, "'count' must be from 1 to 49, got 50.")]
    [DataRow("GET", "/catalog/device-11/similar?count=few", null, null, 400, "'count' cannot be read from 'few': give a whole number.")]
    public async Task Other_faults_have_their_status_and_a_sentence(string method, string path, string? body, string? contentType, int status, string sentence)
    {
        using var response = await s_service.SendAsync(method, path, body, contentType);
        Assert.AreEqual(status, (int)response.StatusCode);
        Assert.Contains(sentence, await RunningService.DetailAsync(response));
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public async Task A_body_that_is_too_large_is_a_413(bool saysItsLength)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/embed") { Content = new StringContent($"{{\"texts\": [\"{new string('a', 3_000)}\"]}}", null, "application/json") };
        request.Headers.TransferEncodingChunked = !saysItsLength;
        using var response = await s_service.Client.SendAsync(request);
        Assert.AreEqual(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains("The body has more than 2000 bytes", await RunningService.DetailAsync(response));
    }

    [TestMethod]
    public async Task What_fails_inside_is_a_500_that_tells_nothing_and_a_line_in_the_log()
    {
        using var response = await s_service.Client.GetAsync(RunningService.FailingPath);
        Assert.AreEqual(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.AreEqual("The service failed to answer; its log has the reason.", await RunningService.DetailAsync(response));
        lock (s_service.Log)
            Assert.ContainsSingle(line => line == $"Error: No answer to {RunningService.FailingPath}. a secret", s_service.Log);

        // A worker goes on after it.
        await Assert.ThrowsExactlyAsync<InvalidTimeZoneException>(() => s_service.Inference.AnswerAsync<int>(["a"],
            (_, _) => throw new InvalidTimeZoneException(), CancellationToken.None));
        Assert.AreEqual(1, await s_service.Inference.AnswerAsync(["a"], (_, embeddings) => embeddings.Count, CancellationToken.None));
    }

    [TestMethod]
    public async Task A_model_without_classes_says_so_and_small_catalogs_give_what_they_have()
    {
        await using var service = await RunningService.StartAsync(TestModels.Unlabeled);
        using var response = await service.SendAsync("POST", "/classify", """{"texts": ["a"]}""");
        Assert.AreEqual(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("was trained without labels and classifies nothing: train it with --label", await RunningService.DetailAsync(response));
        var found = await service.PostAsync<SearchResponse>("/search", new SearchRequest("where is the station"));
        CollectionAssert.AreEquivalent(new[] { "7", "8", "9" }, found.Matches.Select(match => match.Id).ToArray());
        Assert.AreEqual("where, please, is the station", found.Matches.Single(match => match.Id == "7").Text);
        Assert.IsNull(found.Matches[0].Label);
    }
}
