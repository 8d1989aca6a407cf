using Microsoft.Playwright;

namespace SearchService.Tests;

/// <summary>
/// The page as a browser shows it. A category of its own: it needs Chromium, in /usr/bin/chromium or where the environment variable CHROMIUM says.
/// </summary>
[TestClass]
public sealed class BrowserTests
{
    internal const string Category = "Browser";

    private const string Question = "my package has not arrived";

    private static RunningService? s_service;
    private static Chromium? s_chromium;

    // What the browser itself complains of, such as a script that fails or that the policy forbids.
    private readonly List<string> _complaints = [];

    [ClassInitialize]
    public static async Task Start(TestContext context)
    {
        if ((s_chromium = await Chromium.StartAsync()) is not null)
            s_service = await RunningService.StartAsync(TestModels.First);
    }

    [ClassCleanup]
    public static async Task Stop()
    {
        if (s_chromium is not null)
            await s_chromium.DisposeAsync();
        if (s_service is not null)
            await s_service.DisposeAsync();
    }

    [TestCleanup]
    public void The_browser_complained_of_nothing() => Assert.IsEmpty(_complaints, string.Join('\n', _complaints));

    [TestMethod]
    [TestCategory(Category)]
    public async Task Typing_finds_rows_and_says_how_many()
    {
        var page = await OpenAsync();
        // Where one types is chosen already.
        await page.Keyboard.TypeAsync(Question);
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(8);
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).First).ToContainTextAsync("The parcel is late: the depot finds it");
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).First).ToContainTextAsync("Delivery");
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync($"8 rows nearest to “{Question}”");
        await Assertions.Expect(page.Locator("#model")).ToHaveTextAsync($"Model {s_service!.Store.Version}: 125 rows, trained on made-up questions to a help desk");
        await page.GetByRole(AriaRole.Searchbox).FillAsync("");
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToBeEmptyAsync();
    }

    [TestMethod]
    [TestCategory(Category)]
    public async Task The_keyboard_alone_searches_and_asks_for_more_like_a_row()
    {
        var page = await OpenAsync();
        await page.Keyboard.TypeAsync("the screen stays dark");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).First).ToContainTextAsync("The screen does not turn on");
        await page.Keyboard.PressAsync("Tab"); // the button Search
        await page.Keyboard.PressAsync("Tab"); // more like the first row
        await Assertions.Expect(page.Locator(":focus")).ToHaveAccessibleNameAsync(new System.Text.RegularExpressions.Regex("^More like this: The screen does not turn on"));
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("8 rows nearest to “The screen does not turn on");
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).First).Not.ToContainTextAsync("The screen does not turn on");
        await Assertions.Expect(page.GetByRole(AriaRole.Searchbox)).ToBeFocusedAsync();
    }

    [TestMethod]
    [TestCategory(Category)]
    public async Task The_last_question_counts_however_late_an_earlier_answer_comes()
    {
        var page = await OpenAsync();
        await page.RouteAsync("**/search", async route =>
        {
            if (route.Request.PostData!.Contains("invoice"))
                await Task.Delay(1_000);
            try
            {
                await route.ContinueAsync();
            }
            catch (PlaywrightException)
            {
                // The page has given it up.
            }
        });
        await page.GetByRole(AriaRole.Searchbox).FillAsync("the invoice is too high");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByRole(AriaRole.Searchbox).FillAsync(Question);
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).First).ToContainTextAsync("The parcel is late");
        await page.WaitForTimeoutAsync(1_500);
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).First).ToContainTextAsync("The parcel is late");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToBeHiddenAsync();
    }

    [TestMethod]
    [TestCategory(Category)]
    public async Task An_error_is_shown_with_its_sentence_and_goes_with_the_next_answer()
    {
        var page = await OpenAsync();
        await page.GetByRole(AriaRole.Searchbox).FillAsync(new string('a', 2_001));
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("'text' has 2001 characters, and a text may have 2000: shorten it or cut it into several texts.");
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(0);

        await page.RouteAsync("**/search", route => route.AbortAsync());
        await page.GetByRole(AriaRole.Searchbox).FillAsync(Question);
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The service cannot be reached. Is it running?");
        await page.UnrouteAllAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(8);
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToBeHiddenAsync();
    }

    [TestMethod]
    [TestCategory(Category)]
    [DataRow(ColorScheme.Light, 1280)]
    [DataRow(ColorScheme.Dark, 1280)]
    [DataRow(ColorScheme.Light, 360)]
    [DataRow(ColorScheme.Dark, 360)]
    public async Task Axe_finds_nothing_and_nothing_is_wider_than_the_window(ColorScheme scheme, int width)
    {
        var page = await OpenAsync(scheme, width);
        await CheckAsync("start");
        await page.Keyboard.TypeAsync(Question);
        await Assertions.Expect(page.GetByRole(AriaRole.Listitem)).ToHaveCountAsync(8);
        await CheckAsync("results");
        await page.GetByRole(AriaRole.Searchbox).FillAsync(new string('w', 2_001));
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await CheckAsync("error");

        Task CheckAsync(string state) => Chromium.CheckAsync(page, state, scheme, width);
    }

    private async Task<IPage> OpenAsync(ColorScheme scheme = ColorScheme.Light, int width = 1280)
    {
        var page = await Chromium.OpenAsync(s_chromium, scheme, width, _complaints, s_service?.Client.BaseAddress!.ToString());
        await page.GotoAsync("/");
        return page;
    }
}
