using System.Text;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators;

/// <summary>What an encoder is worth, as a page to look at: one file that needs nothing beside it and no network.</summary>
public sealed class EncoderReport
{
    internal EncoderReport(string title, IReadOnlyList<string> findings, string html, RepresentationMetrics metrics, RepresentationMetrics untrained,
        LabelEfficiencyReport? labelEfficiency)
        => (Title, Findings, Html, Metrics, UntrainedMetrics, LabelEfficiency) = (title, findings, html, metrics, untrained, labelEfficiency);

    /// <summary>The page's title.</summary>
    public string Title { get; }

    /// <summary>What follows from the figures, a sentence each: the page begins with them.</summary>
    public IReadOnlyList<string> Findings { get; }

    /// <summary>
    /// The page. It shows rows of the data: who may read it may read those. In a notebook: <c>HTML(report.Html)</c>.
    /// </summary>
    public string Html { get; }

    /// <summary>What the embedding is like.</summary>
    public RepresentationMetrics Metrics { get; }

    /// <summary>The same of the same network with fresh weights, which has learned nothing.</summary>
    public RepresentationMetrics UntrainedMetrics { get; }

    /// <summary>Whether pretraining pays at few labels; null without labels, or where it was left out.</summary>
    public LabelEfficiencyReport? LabelEfficiency { get; }

    /// <summary>Writes the page: under a temporary name beside it, then renamed.</summary>
    /// <param name="path">Where to; a file of that name is replaced.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Html)));

    /// <summary>The title and what follows from the figures.</summary>
    public override string ToString() => string.Join(Environment.NewLine, [Title, .. Findings]);
}
