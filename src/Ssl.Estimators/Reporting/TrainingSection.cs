using System.Text.Json.Nodes;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Training;

namespace Ssl.Estimators.Reporting;

/// <summary>How a training went: its settings, its losses, and whether the embedding collapsed on the way.</summary>
internal static class TrainingSection
{
    private const string TrainerSuffix = "Trainer";

    /// <summary>The method's name; null where the encoder does not tell.</summary>
    public static string? NameOf(JsonObject facts)
    {
        var trainer = (string?)facts["trainer"];
        return trainer is not null && trainer.EndsWith(TrainerSuffix, StringComparison.Ordinal) ? trainer[..^TrainerSuffix.Length] : trainer;
    }

    /// <summary>Adds the section.</summary>
    /// <param name="page">Gets it.</param>
    /// <param name="facts">What the encoder knows of its training.</param>
    /// <param name="history">Its losses; null where they are not known.</param>
    /// <returns>What follows, a sentence each.</returns>
    public static IReadOnlyList<string> Add(Page page, JsonObject facts, TrainingHistory? history)
    {
        page.Section("Training");
        var (epochs, steps) = ((long?)facts["epochs"] ?? 0, (long?)facts["steps"] ?? 0);
        List<IReadOnlyList<string>> rows =
        [
            ["Method", Page.Encode(NameOf(facts) ?? "")],
            ["Options that are not their defaults", Page.Encode((string?)facts[TrainingFacts.OptionsKey] is { } options ? options.Length > 0 ? options : "none" : "not told by this file")],
            ["Length", FormattableString.Invariant($"{epochs:N0} epochs, {steps:N0} steps, {Words.Duration(TimeSpan.FromSeconds((double?)facts["seconds"] ?? 0))}")],
            ["Ended", Page.Encode(End((string?)facts["end"]))],
        ];
        if ((double?)facts["loss"] is { } loss)
            rows.Add(["Training loss at the end", Words.Number(loss)]);
        if ((long?)facts[TrainingFacts.SeedKey] is { } seed)
            rows.Add(["Seed", FormattableString.Invariant($"{seed}")]);
        page.Table(["", ""], rows);
        if (history is null || history.Epochs.Count == 0)
        {
            page.Paragraph(steps == 0 ? "Nothing was trained." : "The losses of its training are not known.");
            return [];
        }
        AddCurves(page, history);
        return [.. Findings(history)];
    }

    /// <summary>Adds the pictures: losses, and the spread of the embeddings where it was measured.</summary>
    /// <param name="page">Gets them.</param>
    /// <param name="history">Of at least one epoch.</param>
    public static void AddCurves(Page page, TrainingHistory history)
    {
        var (xs, bySteps) = Places(history);
        var series = new List<Series>();
        series.Add(history.Steps.Count > 0 ? new Series("training loss", [.. history.Steps.Select(step => ((double)step.Step, step.Loss))])
            : new Series("training loss", Points(epoch => epoch.Loss)));
        if (history.Epochs.Any(epoch => epoch.ValidationLoss is not null))
            series.Add(new Series("loss on rows kept aside", Points(epoch => epoch.ValidationLoss ?? double.NaN)));
        page.Heading("Loss");
        page.Html(Charts.Lines(Invariant($"Loss over the training, from {history.Epochs[0].Loss:0.###} in the first epoch to {history.Epochs[^1].Loss:0.###} in the last"),
            bySteps ? "step" : "epoch", "loss", series, place: history.BestEpoch is { } best && best <= xs.Length ? (xs[best - 1], "weights kept") : null));

        if (history.Epochs.Any(epoch => epoch.EmbeddingSpread is not null))
        {
            page.Heading("Collapse watch");
            page.Html(Charts.Lines(Invariant($"Spread of the embeddings over the training, {history.Epochs[^1].EmbeddingSpread:0.##} at the end"), bySteps ? "step" : "epoch", "spread",
                [new Series("spread of a batch's embeddings", Points(epoch => epoch.EmbeddingSpread ?? double.NaN))],
                (TrainingSettings.Defaults.CollapseThreshold, "below: collapsed")));
        }

        IReadOnlyList<(double X, double Y)> Points(Func<EpochSummary, double> value) => [.. history.Epochs.Select((epoch, i) => (xs[i], value(epoch)))];
    }

    // Where each epoch ends: in steps where steps are known, else by its number.
    private static (double[] Places, bool BySteps) Places(TrainingHistory history)
    {
        if (history.Steps.Count == 0)
            return ([.. history.Epochs.Select(epoch => (double)epoch.Epoch)], false);
        var (places, steps) = (new double[history.Epochs.Count], 0L);
        foreach (var (i, epoch) in history.Epochs.Index())
            places[i] = steps += epoch.Steps;
        return (places, true);
    }

    private static IEnumerable<string> Findings(TrainingHistory history)
    {
        var losses = history.Epochs.Select(epoch => epoch.ValidationLoss ?? epoch.Loss).Where(double.IsFinite).ToArray();
        if (losses.Length < 5)
            yield break;
        var (name, last, total) = (history.Epochs[^1].ValidationLoss is null ? "training loss" : "loss on rows kept aside", losses[^1], losses[0] - losses.Min());
        var before = losses[^(losses.Length / 5 + 1)];
        if (total <= 0)
            yield return $"The {name} did not fall: nothing was learned. Look at the learning rate and at the data.";
        else if (history.Epochs[^1].ValidationLoss is not null && last - losses.Min() > total / 10)
            yield return Invariant($"The {name} rose again after epoch {history.Epochs[Array.IndexOf(losses, losses.Min())].Epoch}: a longer training does not help, more rows may.");
        else if (before - last > total / 10)
            yield return Invariant($"The {name} was still falling: {(before - last) / total * 100:0} % of what it lost in all came in the last fifth of the epochs. A longer training may give more.");
    }

    private static string End(string? end) => end switch
    {
        nameof(TrainingEnd.Completed) => "as planned",
        nameof(TrainingEnd.Canceled) => "canceled, with the weights of then",
        nameof(TrainingEnd.EarlyStopped) => "early: the loss on rows kept aside no longer fell",
        null => "not told",
        _ => "by its time limit",
    };

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
