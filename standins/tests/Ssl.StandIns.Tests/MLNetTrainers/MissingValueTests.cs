using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Ssl.StandIns.Tests.MLNet;

namespace Ssl.StandIns.Tests.MLNetTrainers;

/// <summary>Missing values against the recorded facts.</summary>
[TestClass]
public sealed class MissingValueTests
{
    private readonly MLContext _context = new(42);

    private IDataView Data => Row.Data(_context);

    [TestMethod]
    [DataRow(MissingValueReplacingEstimator.ReplacementMode.DefaultValue)]
    [DataRow(MissingValueReplacingEstimator.ReplacementMode.Mean)]
    [DataRow(MissingValueReplacingEstimator.ReplacementMode.Minimum)]
    [DataRow(MissingValueReplacingEstimator.ReplacementMode.Maximum)]
    [DataRow(MissingValueReplacingEstimator.ReplacementMode.Mode)]
    public void Replace(MissingValueReplacingEstimator.ReplacementMode mode)
    {
        var model = _context.Transforms.ReplaceMissingValues("O", "C", mode).Fit(Data);
        var stream = new MemoryStream();
        _context.Model.Save(model, Data.Schema, stream);
        stream.Position = 0;
        var values = new MLContext().Model.Load(stream, out _).Transform(Data).GetColumn<float>("O").ToArray();
        Golden.Check($"04.ReplaceMissingValues(C,{mode}) rows 9,19,29", new[] { values[9], values[19], values[29] });
        Assert.AreEqual(-2f, values[0]);
    }

    [TestMethod]
    public void ReplaceInVectors()
    {
        var rows = new[] { new Row { V = [1, float.NaN, 4] }, new Row { V = [3, 6, float.NaN] } };
        var data = _context.Data.LoadFromEnumerable(rows);
        var bySlot = _context.Transforms.ReplaceMissingValues("V", replacementMode: MissingValueReplacingEstimator.ReplacementMode.Mean)
            .Fit(data).Transform(data);
        CollectionAssert.AreEqual(new float[] { 1, 6, 4, 3, 6, 4 }, bySlot.GetColumn<float[]>("V").SelectMany(row => row).ToArray());
        var byAll = _context.Transforms.ReplaceMissingValues(
            "V", replacementMode: MissingValueReplacingEstimator.ReplacementMode.Maximum, imputeBySlot: false).Fit(data).Transform(data);
        CollectionAssert.AreEqual(new float[] { 1, 6, 4, 3, 6, 6 }, byAll.GetColumn<float[]>("V").SelectMany(row => row).ToArray());
    }

    [TestMethod]
    public void Indicate()
    {
        var marks = _context.Transforms.IndicateMissingValues("O", "C").Fit(Data).Transform(Data).GetColumn<bool>("O").ToArray();
        Golden.Check("04.IndicateMissingValues(C) ones at", Enumerable.Range(0, 30).Where(i => marks[i]));
    }

    [TestMethod]
    public void Errors()
    {
        Golden.CheckError("14.wrong type: ReplaceMissingValues on string", () => _context.Transforms.ReplaceMissingValues("Cat").Fit(Data));
        Golden.CheckError(
            "14.wrong type: IndicateMissingValues on string", () => _context.Transforms.IndicateMissingValues("Cat").Fit(Data));
    }
}
