using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Evaluation;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Training;
using TorchSharp;

namespace Ssl.Estimators.Reporting;

/// <summary>Measures what a report tells and puts it on a page.</summary>
internal sealed class ReportBuilder
{
    private const int MostClasses = 20;

    private readonly MLContext _mlContext;
    private readonly EncoderTransformer _encoder;
    private readonly ReportOptions _options;
    private readonly long _seed;
    private readonly EmbeddedRows _rows;
    private readonly List<string> _findings = [];
    private readonly Page _page = new();

    private ReportBuilder(MLContext mlContext, IDataView data, EncoderTransformer encoder, ReportOptions options)
    {
        (_mlContext, _encoder, _options) = (mlContext, encoder, options);
        _seed = options.Seed ?? HostSeed.Register(mlContext, nameof(ReportBuilder), out _);
        _rows = new EmbeddedRows(mlContext, data, encoder, options.LabelColumnName, options.DisplayColumnName, options.MaximumNumberOfRows, _seed);
    }

    /// <summary>Makes a report.</summary>
    /// <param name="mlContext">Runs stock trainers, and has the seed where none is set.</param>
    /// <param name="data">The rows.</param>
    /// <param name="encoder">What is reported on.</param>
    /// <param name="options">The settings.</param>
    public static EncoderReport Create(MLContext mlContext, IDataView data, EncoderTransformer encoder, ReportOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(options);
        encoder.Model.Lifetime.ThrowIfClosed();
        var faults = new OptionFaults();
        options.Validate(faults);
        faults.ThrowIfAny();
        LibraryNotice.Tell(mlContext);
        return new ReportBuilder(mlContext, data, encoder, options).Build();
    }

    private EncoderReport Build()
    {
        Tell("embedding the rows");
        var rows = _rows.Set;
        var hasLabels = rows.Labels.Where(label => !double.IsNaN(label)).Distinct().Take(2).Count() == 2;
        if (_options.LabelColumnName is { } label && !hasLabels)
        {
            throw new InvalidOperationException($"Column '{label}' has fewer than two classes among the {rows.Count:N0} rows that are measured: there is "
                + "nothing to tell apart. Give rows of at least two classes, or no label column.");
        }
        Tell("measuring the embedding");
        var metrics = Measure(_rows.Embedded);
        Tell("measuring the same network untrained");
        using var untrained = _encoder.Untrained(_mlContext, _seed);
        var untrainedMetrics = Measure(untrained.Transform(_rows.Data));
        LabelEfficiencyReport? comparison = null;
        if (_options.LabelColumnName is { } labels && _options.ComparisonOf(labels) is { } settings)
        {
            if (settings.Baseline is null && settings.Approaches.Contains(LabelEfficiencyApproach.Baseline) && PlainFeatures.ColumnsOf(_rows.Data.Schema, _encoder.Model) is [])
            {
                _findings.Add("Few labels were not compared with and without pretraining: columns of this kind have no plain features. Give LabelEfficiency a Baseline of your own to know.");
            }
            else
            {
                Tell("comparing with plain features at few labels");
                comparison = LabelEfficiencyComparison.Run(_mlContext, _rows.Data, _encoder, settings, _rows.Embedded);
                _options.CancellationToken.ThrowIfCancellationRequested();
                _findings.Add(comparison.Conclusion);
            }
        }
        AddQualityFindings(metrics, untrainedMetrics);

        // As a file has them: a number is any number there.
        var facts = JsonNode.Parse(_encoder.Model.TrainingFacts.ToJsonString())!.AsObject();
        AddData();
        if (facts["trainer"] is not null)
            _findings.AddRange(TrainingSection.Add(_page, facts, _encoder.TrainingHistory));
        AddQuality(metrics, untrainedMetrics);
        if (comparison is not null)
        {
            _page.Section("Few labels");
            ComparisonSection.Add(_page, comparison);
        }
        AddRows();
        AddOrigin();
        var title = _options.Title ?? TitleOf(facts);
        return new EncoderReport(title, _findings, _page.ToHtml(title, Subtitle(), _findings), metrics, untrainedMetrics, comparison);
    }

    private RepresentationMetrics Measure(IDataView embedded)
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        return RepresentationEvaluator.Evaluate(_mlContext, embedded, new RepresentationEvaluationOptions
        {
            FeatureColumnName = _encoder.OutputColumnName, LabelColumnName = _options.LabelColumnName, Seed = (int)(_seed & int.MaxValue),
        });
    }

    private void AddQualityFindings(RepresentationMetrics metrics, RepresentationMetrics untrained)
    {
        if (metrics.Spread < TrainingSettings.Defaults.CollapseThreshold)
        {
            _findings.Add(FormattableString.Invariant($"The embedding has collapsed: all rows lie in about one direction (spread {metrics.Spread:0.000}, 1 is even). ")
                + "Lower the learning rate, raise the batch size, or make the task harder.");
        }
        if (metrics.LinearProbeAccuracy is { } probe && untrained.LinearProbeAccuracy is { } before)
        {
            _findings.Add(FormattableString.Invariant($"With all labels a linear classifier finds {Words.Percent(probe)} of the classes from this embedding, {Words.Percent(before)} ")
                + FormattableString.Invariant($"from that of the same network untrained, and always guessing the largest class {Words.Percent(metrics.LargestClassShare ?? 0)}."));
        }
        else
        {
            _findings.Add(FormattableString.Invariant($"The embedding uses about {metrics.EffectiveRank:0} of its {metrics.Dimension} dimensions (untrained {untrained.EffectiveRank:0}). ")
                + "Without labels that says whether it has collapsed, not whether it is good: give LabelColumnName to know.");
        }
    }

    private void AddData()
    {
        var (rows, allRows) = (_rows.Set, _rows.NumberOfAllRows);
        _page.Section("Data");
        _page.Paragraph(FormattableString.Invariant($"{allRows:N0} rows")
            + (allRows > _options.MaximumNumberOfRows ? FormattableString.Invariant($", of which {_options.MaximumNumberOfRows:N0} drawn at random are measured here") : "")
            + (rows.Count < Math.Min(allRows, _options.MaximumNumberOfRows)
                ? FormattableString.Invariant($"; {Math.Min(allRows, _options.MaximumNumberOfRows) - rows.Count:N0} have no direction and do not count") : "") + ".");
        var inputs = _encoder.InputColumnNames.ToHashSet();
        _page.Table(["Column", "Type", "Used as"], _rows.Data.Schema.Where(column => !column.IsHidden).Take(40).Select(column => (IReadOnlyList<string>)
            [Page.Encode(column.Name), Page.Encode(column.Type.ToString()!), inputs.Contains(column.Name) ? "what the encoder reads"
                : column.Name == _options.LabelColumnName ? "label, to compare with" : column.Name == _options.DisplayColumnName ? "what rows are shown by" : ""]));
        if (_encoder.TrainingTruncation is { } cut)
        {
            _page.Paragraph(cut.RowsCut == 0 ? "None of the texts that it was trained on was longer than the encoder takes."
                : FormattableString.Invariant($"{Words.Percent(cut.ShareOfRows)} of the texts that it was trained on were longer than the encoder takes, and lost {Words.Percent(cut.ShareOfTokens)} of all tokens."));
        }
        if (_options.LabelColumnName is null)
            return;
        var counts = rows.Labels.Where(value => !double.IsNaN(value)).GroupBy(value => (int)value)
            .Select(group => (Name: _rows.ClassName(group.Key), Count: (double)group.Count())).OrderByDescending(bar => bar.Count).ToArray();
        _page.Heading(counts.Length > MostClasses ? $"The {MostClasses} largest of {counts.Length} classes" : $"{counts.Length} classes");
        _page.Html(Charts.Bars("Rows of each class", [.. counts.Take(MostClasses)]));
        var unlabeled = rows.Labels.Count(double.IsNaN);
        if (unlabeled > 0)
            _page.Paragraph(FormattableString.Invariant($"{unlabeled:N0} rows have no label."));
    }

    private void AddQuality(RepresentationMetrics metrics, RepresentationMetrics untrained)
    {
        _page.Section("The embedding");
        List<IReadOnlyList<string>> rows =
        [
            Row("Spread", metrics.Spread, untrained.Spread, "0 is collapsed, 1 even (Chen and He, 2021)"),
            Row("Effective rank", metrics.EffectiveRank, untrained.EffectiveRank, FormattableString.Invariant($"of {metrics.Dimension} dimensions (Garrido et al., 2023)")),
            Row("Uniformity", metrics.Uniformity, untrained.Uniformity, "less is more even, about -4 for many dimensions (Wang and Isola, 2020)"),
        ];
        if (metrics.NearestNeighborAccuracy is { } near)
            rows.Add(Row("Accuracy, 20 nearest neighbors", near, untrained.NearestNeighborAccuracy, Guess(metrics)));
        if (metrics.LinearProbeAccuracy is { } probe)
            rows.Add(Row("Accuracy, linear, all labels", probe, untrained.LinearProbeAccuracy, "on a fifth of the rows, kept out"));
        _page.Table(["", "this encoder", "untrained", "how to read it"], rows);
        _page.Paragraph(FormattableString.Invariant($"Measured on {metrics.NumberOfRows:N0} rows. Untrained: the same network with fresh weights, which has learned nothing."));

        static IReadOnlyList<string> Row(string name, double value, double? other, string meaning)
            => [Page.Encode(name), FormattableString.Invariant($"{value:0.000}"), other is { } known ? FormattableString.Invariant($"{known:0.000}") : "", Page.Encode(meaning)];

        static string Guess(RepresentationMetrics metrics) => $"always guessing the largest class: {Words.Percent(metrics.LargestClassShare ?? 0)}";
    }

    private void AddRows()
    {
        int[] mapped = _rows.Draw(_options.NumberOfMapRows), examples = _rows.Draw(_options.NumberOfExamples);
        var found = NeighborSection.Find(_rows, examples, _rows, _options.NumberOfNeighbors);
        Tell("reading the rows that are shown");
        var show = _rows.Show(mapped.Concat(examples).Concat(found.SelectMany(near => near).Select(near => near.Row)), _options.CancellationToken);
        if (mapped.Length >= MapSection.FewestRows)
        {
            Tell("drawing the map");
            _page.Section("Map");
            MapSection.Add(_page, _rows, mapped, show, _options.CancellationToken);
        }
        if (examples.Length == 0)
            return;
        _page.Section("Nearest neighbors");
        _page.Paragraph("Rows drawn at random, and the rows that the embedding holds for most like them.");
        NeighborSection.Add(_page, _rows, examples, show, _rows, found, show);
    }

    private void AddOrigin()
    {
        _page.Section("How this was made");
        _page.Paragraph(FormattableString.Invariant($"Seed of all draws: {_seed}. Ssl.Estimators {VersionOf(typeof(ReportBuilder))}, Microsoft.ML {VersionOf(typeof(MLContext))}, ")
            + $"TorchSharp {VersionOf(typeof(torch))}, .NET {Environment.Version}. The page shows rows of the data: who may read it may read those.");
    }

    private string TitleOf(JsonObject facts)
        => $"{TrainingSection.NameOf(facts) ?? "Encoder"} of {string.Join(", ", _encoder.InputColumnNames.Take(3))}{(_encoder.InputColumnNames.Count > 3 ? " and more" : "")}";

    private string Subtitle() => FormattableString.Invariant($"{_encoder.Model.Format.Kind} encoder, {_encoder.EmbeddingDimension} numbers a row, reported on {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC");

    private void Tell(string what)
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        _options.Progress?.Report(what);
    }

    // Of the package, without the commit behind it.
    private static string VersionOf(Type type)
        => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
}
