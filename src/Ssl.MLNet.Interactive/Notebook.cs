using Microsoft.DotNet.Interactive.Formatting;
using Ssl.Estimators;

namespace Ssl.MLNet.Interactive;

/// <summary>What a notebook of .NET Interactive shows of this library's objects.</summary>
public static class Notebook
{
    /// <summary>
    /// Shows encoders, histories of trainings, evaluations, verdicts on labels, maps, neighbors and reports as tables and pictures wherever a cell displays one. A notebook that
    /// references the package by <c>#r "nuget: Ssl.MLNet.Interactive"</c> has it done; one that references the assembly calls it once. Calling it
    /// again changes nothing.
    /// </summary>
    public static void RegisterFormatters()
    {
        Show<EncoderTransformer>(encoder => Views.Of(encoder));
        Show<TrainingHistory>(history => Views.Of(history));
        Show<LabelEfficiencyReport>(report => Views.Of(report));
        Show<EncoderReport>(report => Views.Of(report));
        Show<FewLabelsTransformer>(model => Views.Of(model));
        Show<RepresentationMetrics>(metrics => Views.OfFigures(metrics));
        Show<RetrievalMetrics>(metrics => Views.OfFigures(metrics));
        Show<SimilarityMetrics>(metrics => Views.OfFigures(metrics));
        Show<TaggingMetrics>(metrics => Views.OfFigures(metrics));
        Show<AnswerMetrics>(metrics => Views.OfFigures(metrics));
        Show<NotebookView>(view => view.Html);
        Show<LiveTraining>(training => training.ToHtml());
    }

    private static void Show<T>(Func<T, string> view)
    {
        Formatter.SetPreferredMimeTypesFor(typeof(T), HtmlFormatter.MimeType);
        Formatter.Register<T>((value, writer) => writer.Write(view(value)), HtmlFormatter.MimeType);
    }
}
