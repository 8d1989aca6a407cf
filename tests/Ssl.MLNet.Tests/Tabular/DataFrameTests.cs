using Microsoft.Data.Analysis;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Tabular;

[TestClass]
public sealed class DataFrameTests
{
    private static DataFrame Frame(int rows)
    {
        var random = new Random(1);
        return new DataFrame(
            new PrimitiveDataFrameColumn<float>("Income",
                Enumerable.Range(0, rows).Select(i => i % 7 == 0 ? (float?)null : random.NextSingle())),
            new PrimitiveDataFrameColumn<int>("Age", Enumerable.Range(0, rows).Select(i => 20 + i % 50)),
            new PrimitiveDataFrameColumn<double>("Hours", Enumerable.Range(0, rows).Select(i => i % 9 * 5.0)),
            new PrimitiveDataFrameColumn<bool>("Member", Enumerable.Range(0, rows).Select(i => i % 3 == 0)),
            new StringDataFrameColumn("Work", Enumerable.Range(0, rows).Select(i => i % 5 == 0 ? null! : i % 2 == 0 ? "farm" : "office")));
    }

    [TestMethod]
    public void A_data_frame_is_pretrained_on_and_embedded_as_it_is()
    {
        var mlContext = TestDevice.Context(1);
        var frame = Frame(200);
        using var encoder = mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = [.. frame.Columns.Select(c => c.Name)], Encoder = TabularEncoders.Mlp(2, 16), NumberOfEpochs = 2,
                BatchSize = 32,
        }).Fit(frame);
        var embeddings = encoder.Transform(frame).GetColumn<float[]>("Features").ToArray();
        Assert.HasCount(200, embeddings);
        Assert.IsTrue(embeddings.All(e => e.All(float.IsFinite)));
        var work = encoder.Transform(frame).GetColumn<string>("Work").ToArray();
        Assert.AreEqual("", work[0]);
        Assert.AreEqual("office", work[1]);
    }

    [TestMethod]
    public void Missing_values_of_a_frame_are_missing_in_the_view()
    {
        IDataView view = Frame(20);
        var incomes = view.GetColumn<float>(view.Schema["Income"]).ToArray();
        Assert.AreEqual(3, incomes.Count(float.IsNaN));
        Assert.AreEqual(20L, view.GetRowCount());
        Assert.AreEqual(NumberDataViewType.Double, view.Schema["Hours"].Type);
    }
}
