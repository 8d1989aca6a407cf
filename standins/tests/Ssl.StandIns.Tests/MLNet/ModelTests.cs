using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Ssl.StandIns.Tests.MLNet;

/// <summary>Chains, mappings, constant expressions, engines and model files: what the saving of a third-party model leans on.</summary>
[TestClass]
public sealed class ModelTests
{
    public sealed class Source
    {
        public float A { get; set; }
        public ReadOnlyMemory<char> Text { get; set; }
    }

    public sealed class Result
    {
        [ColumnName("Doubled")]
        [VectorType(2)]
        public VBuffer<float> Values { get; set; }

        public string? Echo { get; set; }

        [KeyType(3)]
        public uint Key { get; set; }
    }

    [CustomMappingFactoryAttribute("Ssl.StandIns.Tests.Double")]
    private sealed class DoubleFactory : CustomMappingFactory<Source, Result>
    {
        public static int Calls;

        public static void Map(Source source, Result result)
        {
            Interlocked.Increment(ref Calls);
            var buffer = result.Values;
            var editor = VBufferEditor.Create(ref buffer, 2);
            editor.Values[0] = source.A * 2;
            editor.Values[1] = source.A;
            result.Values = editor.Commit();
            result.Echo = source.Text.ToString();
            result.Key = 1;
        }

        public override Action<Source, Result> GetMapping() => Map;
    }

    private sealed class Predicted
    {
        [ColumnName("Doubled")]
        public float[]? Values { get; set; }

        public string? Echo { get; set; }
        public uint Key { get; set; }
    }

    private static IDataView Data(MLContext context) => context.Data.LoadFromEnumerable(
        Enumerable.Range(0, 5).Select(i => new { A = (float)i, B = i * 10f, K = (uint)(i % 3), Name = $"n{i}" }).ToArray());

    private static EstimatorChain<CustomMappingTransformer<Source, Result>> Pipeline(MLContext context) =>
        context.Transforms.Expression("Text", "x => \"caf\\u00e9 \\\"q\\\"\\n\"", "A")
            .Append(context.Transforms.CustomMapping<Source, Result>(DoubleFactory.Map, "Ssl.StandIns.Tests.Double"));

    [TestMethod]
    public void MappingsRunOnceARowAndOnlyWhenAsked()
    {
        var context = new MLContext(1);
        var data = Data(context);
        var mapped = Pipeline(context).Fit(data).Transform(data);
        DoubleFactory.Calls = 0;
        CollectionAssert.AreEqual(new[] { 0f, 10f, 20f, 30f, 40f }, mapped.GetColumn<float>("B").ToArray());
        Assert.AreEqual(0, DoubleFactory.Calls);
        var rows = context.Data.CreateEnumerable<Predicted>(mapped, reuseRowObject: false).ToArray();
        Assert.AreEqual(5, DoubleFactory.Calls);
        CollectionAssert.AreEqual(new[] { 6f, 3f }, rows[3].Values);
        Assert.AreEqual("café \"q\"\n", rows[3].Echo);

        // Keys are 0-based going in and 1-based coming out.
        Assert.AreEqual(2u, rows[3].Key);
        Assert.AreEqual("Key<UInt32, 0-2>", mapped.Schema["Key"].Type.ToString());
        Assert.AreEqual("Vector<Single, 2>", mapped.Schema["Doubled"].Type.ToString());
    }

    [TestMethod]
    public void SavedChainsWorkInAnotherContext()
    {
        var context = new MLContext(1);
        var data = Data(context);
        var model = Pipeline(context)
            .Append(context.Transforms.Concatenate("All", "Doubled", "A", "B"))
            .Append(context.Transforms.Conversion.ConvertType("Wide", "All", DataKind.Double))
            .Append(context.Transforms.CopyColumns("Copy", "Wide"))
            .Append(context.Transforms.DropColumns("Text", "All"))
            .Fit(data);
        var expected = model.Transform(data);
        using var stream = new MemoryStream();
        context.Model.Save(model, data.Schema, stream);

        var other = new MLContext();
        stream.Position = 0;

        // The file names the assembly of the mapping: nothing needs to be registered.
        var loaded = other.Model.Load(stream, out var schema);
        Assert.AreEqual("A: Single; B: Single; K: UInt32; Name: String", string.Join("; ", schema));
        var actual = loaded.Transform(Data(other));
        Assert.AreEqual(string.Join("; ", expected.Schema), string.Join("; ", actual.Schema));
        var (first, second) = (expected.GetColumn<double[]>("Copy").ToArray(), actual.GetColumn<double[]>("Copy").ToArray());
        for (var i = 0; i < first.Length; i++)
        {
            CollectionAssert.AreEqual(first[i], second[i]);
        }

        // Saving what was loaded, and chains within chains.
        using var again = new MemoryStream();
        other.Model.Save(new TransformerChain<ITransformer>(loaded, loaded), null, again);
        again.Position = 0;
        var nested = (TransformerChain<ITransformer>)other.Model.Load(again, out var none);
        Assert.IsNull(none);
        Assert.IsInstanceOfType<TransformerChain<ITransformer>>(nested.LastTransformer);
        Assert.AreEqual(6, ((TransformerChain<ITransformer>)nested.LastTransformer).Count());
    }

    [TestMethod]
    public void ContractsThatNobodyKnowsAreRefused()
    {
        var context = new MLContext(1);
        var model = context.Transforms.CustomMapping<Source, Result>(DoubleFactory.Map, "Ssl.StandIns.Tests.Unknown")
            .Fit(context.Data.LoadFromEnumerable(new[] { new Source() }));
        using var stream = new MemoryStream();
        context.Model.Save(model, null, stream);
        stream.Position = 0;
        Assert.ThrowsExactly<InvalidOperationException>(() => context.Model.Load(stream, out _));
    }

    [TestMethod]
    public void ExpressionLiteralsAreOneStringForAllRowsAndModels()
    {
        var context = new MLContext(1);
        var text = new string('\u4e00', 100_000);
        var data = Data(context);
        var model = context.Transforms.Expression("State", $"x => \"{text}\"", "K").Fit(data);
        using var stream = new MemoryStream();
        context.Model.Save(model, data.Schema, stream);
        stream.Position = 0;
        var loaded = new MLContext().Model.Load(stream, out _);
        var seen = new List<string>();
        var views = new[] { model.Transform(data), loaded.Transform(data) };
        foreach (var state in views.SelectMany(view => view.GetColumn<ReadOnlyMemory<char>>("State")))
        {
            Assert.IsTrue(MemoryMarshal.TryGetString(state, out var owner, out var start, out var length));
            Assert.AreEqual((0, text.Length), (start, length));
            seen.Add(owner);
        }

        Assert.HasCount(10, seen);
        Assert.IsTrue(seen.All(owner => ReferenceEquals(owner, seen[0])));
        Assert.AreEqual(text, seen[0]);
    }

    [TestMethod]
    public void ThirdPartyTransformersMaySaveThroughBuiltInOnes()
    {
        var context = new MLContext(1);
        var data = Data(context);
        var inner = context.Transforms.CopyColumns("O", "A").Append(context.Transforms.DropColumns("B")).Fit(data);
        var chain = new TransformerChain<ITransformer>(
            new Delegating(inner),
            context.Transforms.CopyColumns("P", "O").Fit(inner.Transform(data)));
        using var stream = new MemoryStream();
        context.Model.Save(chain, data.Schema, stream);
        stream.Position = 0;
        var loaded = (TransformerChain<ITransformer>)context.Model.Load(stream, out _);
        Assert.IsInstanceOfType<TransformerChain<ITransformer>>(loaded.First());
        Assert.AreEqual("A, K, Name, O, P", string.Join(", ", loaded.Transform(data).Schema.Select(column => column.Name)));
    }

    [TestMethod]
    public void EnginesWorkRowByRow()
    {
        var context = new MLContext(1);
        var model = Pipeline(context).Fit(Data(context));
        var mapping = context.Transforms.CustomMapping<Source, Result>(DoubleFactory.Map, "c")
            .Fit(context.Data.LoadFromEnumerable(new[] { new Source() }));
        using var engine = context.Model.CreatePredictionEngine<Source, Predicted>(mapping);
        Assert.AreEqual("Doubled", engine.OutputSchema[2].Name);
        for (var i = 0; i < 3; i++)
        {
            var result = engine.Predict(new Source { A = i, Text = $"t{i}".AsMemory() });
            CollectionAssert.AreEqual(new[] { i * 2f, i }, result.Values);
            Assert.AreEqual($"t{i}", result.Echo);
        }

        var disposable = new Delegating(model);
        context.Model.CreatePredictionEngine<Source, Predicted>(
            disposable,
            new PredictionEngineOptions { OwnsTransformer = false }).Dispose();
        Assert.IsFalse(disposable.Disposed);
        context.Model.CreatePredictionEngine<Source, Predicted>(disposable).Dispose();
        Assert.IsTrue(disposable.Disposed);
        var chained = new Delegating(model);
        new TransformerChain<ITransformer>(chained).Dispose();
        Assert.IsTrue(chained.Disposed);
    }

    private sealed class Delegating(ITransformer inner) : ITransformer, IDisposable
    {
        public bool Disposed { get; private set; }
        public bool IsRowToRowMapper => inner.IsRowToRowMapper;
        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inner.GetOutputSchema(inputSchema);
        public IDataView Transform(IDataView input) => inner.Transform(input);
        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => inner.GetRowToRowMapper(inputSchema);
        public void Save(ModelSaveContext ctx) => inner.Save(ctx);
        public void Dispose() => Disposed = true;
    }
}
