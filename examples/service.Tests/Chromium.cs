using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace SearchService.Tests;

/// <summary>The browser that pages are looked at with: in /usr/bin/chromium, or where the environment variable CHROMIUM says.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Chromium(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Starts it; null where there is none.</summary>
    public static async Task<Chromium?> StartAsync()
    {
        var path = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium";
        if (!File.Exists(path))
            return null;
        var playwright = await Playwright.CreateAsync();
        return new Chromium(playwright, await playwright.Chromium.LaunchAsync(new() { ExecutablePath = path, Args = ["--no-sandbox"] }));
    }

    /// <summary>An empty page; where there is no browser the test ends, and says how to get one.</summary>
    /// <param name="chromium">What <see cref="StartAsync"/> gave.</param>
    /// <param name="scheme">What the user prefers.</param>
    /// <param name="width">Pixels of the window.</param>
    /// <param name="complaints">Gets what the browser itself complains of, such as a script that fails or that the policy forbids.</param>
    /// <param name="address">Where relative addresses begin.</param>
    public static async Task<IPage> OpenAsync(Chromium? chromium, ColorScheme scheme, int width, ICollection<string> complaints, string? address = null)
    {
        if (chromium is null)
            Assert.Inconclusive("There is no Chromium in /usr/bin/chromium: apt-get install -y chromium, or name another one in the environment variable CHROMIUM.");
        var page = await chromium._browser.NewPageAsync(new()
        {
            BaseURL = address,
            ColorScheme = scheme,
            ViewportSize = new() { Width = width, Height = 800 },
            ReducedMotion = ReducedMotion.Reduce,
        });
        page.Console += (_, message) =>
        {
            // Answers that are faults are what some tests ask for.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                complaints.Add(message.Text);
        };
        page.PageError += (_, error) => complaints.Add(error);
        return page;
    }

    /// <summary>Axe must find nothing, and nothing may be wider than the window.</summary>
    /// <param name="page">The page as it is now.</param>
    /// <param name="state">What it shows, for messages and pictures.</param>
    /// <param name="scheme">How it was opened.</param>
    /// <param name="width">How it was opened.</param>
    public static async Task CheckAsync(IPage page, string state, ColorScheme scheme, int width)
    {
        // To be looked at: SCREENSHOTS names a folder.
        if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{state}-{scheme}-{width}.png"), FullPage = true });
        var result = await page.RunAxe();
        Assert.IsGreaterThan(10, result.Passes.Length, "Axe has not looked.");
        Assert.AreEqual("", string.Join('\n', result.Violations.Select(found => $"{state}: {found.Id} {found.Help}: {string.Join(", ", found.Nodes.Select(node => node.Html))}")));
        Assert.IsLessThanOrEqualTo(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), $"{state}: the page scrolls sideways");
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _playwright.Dispose();
    }
}
