using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.StandIns.Tests.MLNet;

namespace Ssl.StandIns.Tests.MLNetTrainers;

/// <summary>Normalisers against the recorded facts.</summary>
[TestClass]
public sealed class NormalizerTests
{
    private readonly MLContext _context = new(42);

    private IDataView Data => Row.Data(_context);

    [TestMethod]
    [DataRow("A", true)]
    [DataRow("A", false)]
    [DataRow("C", true)]
    [DataRow("C", false)]
    [DataRow("V", true)]
    [DataRow("V", false)]
    public void MinMax(string column, bool fixZero) =>
        Golden.CheckNear($"01.NormalizeMinMax({column},fixZero={fixZero})",
            Values(_context.Transforms.NormalizeMinMax("O", column, fixZero: fixZero), column), 1e-7);

    [TestMethod]
    [DataRow("A", true, false)]
    [DataRow("A", false, false)]
    [DataRow("A", true, true)]
    [DataRow("C", true, false)]
    [DataRow("C", false, false)]
    [DataRow("C", true, true)]
    [DataRow("V", true, false)]
    [DataRow("V", false, false)]
    [DataRow("V", false, true)]
    public void MeanVariance(string column, bool fixZero, bool useCdf) => Golden.CheckNear(
        $"02.NormalizeMeanVariance({column},fixZero={fixZero},useCdf={(useCdf ? "true" : "false")})",
        Values(_context.Transforms.NormalizeMeanVariance("O", column, fixZero: fixZero, useCdf: useCdf), column),
        3e-7);

    [TestMethod]
    public void SchemaAndUnseenValuesAfterLoading()
    {
        var model = _context.Transforms.NormalizeMinMax("O", "A").Fit(Data);
        Golden.Check("01.NormalizeMinMax(A) output schema", Golden.Schema(model.Transform(Data).Schema));
        var stream = new MemoryStream();
        _context.Model.Save(model, Data.Schema, stream);
        stream.Position = 0;
        var loaded = new MLContext().Model.Load(stream, out _);
        var rows = _context.Data.LoadFromEnumerable(
            new[] { 100, -100, float.NaN }.Select(value => new Row { A = value, V = new float[3] }));
        Golden.CheckNear("01.NormalizeMinMax(A) on unseen [100,-100,NaN]", loaded.Transform(rows).GetColumn<float>("O"), 1e-5);
    }

    [TestMethod]
    public void SparseRowsCountTheirZeros()
    {
        var sparse = new[] { new VBuffer<float>(3, 1, [4f], [1]), new VBuffer<float>(3, 1, [2f], [0]) };
        var schema = SchemaDefinition.Create(typeof(SparseRow));
        schema["V"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3);
        var data = _context.Data.LoadFromEnumerable(sparse.Select(vector => new SparseRow { V = vector }), schema);
        var affine = _context.Transforms.NormalizeMinMax("O", "V", fixZero: false).Fit(data).Transform(data).GetColumn<float[]>("O")
            .ToArray();
        CollectionAssert.AreEqual(new float[] { 0, 1, 0 }, affine[0]);
        CollectionAssert.AreEqual(new float[] { 1, 0, 0 }, affine[1]);
        var scaled = _context.Transforms.NormalizeMinMax("O", "V").Fit(data).Transform(data).GetColumn<VBuffer<float>>("O").ToArray();
        Assert.IsFalse(scaled[0].IsDense, "A scale without offset keeps sparse rows sparse");
        Assert.AreEqual(1f, scaled[0].GetItemOrDefault(1));
    }

    [TestMethod]
    public void Errors()
    {
        var other = _context.Data.LoadFromEnumerable(new[] { new { Id = 1 } });
        var none = _context.Data.LoadFromEnumerable(Array.Empty<Row>());
        Golden.CheckError("14.missing column: NormalizeMinMax.Fit", () => _context.Transforms.NormalizeMinMax("A").Fit(other));
        Golden.CheckError("14.missing column: transformer.Transform (NormalizeMinMax fitted on A)", () =>
            _context.Transforms.NormalizeMinMax("A").Fit(Data).Transform(other));
        Golden.CheckError("14.wrong type: NormalizeMinMax on string", () => _context.Transforms.NormalizeMinMax("Cat").Fit(Data));
        Golden.CheckError("14.empty: NormalizeMinMax.Fit then key 0 values", () => _context.Transforms.NormalizeMinMax("A").Fit(none));
        Golden.CheckError("14.empty: NormalizeMeanVariance.Fit", () => _context.Transforms.NormalizeMeanVariance("A").Fit(none));
        Golden.CheckError("14.schema mismatch: NormalizeMinMax fitted on Vector<Single,2>, Transform on Vector<Single,3>", () =>
        {
            var two = _context.Transforms.Concatenate("F", "A", "B").Fit(Data).Transform(Data);
            var three = _context.Transforms.Concatenate("F", "A", "B", "C").Fit(Data).Transform(Data);
            _ = _context.Transforms.NormalizeMinMax("F").Fit(two).Transform(three).GetColumn<float[]>("F").ToArray();
        });
        Golden.CheckError("14.schema mismatch: Transform, NormalizeMinMax fitted float A, given string A", () =>
            _context.Transforms.NormalizeMinMax("A").Fit(Data).Transform(_context.Data.LoadFromEnumerable(new[] { new { A = "x" } })));
    }

    private object Values(IEstimator<ITransformer> estimator, string column)
    {
        var view = estimator.Fit(Data).Transform(Data);
        return column == "V" ? view.GetColumn<float[]>("O") : view.GetColumn<float>("O");
    }

    private sealed class SparseRow
    {
        public VBuffer<float> V { get; set; }
    }
}
