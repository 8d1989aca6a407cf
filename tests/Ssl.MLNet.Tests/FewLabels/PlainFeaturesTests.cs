using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.FewLabels;

/// <summary>Few labels where what stands in the row plainly tells more than its embedding.</summary>
[TestClass]
public sealed class PlainFeaturesTests
{
    public sealed class Row
    {
        public string Text { get; set; } = "";

        public float[] Series { get; set; } = [];

        [VectorType(4)]
        public float[] Cells { get; set; } = [];

        public string Class { get; set; } = "";

        public float Value { get; set; }
    }

    private readonly MLContext _mlContext = TestDevice.Context(1);

    // One word of ten tells the class, and where a series, which is not always as long, is high; the others are chance.
    private static Row[] Rows(int count, int labeled, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var text = FewLabelsData.Text(random, 60, () => i % 3);
            float[] series = [.. Enumerable.Range(0, 40 + random.Next(2)).Select(_ => random.NextSingle())];
            series[8 + 10 * (i % 3)] += 3;
            return new Row
            {
                Text = text, Series = series, Cells = [.. series[..4]], Class = i < labeled ? $"class {i % 3}" : "", Value = i < labeled ? 10 + 5 * (i % 3) : float.NaN,
            };
        })];
    }

    private EncoderTransformer Encoder(bool ofTexts, IDataView rows) => ofTexts
        ? _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            InputColumnName = nameof(Row.Text), Encoder = TextEncoders.Bag(8, 8, 8), NumberOfEpochs = 0, Seed = 1,
        }).Fit(rows)
        : _mlContext.SelfSupervised().TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
        {
            InputColumnName = nameof(Row.Series), Encoder = TimeSeriesEncoders.DilatedConvolution(4, 4, depth: 1), NumberOfEpochs = 0, Seed = 1,
        }).Fit(rows);

    private IDataView View(IEnumerable<Row> rows)
    {
        var view = _mlContext.Data.LoadFromEnumerable(rows);
        return FewLabelsData.Keys(_mlContext).Fit(view).Transform(view);
    }

    private static FewLabelsTrainer.Options Options(FewLabelsTrainer.Usage plain)
        => new() { Seed = 1, Adaptation = FewLabelsTrainer.Usage.Never, PlainFeatures = plain };

    [TestMethod]
    [DataRow(true, "words")]
    [DataRow(false, "values")]
    public void What_the_embedding_hides_is_told_by_the_row_itself(bool ofTexts, string what)
    {
        var (training, test) = (View(Rows(400, 90, 1)), View(Rows(300, 300, 2)));
        using var encoder = Encoder(ofTexts, training);
        var tasks = _mlContext.SelfSupervised().FewLabels;
        double Accuracy(FewLabelsTransformer model) => _mlContext.MulticlassClassification.Evaluate(model.Transform(encoder.Transform(test))).MicroAccuracy;
        using var model = tasks.MulticlassClassification(Options(FewLabelsTrainer.Usage.WhenItPays)).Fit(encoder.Transform(training));
        using var without = tasks.MulticlassClassification(Options(FewLabelsTrainer.Usage.Never)).Fit(encoder.Transform(training));
        Console.WriteLine($"{Accuracy(without):0.000}, with {what} {Accuracy(model):0.000}; {string.Join("; ", model.Candidates)}");
        Assert.IsGreaterThan(Accuracy(without) + 0.2, Accuracy(model));
        Assert.IsGreaterThan(0.1, model.Candidates.Single(candidate => candidate.Name == $"linear on the {what}").Share
            + model.Candidates.Where(candidate => candidate.Name is "linear on both" or "boosted trees").Sum(candidate => candidate.Share));
        Assert.AreEqual(!ofTexts, model.Candidates.Any(candidate => candidate.Name == "boosted trees"));
        CollectionAssert.AreEqual(encoder.InputColumnNames.ToArray(), model.EncodedColumnNames.ToArray());
        Assert.IsEmpty(without.EncodedColumnNames);

        using var number = tasks.Regression(new FewLabelsTrainer.Options { Seed = 1, LabelColumnName = "Value" }).Fit(encoder.Transform(training));
        var error = _mlContext.Regression.Evaluate(number.Transform(encoder.Transform(test)), "Value").RootMeanSquaredError;
        Assert.IsLessThan(3, error);                        // of values whose deviation is 4.1
    }

    [TestMethod]
    [DataRow(true, FewLabelsTrainer.Usage.Never)]
    [DataRow(false, FewLabelsTrainer.Usage.Never)]
    [DataRow(true, FewLabelsTrainer.Usage.Always)]
    public void A_saved_model_predicts_the_same(bool ofTexts, FewLabelsTrainer.Usage adaptation)
    {
        IDataView training = View(Rows(120, 60, 1)), test = View(Rows(60, 60, 2));
        using var encoder = Encoder(ofTexts, training);
        var options = Options(FewLabelsTrainer.Usage.Always);
        (options.Adaptation, options.Trees) = (adaptation, FewLabelsTrainer.Usage.Always);
        using var model = _mlContext.SelfSupervised().FewLabels.MulticlassClassification(options).Fit(encoder.Transform(training));
        float[][] Scores(ITransformer of) => [.. of.Transform(encoder.Transform(test)).GetColumn<float[]>("Score")];
        var expected = Scores(model);
        using var file = new MemoryStream();
        _mlContext.Model.Save(model, encoder.Transform(training).Schema, file);
        file.Position = 0;
        var loaded = TestDevice.Context().Model.Load(file, out _);
        foreach (var (a, b) in expected.Zip(Scores(loaded)))
            CollectionAssert.AreEqual(a, b);
        ((IDisposable)loaded).Dispose();
    }

    [TestMethod]
    public void Where_nothing_can_be_read_plainly_it_is_said()
    {
        var training = View(Rows(120, 60, 1));
        var ssl = _mlContext.SelfSupervised();
        var trainer = ssl.FewLabels.MulticlassClassification(Options(FewLabelsTrainer.Usage.Always));
        using var table = ssl.Tabular.Scarf(new ScarfTrainer.Options { InputColumnNames = [nameof(Row.Cells)], NumberOfEpochs = 0, Seed = 1 }).Fit(training);
        Assert.Contains("a table has its cells in the column", Assert.ThrowsExactly<InvalidOperationException>(() => trainer.Fit(table.Transform(training))).Message);
        using var encoder = Encoder(true, training);
        var embedded = encoder.Transform(training);
        var bare = _mlContext.Transforms.SelectColumns("Label", "Features").Fit(embedded).Transform(embedded);
        Assert.Contains("cannot be read plainly: the column 'Text', which it reads, is not there", Assert.ThrowsExactly<InvalidOperationException>(() => trainer.Fit(bare)).Message);
        var joined = _mlContext.Transforms.Concatenate("Features", "Features", "Cells").Fit(embedded).Transform(embedded);
        Assert.Contains("carries no encoder", Assert.ThrowsExactly<InvalidOperationException>(() => trainer.Fit(joined)).Message);
    }
}
