using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.StandIns.Tests.MLNet;

namespace Ssl.StandIns.Tests.MLNetTrainers;

/// <summary>Components of several kinds in one chain, against the recorded facts.</summary>
[TestClass]
public sealed class TogetherTests
{
    private readonly MLContext _context = new(42);

    private sealed class Keyed
    {
        [KeyType(3)]
        public uint K { get; set; }
    }

    private sealed class Ragged
    {
        public float[]? F { get; set; }
        public string? Label { get; set; }
    }


    [TestMethod]
    public void ConcatenateWithIndicators()
    {
        var data = Row.Data(_context);
        var view = _context.Transforms.Categorical.OneHotEncoding("H", "Cat")
            .Append(_context.Transforms.Concatenate("F", "A", "H", "V", "B")).Fit(data).Transform(data);
        Golden.Check("07.Concatenate(F<-A,H,V,B) schema", Golden.Schema(view.Schema));
        Golden.Check("07.Concatenate row 1", view.GetColumn<float[]>("F").ElementAt(1));
    }

    [TestMethod]
    public void KeyProperties()
    {
        var data = _context.Data.LoadFromEnumerable(new uint[] { 0, 1, 2, 3, 7 }.Select(key => new Keyed { K = key }));
        Golden.Check("05.[KeyType(3)] uint property values 0,1,2,3,7 -> raw key seen by a getter (0 = missing)", data.GetColumn<uint>("K"));
        Golden.Check("05.  and back through CreateEnumerable",
            _context.Data.CreateEnumerable<Keyed>(data, reuseRowObject: false).Select(row => row.K));
        Golden.Check("05.  type", data.Schema["K"].Type.ToString());
    }

    [TestMethod]
    public void FeaturesMustHaveAKnownSize()
    {
        var data = _context.Data.LoadFromEnumerable(new[] { new Ragged { F = [1, 2], Label = "a" }, new Ragged { F = [1], Label = "b" } });
        Golden.CheckError("14.wrong type: features variable-size vector", () =>
            _context.Transforms.Conversion.MapValueToKey("Label")
                .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "F")).Fit(data));
    }

    [TestMethod]
    public void AnEnginePredictsRowByRow()
    {
        var data = Row.Data(_context);
        var model = _context.Transforms.Conversion.MapValueToKey("Label")
            .Append(_context.Transforms.NormalizeMeanVariance("V"))
            .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "V", l1Regularization: 0))
            .Append(_context.Transforms.Conversion.MapKeyToValue("Guess", "PredictedLabel"))
            .Fit(data);
        var whole = model.Transform(data);
        var guesses = whole.GetColumn<string>("Guess").ToArray();
        var scores = whole.GetColumn<float[]>("Score").ToArray();
        using var engine = _context.Model.CreatePredictionEngine<Row, Answer>(model);
        foreach (var (row, i) in Row.Fixture().Select((row, i) => (row, i)))
        {
            var answer = engine.Predict(row);
            Assert.AreEqual(guesses[i], answer.Guess);
            CollectionAssert.AreEqual(scores[i], answer.Score);
        }
    }

    [TestMethod]
    public void OutputSchemaIsKnownBeforeFitting()
    {
        var data = Row.Data(_context);
        var shape = new SchemaShape(Shape(data));
        var chain = _context.Transforms.Conversion.MapValueToKey("Label")
            .Append(_context.Transforms.NormalizeMinMax("V"))
            .Append(_context.Transforms.Categorical.OneHotEncoding("Cat"))
            .Append(_context.Transforms.Concatenate("F", "V", "Cat"))
            .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "F"))
            .Append(_context.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var promised = chain.GetOutputSchema(shape).ToDictionary(column => column.Name);
        var real = chain.Fit(data).GetOutputSchema(data.Schema);
        foreach (var column in real.Where(column => !column.IsHidden))
        {
            var promise = promised[column.Name];
            Assert.AreEqual(column.Type is VectorDataViewType, promise.Kind == SchemaShape.Column.VectorKind.Vector, column.Name);
            var item = (column.Type as VectorDataViewType)?.ItemType ?? column.Type;
            Assert.AreEqual(item is KeyDataViewType, promise.IsKey, column.Name);
            Assert.AreEqual(item.RawType, promise.ItemType.RawType, column.Name);
            foreach (var annotation in promise.Annotations)
            {
                Assert.IsNotNull(column.Annotations.Schema.GetColumnOrNull(annotation.Name), $"{column.Name}.{annotation.Name}");
            }
        }
    }

    // The shape of a view, as only an estimator can tell it.
    private IEnumerable<SchemaShape.Column> Shape(IDataView data) =>
        _context.Transforms.CustomMapping<Nothing, Row>((_, _) => { }, null).GetOutputSchema(new SchemaShape([]))
            .Where(column => data.Schema.GetColumnOrNull(column.Name) != null);

    private sealed class Nothing
    {
    }

    private sealed class Answer
    {
        public string? Guess { get; set; }
        public float[]? Score { get; set; }
    }
}
