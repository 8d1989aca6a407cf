using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Ssl.StandIns.Tests.MLNet;

namespace Ssl.StandIns.Tests.MLNetTrainers;

/// <summary>Values to keys and back, against the recorded facts.</summary>
[TestClass]
public sealed class KeyTests
{
    private readonly MLContext _context = new(42);

    private IDataView Data => Row.Data(_context);

    [TestMethod]
    [DataRow("Cat", ValueToKeyMappingEstimator.KeyOrdinality.ByOccurrence)]
    [DataRow("Cat", ValueToKeyMappingEstimator.KeyOrdinality.ByValue)]
    [DataRow("B", ValueToKeyMappingEstimator.KeyOrdinality.ByOccurrence)]
    [DataRow("B", ValueToKeyMappingEstimator.KeyOrdinality.ByValue)]
    public void MapValueToKey(string column, ValueToKeyMappingEstimator.KeyOrdinality order) =>
        Golden.Check($"05.MapValueToKey({column},{order})",
            Described(_context.Transforms.Conversion.MapValueToKey("K", column, keyOrdinality: order)));

    [TestMethod]
    public void LimitsAndMissingValues()
    {
        Golden.Check("05.MapValueToKey(Cat,maximumNumberOfKeys=2)",
            Described(_context.Transforms.Conversion.MapValueToKey("K", "Cat", maximumNumberOfKeys: 2)));
        Golden.Check("05.MapValueToKey(C with NaN)", Described(_context.Transforms.Conversion.MapValueToKey("K", "C")));
    }

    [TestMethod]
    public void UnseenValuesAreMissingAlsoAfterLoading()
    {
        var chain = _context.Transforms.Conversion.MapValueToKey("K", "Cat")
            .Append(_context.Transforms.Conversion.MapKeyToValue("Back", "K"));
        var model = Saved(chain.Fit(Data), Data.Schema);
        var rows = new[] { "purple", string.Empty, null, "Red", "red ", "red" }.Select(text => new Row { Cat = text, V = new float[3] });
        var mapped = model.Transform(_context.Data.LoadFromEnumerable(rows));
        Golden.Check("05.MapValueToKey(Cat) unseen [purple,'',null,Red,'red ',red]", mapped.GetColumn<uint>("K"));
        Golden.Check("05.MapKeyToValue of those", mapped.GetColumn<string>("Back"));
    }

    [TestMethod]
    public void KeysToVectors()
    {
        var data = _context.Transforms.Conversion.MapValueToKey("K", "Cat").Append(_context.Transforms.Conversion.MapKeyToVector("P", "K"))
            .Fit(Data).Transform(Data);
        Golden.Check(
            "05.MapKeyToVector(Cat) schema", Golden.Schema(_context.Transforms.SelectColumns("P").Fit(data).Transform(data).Schema));
        Golden.Check("05.MapKeyToVector(Cat) first 6", data.GetColumn<float[]>("P").Take(6));
    }

    [TestMethod]
    [DataRow(OneHotEncodingEstimator.OutputKind.Bag)]
    [DataRow(OneHotEncodingEstimator.OutputKind.Indicator)]
    [DataRow(OneHotEncodingEstimator.OutputKind.Key)]
    public void OneHotEncoding(OneHotEncodingEstimator.OutputKind kind)
    {
        var model = Saved(_context.Transforms.Categorical.OneHotEncoding("H", "Cat", kind).Fit(Data), Data.Schema);
        var unseen = _context.Data.LoadFromEnumerable(new[] { "purple", null }.Select(text => new Row { Cat = text, V = new float[3] }));
        object Values(IDataView view, int count) => kind == OneHotEncodingEstimator.OutputKind.Key
            ? view.GetColumn<uint>("H").Take(count).ToArray()
            : view.GetColumn<float[]>("H").Take(count).ToArray();
        var column = model.GetOutputSchema(Data.Schema)["H"];
        Golden.Check($"06.OneHotEncoding(Cat,{kind})", new
        {
            Type = column.Type.ToString(),
            Annotations = Golden.Annotations(column),
            First6 = Values(model.Transform(Data), 6),
            Unseen = Values(model.Transform(unseen), 2),
        });
    }

    [TestMethod]
    public void NoRows()
    {
        var none = _context.Data.LoadFromEnumerable(Array.Empty<Row>());
        Golden.Check("14.empty: MapValueToKey output type",
            _context.Transforms.Conversion.MapValueToKey("K", "Cat").Fit(none).Transform(none).Schema["K"].Type.ToString());
        Golden.Check("14.empty: OneHotEncoding output type",
            _context.Transforms.Categorical.OneHotEncoding("K", "Cat").Fit(none).Transform(none).Schema["K"].Type.ToString());
    }

    [TestMethod]
    public void Errors()
    {
        var other = _context.Data.LoadFromEnumerable(new[] { new { Id = 1 } });
        Golden.CheckError("14.missing column: MapValueToKey.Fit", () => _context.Transforms.Conversion.MapValueToKey("K", "A").Fit(other));
        Golden.CheckError(
            "14.missing column: OneHotEncoding.Fit", () => _context.Transforms.Categorical.OneHotEncoding("K", "A").Fit(other));
        Golden.CheckError("14.missing column: MapValueToKey transformer.Transform", () =>
            _context.Transforms.Conversion.MapValueToKey("K", "Cat").Fit(Data).Transform(other));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _context.Transforms.Conversion.MapKeyToValue("Back", "Cat").Fit(Data));
    }

    [TestMethod]
    public void KeyDataChoosesTheKeys()
    {
        var keys = _context.Data.LoadFromEnumerable(new[] { new { Value = "black" }, new { Value = "red" } });
        var mapped = _context.Transforms.Conversion.MapValueToKey("K", "Cat", keyData: keys).Fit(Data).Transform(Data);
        CollectionAssert.AreEqual(new uint[] { 2, 2, 0, 1, 0 }, mapped.GetColumn<uint>("K").Take(5).ToArray());
    }

    private object Described(IEstimator<ITransformer> estimator)
    {
        var view = estimator.Fit(Data).Transform(Data);
        var column = view.Schema["K"];
        return new { Type = column.Type.ToString(), Annotations = Golden.Annotations(column), Values = view.GetColumn<uint>("K") };
    }

    private ITransformer Saved(ITransformer model, DataViewSchema schema)
    {
        var stream = new MemoryStream();
        _context.Model.Save(model, schema, stream);
        stream.Position = 0;
        return new MLContext().Model.Load(stream, out _);
    }
}
