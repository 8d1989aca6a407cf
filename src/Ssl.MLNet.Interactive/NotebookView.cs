namespace Ssl.MLNet.Interactive;

/// <summary>Something to look at: the last line of a cell shows it.</summary>
public sealed class NotebookView
{
    private readonly string _text;

    internal NotebookView(string html, string text) => (Html, _text) = (html, text);

    /// <summary>
    /// What is shown, for a page of your own: an element with its style, which touches nothing else, follows the light or dark scheme of the browser, and fetches nothing.
    /// It shows rows of the data: who may read it may read those.
    /// </summary>
    public string Html { get; }

    /// <summary>The same in words, as far as words can.</summary>
    public override string ToString() => _text;
}
