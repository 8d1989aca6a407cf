using Microsoft.ML;
using Microsoft.Playwright;
using Ssl.Estimators;
using Ssl.MLNet;

namespace SearchService.Tests;

/// <summary>The page that <c>ssl.Report</c> writes, as a browser shows it from a file: here, because the browser is here.</summary>
[TestClass]
public sealed class ReportPageTests
{
    private static readonly string s_path = Path.Combine(Path.GetTempPath(), $"report-{Guid.NewGuid():N}.html");

    private static Chromium? s_chromium;

    private readonly List<string> _complaints = [];

    public sealed class Row
    {
        public string Text { get; set; } = "";

        public string Subject { get; set; } = "";
    }

    [ClassInitialize]
    public static async Task Start(TestContext context)
    {
        if ((s_chromium = await Chromium.StartAsync()) is null)
            return;
        var mlContext = new MLContext(seed: 1);
        string[] subjects = ["garden", "railway", "kitchen"];
        var random = new Random(1);
        var data = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 180).Select(i => new Row
        {
            Subject = subjects[i % 3], Text = string.Join(' ', Enumerable.Range(0, 8).Select(_ => $"{subjects[i % 3][..2]}{(char)('a' + random.Next(20))} {(char)('a' + random.Next(20))}")),
        }).ToArray());
        using var encoder = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(16), BatchSize = 32, NumberOfEpochs = 4, ValidationFraction = 0.2, Seed = 1,
        }).Fit(data);
        mlContext.SelfSupervised().Report(data, encoder, new ReportOptions
        {
            LabelColumnName = nameof(Row.Subject), NumberOfExamples = 4, LabelEfficiency = new LabelEfficiencyOptions { LabelsPerClass = [3, 6], NumberOfDraws = 2 },
        }).Save(s_path);
    }

    [ClassCleanup]
    public static async Task Stop()
    {
        if (s_chromium is not null)
            await s_chromium.DisposeAsync();
        File.Delete(s_path);
    }

    [TestMethod]
    [TestCategory(BrowserTests.Category)]
    [DataRow(ColorScheme.Light, 1280)]
    [DataRow(ColorScheme.Dark, 1280)]
    [DataRow(ColorScheme.Light, 360)]
    [DataRow(ColorScheme.Dark, 360)]
    public async Task Axe_finds_nothing_and_nothing_is_wider_than_the_window(ColorScheme scheme, int width)
    {
        var page = await Chromium.OpenAsync(s_chromium, scheme, width, _complaints);
        var asked = new List<string>();
        page.Request += (_, request) => asked.Add(request.Url);
        await page.GotoAsync(new Uri(s_path).AbsoluteUri);
        await Chromium.CheckAsync(page, "report", scheme, width);
        Assert.IsEmpty(asked.Where(url => !url.StartsWith("file:", StringComparison.Ordinal) && !url.StartsWith("data:", StringComparison.Ordinal)).ToArray(), "The page asks the network.");
        Assert.IsEmpty(_complaints, string.Join('\n', _complaints));
    }

    // On paper: every section, dark on white whatever the screen has.
    [TestMethod]
    [TestCategory(BrowserTests.Category)]
    public async Task It_is_printed_dark_on_white()
    {
        var page = await Chromium.OpenAsync(s_chromium, ColorScheme.Dark, 1280, _complaints);
        await page.GotoAsync(new Uri(s_path).AbsoluteUri);
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        Assert.AreEqual("rgb(255, 255, 255)", await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
        Assert.AreEqual("rgb(0, 0, 0)", await page.EvaluateAsync<string>("getComputedStyle(document.body).color"));
        await Assertions.Expect(page.GetByRole(AriaRole.Navigation)).ToBeHiddenAsync();
        Assert.IsGreaterThan(10_000, (await page.PdfAsync()).Length);
    }
}
