using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Extensions.AI;
using Ssl.MLNet;

namespace Ssl.Extensions.VectorData.Tests;

/// <summary>Rows into a real engine, found there, and out again: SQLite with sqlite-vec.</summary>
[TestClass]
public sealed class SqliteStoreTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);
    private readonly StoreFolder _folder = new();

    [TestCleanup]
    public void DeleteFolder() => _folder.Dispose();

    [TestMethod]
    public void Rows_come_back_as_they_went()
    {
        var (ssl, rows) = (_mlContext.SelfSupervised(), Row.MakeUp(700, 1));
        using var collection = new SqliteVecCollection<long, RowRecord>(_folder.File, "rows");
        Assert.AreEqual(700, ssl.ToVectorStore(Row.View(_mlContext, rows), collection));
        var back = _mlContext.Data.CreateEnumerable<Row>(ssl.FromVectorStore(collection, new() { PageSize = 300 }), reuseRowObject: false).ToArray();
        Assert.HasCount(700, back);
        foreach (var (expected, actual) in rows.Zip(back))
            AssertEqual(expected, actual);

        // Again, changed: replaced, not added.
        foreach (var row in rows)
            (row.Team, row.Features) = ($"{row.Team} 2", [.. row.Features.Reverse()]);
        ssl.ToVectorStore(Row.View(_mlContext, rows[..100]), collection);
        back = [.. _mlContext.Data.CreateEnumerable<Row>(ssl.FromVectorStore(collection), reuseRowObject: false)];
        Assert.HasCount(700, back);
        foreach (var (expected, actual) in rows[..100].Zip(back))
            AssertEqual(expected, actual);
        Assert.AreEqual("finance", back[100].Team);
    }

    [TestMethod]
    public void The_search_finds_what_the_search_in_memory_finds()
    {
        var (ssl, rows) = (_mlContext.SelfSupervised(), Row.MakeUp(900, 1));
        var (view, queries) = (Row.View(_mlContext, rows), Row.View(_mlContext, [.. Row.MakeUp(300, 2), new Row { Features = new float[Row.Dimension] }]));
        using var collection = new SqliteVecCollection<long, RowRecord>(_folder.File, "rows");
        ssl.ToVectorStore(view, collection);
        using var memory = ssl.NearestNeighbors(idColumnName: "Number", numberOfNeighbors: 7).Fit(view);
        var estimator = ssl.NearestNeighbors(collection, new VectorStoreSearchOptions<RowRecord> { NumberOfNeighbors = 7 });
        using var stage = estimator.Fit(queries);
        AssertSame(memory.Transform(queries), stage.Transform(queries));
        // The schema that was announced, and the one that came.
        Assert.AreEqual(memory.GetOutputSchema(queries.Schema)["Neighbors"].Type.ToString(), stage.GetOutputSchema(queries.Schema)["Neighbors"].Type.ToString());
        Assert.AreEqual(NumberDataViewType.Int64, estimator.GetOutputSchema(ShapeProbe.Of(_mlContext, queries)).Single(column => column.Name == "Neighbors").ItemType);

        using var engine = _mlContext.Model.CreatePredictionEngine<Row, Found>(stage, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(rows[17].Number, engine.Predict(rows[17]).Neighbors[0]);
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => _mlContext.Model.Save(stage, queries.Schema, Stream.Null)).Message, "is not saved with a model");
    }

    [TestMethod]
    public void Filters_are_those_of_the_store()
    {
        var (ssl, rows) = (_mlContext.SelfSupervised(), Row.MakeUp(400, 1));
        using var collection = new SqliteVecCollection<long, RowRecord>(_folder.File, "rows");
        ssl.ToVectorStore(Row.View(_mlContext, rows), collection);
        var team = "post";
        var chosen = Row.View(_mlContext, rows.Where(row => row.Team == team && row.IsOpen && row.Price > 10));
        var queries = Row.View(_mlContext, Row.MakeUp(50, 2));
        using var memory = ssl.NearestNeighbors(idColumnName: "Number", numberOfNeighbors: 5).Fit(chosen);
        using var stage = ssl.NearestNeighbors(collection, new VectorStoreSearchOptions<RowRecord>
        {
            NumberOfNeighbors = 5, Filter = record => record.Team == team && record.IsOpen && record.Price > 10,
        }).Fit(queries);
        AssertSame(memory.Transform(queries), stage.Transform(queries));

        var back = ssl.FromVectorStore(collection, new FromVectorStoreOptions<RowRecord> { Filter = record => record.Price == null || !record.IsOpen && record.Team != "post" });
        CollectionAssert.AreEqual(rows.Where(row => float.IsNaN(row.Price) || !row.IsOpen && row.Team != "post").Select(row => row.Number).ToArray(),
            back.GetColumn<long>("Number").ToArray());
    }

    [TestMethod]
    public async Task A_dynamic_collection_takes_the_columns_of_a_view()
    {
        var (ssl, rows) = (_mlContext.SelfSupervised(), Row.MakeUp(200, 1));
        var view = Row.View(_mlContext, rows);
        var definition = ssl.VectorStoreDefinition(view.Schema, "Name", indexedColumnNames: ["Team"]);
        using var collection = new SqliteVecCollection<object, Dictionary<string, object?>>(_folder.File, "any \"rows\"", definition);
        Assert.IsFalse(await collection.CollectionExistsAsync());
        Assert.AreEqual(200, await ssl.ToVectorStoreAsync(view, collection, new ToVectorStoreOptions { Definition = definition, BatchSize = 64 }));
        Assert.AreEqual("finance", (await collection.GetAsync(rows[1].Name))!["Team"]);

        using var stage = ssl.NearestNeighbors(collection, new VectorStoreSearchOptions<Dictionary<string, object?>>
        {
            Definition = definition, NumberOfNeighbors = 3, Filter = record => (string)record["Team"]! == "finance",
        }).Fit(view);
        using var memory = ssl.NearestNeighbors(idColumnName: "Name", numberOfNeighbors: 3).Fit(Row.View(_mlContext, rows.Where(row => row.Team == "finance")));
        AssertSame(memory.Transform(view), stage.Transform(view));
        var back = ssl.FromVectorStore(collection, new FromVectorStoreOptions<Dictionary<string, object?>> { Definition = definition });
        CollectionAssert.AreEqual(view.Schema.Select(column => $"{column.Name} {column.Type}").ToArray(), back.Schema.Select(column => $"{column.Name} {column.Type}").ToArray());
        CollectionAssert.AreEquivalent(rows.Select(row => row.Name).ToArray(), back.GetColumn<string>("Name").ToArray());
    }

    [TestMethod]
    public void A_collection_that_embeds_takes_texts()
    {
        var ssl = _mlContext.SelfSupervised();
        string[] things = ["parcel", "letter", "invoice", "card", "login", "screen"];
        var texts = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 60).Select(i => new Ticket
        {
            Id = $"ticket {i}", Question = $"my {things[i % 6]} number {i} fails", Answer = $"about the {things[i % 6]}",
        }));
        using var encoder = ssl.Text.PairedContrastive(new PairedContrastiveTrainer.Options
        {
            InputColumnName = "Question", PairColumnName = "Answer", Encoder = TextEncoders.Bag(16, 16, 16), NumberOfEpochs = 2, BatchSize = 16, Seed = 1,
        }).Fit(texts);
        using var collection = new SqliteVecCollection<string, TextRecord>(_folder.File, "tickets", embeddingGenerator: encoder.AsIEmbeddingGenerator());
        Assert.AreEqual(60, ssl.ToVectorStore(texts, collection));
        // What the collection embedded is what the encoder embeds.
        using var stage = ssl.NearestNeighbors(collection, new VectorStoreSearchOptions<TextRecord> { NumberOfNeighbors = 1 }).Fit(encoder.Transform(texts));
        var found = _mlContext.Data.CreateEnumerable<FoundText>(stage.Transform(encoder.Transform(texts)), reuseRowObject: false).ToArray();
        Assert.IsTrue(found.All(row => row.Neighbors[0] == row.Id && row.Scores[0] > .9999f));
        // It gives back what it stores.
        CollectionAssert.AreEqual(new[] { "Id", "Answer" }, ssl.FromVectorStore(collection).Schema.Select(column => column.Name).ToArray());
    }

    [TestMethod]
    public void What_the_store_refuses_reaches_the_reader()
    {
        var (ssl, rows) = (_mlContext.SelfSupervised(), Row.MakeUp(20, 1));
        using var collection = new SqliteVecCollection<long, RowRecord>(_folder.File, "rows");
        ssl.ToVectorStore(Row.View(_mlContext, rows), collection);
        using var stage = ssl.NearestNeighbors(collection, new VectorStoreSearchOptions<RowRecord> { Filter = record => record.Name.StartsWith("row") }).Fit(Row.View(_mlContext, rows));
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => stage.Transform(Row.View(_mlContext, rows)).GetColumn<long[]>("Neighbors").ToArray()).Message,
            "is not translated");
        Assert.ThrowsExactly<NotSupportedException>(() => ssl.FromVectorStore(collection, new FromVectorStoreOptions<RowRecord> { Filter = record => record.Name.StartsWith("row") })
            .GetColumn<long>("Number").ToArray());
    }

    private static void AssertEqual(Row expected, Row actual)
    {
        Assert.AreEqual((expected.Number, expected.Name, expected.Team, expected.IsOpen, expected.Price), (actual.Number, actual.Name, actual.Team, actual.IsOpen, actual.Price));
        CollectionAssert.AreEqual(expected.Features, actual.Features);
    }

    // Single precision in the store: equally near rows may come in another order, and scores differ a little.
    private static void AssertSame(IDataView expected, IDataView actual)
    {
        var isText = ((VectorDataViewType)expected.Schema["Neighbors"].Type).ItemType is TextDataViewType;
        Assert.AreEqual(expected.Schema["Neighbors"].Type.ToString(), actual.Schema["Neighbors"].Type.ToString());
        CollectionAssert.AreEqual(Ids(expected), Ids(actual));
        foreach (var (a, b) in expected.GetColumn<float[]>("Scores").SelectMany(score => score).Zip(actual.GetColumn<float[]>("Scores").SelectMany(score => score)))
            Assert.AreEqual(a, b, 1e-5f);

        string[] Ids(IDataView view) => isText ? [.. view.GetColumn<ReadOnlyMemory<char>[]>("Neighbors").SelectMany(ids => ids).Select(id => id.ToString())]
            : [.. view.GetColumn<long[]>("Neighbors").SelectMany(ids => ids).Select(id => $"{id}")];
    }

    private sealed class Found
    {
        public long[] Neighbors { get; set; } = [];
    }

    private sealed class FoundText
    {
        public string Id { get; set; } = "";

        public string[] Neighbors { get; set; } = [];

        public float[] Scores { get; set; } = [];
    }

    private sealed class Ticket
    {
        public string Id { get; set; } = "";

        public string Question { get; set; } = "";

        public string Answer { get; set; } = "";
    }
}
