using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;

namespace Ssl.Estimators.Tests.Downstream;

/// <summary>An index file against a plain dictionary, and against the search in memory.</summary>
[TestClass]
public sealed class NeighborIndexTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);
    private readonly IndexFolder _folder = new();

    [TestCleanup]
    public void DeleteFolder() => _folder.Dispose();

    [TestMethod]
    [DataRow(NeighborSearch.Exact, 1)]
    [DataRow(NeighborSearch.Exact, 2)]
    [DataRow(NeighborSearch.Approximate, 3)]
    public void Random_changes_leave_what_a_dictionary_has(NeighborSearch search, int seed)
    {
        const int Dimension = 9, Names = 60;
        var random = new Random(seed);
        // The order is that of the last time an id was added.
        var expected = new List<(string Id, float[] Vector)>();
        var index = NeighborIndex<string>.Create(_mlContext, _folder.File(), Dimension, search, null);
        for (var step = 0; step < 250; step++)
        {
            switch (random.Next(10))
            {
                case < 4:
                    var (id, vector) = ($"row {random.Next(Names)}", IndexVectors.Draw(random, Dimension));
                    index.Upsert(id, vector);
                    Put(id, vector);
                    break;
                case < 6:
                    var rows = Enumerable.Range(0, random.Next(1, 30)).Select(_ => new Row
                    {
                        Name = $"row {random.Next(Names)}", Features = IndexVectors.Draw(random, Dimension),
                    }).ToArray();
                    Assert.AreEqual(rows.Length, index.Upsert(View(rows, Dimension), "Name"));
                    // Of rows of one id the last counts, at its own place.
                    foreach (var row in rows.Select((row, i) => (row, i)).GroupBy(p => p.row.Name).Select(g => g.Last()).OrderBy(p => p.i))
                        Put(row.row.Name, row.row.Features);
                    break;
                case 6:
                    var gone = $"row {random.Next(Names)}";
                    Assert.AreEqual(expected.RemoveAll(row => row.Id == gone) == 1, index.Remove(gone));
                    break;
                case 7:
                    string[] several = [.. Enumerable.Range(0, random.Next(8)).Select(_ => $"row {random.Next(Names)}")];
                    Assert.AreEqual(expected.RemoveAll(row => several.Contains(row.Id)), index.Remove(several));
                    break;
                case 8:
                    if (random.Next(3) == 0)
                    {
                        index.Compact();
                        Assert.AreEqual(0, index.RemovedCount);
                    }
                    break;
                default:
                    index.Dispose();
                    index = NeighborIndex<string>.Open(_mlContext, _folder.File(), readOnly: random.Next(2) == 0);
                    AssertSame();
                    index.Dispose();
                    index = NeighborIndex<string>.Open(_mlContext, _folder.File(), readOnly: false);
                    break;
            }
            Assert.AreEqual(expected.Count, index.Count, $"step {step}");
            if (step % 5 == 0)
                AssertSame();
        }
        AssertSame();
        index.Verify();
        index.Dispose();

        void Put(string id, float[] vector)
        {
            expected.RemoveAll(row => row.Id == id);
            expected.Add((id, vector));
        }

        void AssertSame()
        {
            var query = IndexVectors.Draw(random, Dimension);
            var found = index.Search(query, 7);
            var truth = expected.Select((row, order) => (row.Id, Score: EmbeddingRows.Cosine(query, row.Vector), order))
                .OrderByDescending(row => row.Score).ThenBy(row => row.order).Take(7).ToArray();
            CollectionAssert.AreEqual(truth.Select(row => row.Id).ToArray(), found.Select(row => row.Id).ToArray());
            foreach (var (own, other) in found.Zip(truth))
                Assert.AreEqual(other.Score, own.Score, 1e-6);
            foreach (var (id, _) in expected)
                Assert.IsTrue(index.Contains(id));
            Assert.IsFalse(index.Contains("another"));
        }
    }

    [TestMethod]
    [DataRow(1, 5)]
    [DataRow(3, 7)]
    [DataRow(10, 33)]
    [DataRow(20, 128)]
    public void An_exact_search_gives_the_bits_of_the_search_in_memory(int k, int dimension)
    {
        // Every fourth row stands there twice: equals come in their order.
        var vectors = IndexVectors.Clustered(3_000, dimension, 40, 1);
        Row[] rows = [.. vectors.Select((vector, i) => new Row { Number = i, Features = i % 4 == 3 ? vectors[i - 3] : vector })];
        var view = View(rows, dimension);
        using var memory = new NearestNeighborsEstimator(_mlContext, new() { IdColumnName = "Number", NumberOfNeighbors = k }).Fit(view);
        using var index = NeighborIndex<long>.Create(_mlContext, _folder.File(), view, "Number", "Features", NeighborSearch.Exact, null, default);
        var queries = View([.. IndexVectors.Clustered(100, dimension, 40, 2).Concat([new float[dimension]]).Concat(vectors[..30])
            .Select(vector => new Row { Features = vector })], dimension);
        using var stage = Stage(index, k);
        AssertEqual(memory.Transform(queries), stage.Transform(queries));
        index.Compact();
        AssertEqual(memory.Transform(queries), stage.Transform(queries));
    }

    // A product in single precision orders them by its own errors.
    [TestMethod]
    public void Rows_that_rounding_cannot_tell_apart_come_by_their_cosines()
    {
        const int Dimension = 96;
        var random = new Random(1);
        var middle = IndexVectors.Draw(random, Dimension);
        Row[] rows = [.. Enumerable.Range(0, 400).Select(i => new Row { Number = i, Features = [.. middle.Select(value => value * (1 + 4e-4f * (random.NextSingle() - .5f)))] })];
        using var index = NeighborIndex<long>.Create(_mlContext, _folder.File(), View(rows, Dimension), "Number", "Features", NeighborSearch.Exact, null, default);
        for (var i = 0; i < 20; i++)
        {
            var query = IndexVectors.Draw(random, Dimension);
            var unit = Unit(query);
            var truth = rows.Select(row => (row.Number, Score: (float)CosineRefinement.Cosine(unit, Unit(row.Features))))
                .OrderByDescending(row => row.Score).ThenBy(row => row.Number).Take(5).ToArray();
            CollectionAssert.AreEqual(truth.Select(row => (long)row.Number).ToArray(), index.Search(query, 5).Select(row => row.Id).ToArray());
        }

        static float[] Unit(float[] vector)
        {
            var own = (float[])vector.Clone();
            Assert.IsTrue(UnitVector.Normalize(own));
            return own;
        }
    }

    [TestMethod]
    public void An_approximate_search_finds_nearly_all_and_rows_that_came_later()
    {
        const int Dimension = 64, Neighbors = 10;
        var vectors = IndexVectors.Clustered(12_000, Dimension, 300, 1);
        Row[] rows = [.. vectors.Select((vector, i) => new Row { Number = i, Features = vector })];
        using var index = NeighborIndex<long>.Create(_mlContext, _folder.File(), View(rows[..8_000], Dimension), "Number", "Features",
            NeighborSearch.Approximate, null, default);
        Assert.AreEqual((int)Math.Ceiling(4 * Math.Sqrt(8_000)), index.NumberOfCells);
        Assert.AreEqual(4_000, index.Upsert(View(rows[8_000..], Dimension), "Number"));
        var queries = IndexVectors.Clustered(200, Dimension, 300, 2);
        var recall = queries.Average(query => index.Search(query, Neighbors).Select(row => row.Id)
            .Intersect(index.Search(query, Neighbors, NeighborSearch.Exact).Select(row => row.Id)).Count() / (double)Neighbors);
        Assert.IsGreaterThan(.98, recall, $"recall {recall}");
        // Fewer cells find less, all of them everything.
        Assert.IsLessThan(recall, queries.Average(query => index.Search(query, Neighbors, numberOfProbes: 1).Select(row => row.Id)
            .Intersect(index.Search(query, Neighbors, NeighborSearch.Exact).Select(row => row.Id)).Count() / (double)Neighbors));
        foreach (var query in queries)
        {
            CollectionAssert.AreEqual(index.Search(query, Neighbors, NeighborSearch.Exact).ToArray(),
                index.Search(query, Neighbors, numberOfProbes: index.NumberOfCells).ToArray());
        }
        // In batches, too, where queries share cells.
        using var stage = Stage(index, Neighbors, search: NeighborSearch.Approximate);
        var together = stage.Transform(View([.. queries.Select(query => new Row { Features = query })], Dimension)).GetColumn<long[]>("Neighbors").ToArray();
        for (var i = 0; i < queries.Length; i++)
            CollectionAssert.AreEqual(index.Search(queries[i], Neighbors).Select(row => row.Id).ToArray(), together[i]);
        foreach (var late in rows[8_000..8_100])
            Assert.AreEqual(late.Number, index.Search(late.Features, 1)[0].Id);
        // A quarter of the rows it was learned for keeps its cells, fewer do not.
        index.Remove(rows[2_000..].Select(row => (long)row.Number));
        index.Compact();
        Assert.AreEqual(1, index.NumberOfCells, "2,000 rows need no cells");
        Assert.AreEqual(2_000, index.Count);
    }

    [TestMethod]
    public void Compacting_makes_the_file_as_small_as_a_new_one()
    {
        var rows = IndexVectors.Clustered(2_000, 16, 10, 1).Select((vector, i) => new Row { Number = i % 500, Features = vector }).ToArray();
        using (var index = NeighborIndex<long>.Create(_mlContext, _folder.File(), 16, NeighborSearch.Exact, null))
        {
            foreach (var part in rows.Chunk(250))
                index.Upsert(View(part, 16), "Number");
            Assert.AreEqual(500, index.Count);
            Assert.AreEqual(1_500, index.RemovedCount);
            index.Compact();
        }
        NeighborIndex<long>.Create(_mlContext, _folder.File("new"), View(rows[1_500..], 16), "Number", "Features", NeighborSearch.Exact, null, default).Dispose();
        Assert.AreEqual(new FileInfo(_folder.File("new")).Length, new FileInfo(_folder.File()).Length);
        CollectionAssert.AreEquivalent(new[] { "new", "rows.index" }, _folder.Names);
    }

    [TestMethod]
    public void The_stage_is_that_of_the_search_in_memory_and_travels_in_a_model()
    {
        var rows = IndexVectors.Clustered(300, 8, 10, 1).Select((vector, i) => new Row { Name = $"row {i}", Features = vector }).ToArray();
        var view = View(rows, 8);
        using var memory = new NearestNeighborsEstimator(_mlContext, new() { IdColumnName = "Name", NumberOfNeighbors = 4 }).Fit(view);
        var index = NeighborIndex<string>.Create(_mlContext, _folder.File(), view, "Name", "Features", NeighborSearch.Exact, null, default);
        var queries = View([.. IndexVectors.Clustered(600, 8, 10, 2).Select((vector, i) => new Row { Name = $"query {i}", Features = vector })], 8);
        var stage = Stage(index, 4);
        AssertEqual(memory.Transform(queries), stage.Transform(queries));
        Assert.AreEqual(memory.GetOutputSchema(queries.Schema)["Neighbors"].Type.ToString(), stage.GetOutputSchema(queries.Schema)["Neighbors"].Type.ToString());
        CollectionAssert.AreEqual(queries.GetColumn<string>("Name").ToArray(), stage.Transform(queries).GetColumn<string>("Name").ToArray());

        using (var engine = _mlContext.Model.CreatePredictionEngine<Row, Result>(stage, new PredictionEngineOptions
        {
            InputSchemaDefinition = Definition(8), OwnsTransformer = false,
        }))
        {
            Assert.AreEqual("row 17", engine.Predict(rows[17]).Neighbors[0]);
        }

        using var model = new MemoryStream();
        _mlContext.Model.Save(stage, queries.Schema, model);
        model.Position = 0;
        // Open for writing here: nobody else may have it.
        StringAssert.Contains(Assert.Throws<Exception>(() => TestDevice.Context().Model.Load(model, out _)).ToString(), "open for writing once");
        index.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => stage.Transform(queries).GetColumn<float[]>("Scores").ToArray());
        model.Position = 0;
        using (var loaded = (NeighborLookupTransformer)TestDevice.Context().Model.Load(model, out _))
            AssertEqual(memory.Transform(queries), loaded.Transform(queries));
        File.Delete(_folder.File());
        model.Position = 0;
        StringAssert.Contains(Assert.Throws<Exception>(() => TestDevice.Context().Model.Load(model, out _)).ToString(),
            $"searches the index file '{_folder.File()}', which is not there");
    }

    [TestMethod]
    public void Bad_input_is_refused_in_a_sentence_and_changes_nothing()
    {
        var rows = IndexVectors.Clustered(20, 3, 2, 1).Select((vector, i) => new Row { Name = $"row {i}", Features = vector }).ToArray();
        using var index = NeighborIndex<string>.Create(_mlContext, _folder.File(), View(rows, 3), "Name", "Features", NeighborSearch.Exact, null, default);
        void Refused<T>(string expected, Action action) where T : Exception
        {
            StringAssert.Contains(Assert.ThrowsExactly<T>(action).Message, expected);
            Assert.AreEqual(20, index.Count);
        }

        Refused<IOException>("There is a file", () => NeighborIndex<string>.Create(_mlContext, _folder.File(), 3, NeighborSearch.Exact, null));
        Refused<ArgumentOutOfRangeException>("dimension must be between 1 and 65536, got 0. numberOfCells must be at least 1",
            () => NeighborIndex<string>.Create(_mlContext, _folder.File("other"), 0, NeighborSearch.Exact, 0));
        Refused<NotSupportedException>("string or long, not Guid", () => NeighborIndex<Guid>.Create(_mlContext, _folder.File("other"), 3, NeighborSearch.Exact, null));
        Refused<ArgumentException>("The vector has 2 values, those of this index have 3", () => index.Upsert("a", [1, 2]));
        Refused<ArgumentException>("The vector of 'a' has no direction", () => index.Upsert("a", [0, 0, 0]));
        Refused<ArgumentException>("The vector of 'a' has no direction", () => index.Upsert("a", [float.NaN, 0, 1]));
        Refused<ArgumentOutOfRangeException>("expected Vector<Single, 3>, got Vector<Single, 4>", () => index.Upsert(View([new() { Features = new float[4] }], 4), "Name"));
        Refused<ArgumentOutOfRangeException>("Could not find id column 'Gone'", () => index.Upsert(View(rows, 3), "Gone"));
        Refused<ArgumentOutOfRangeException>("Schema mismatch for id column 'Number': expected String", () => index.Upsert(View(rows, 3), "Number"));
        Refused<InvalidOperationException>("The first is row 1 (rows and slots count from 0): the vector in column 'Features' is zero",
            () => index.Upsert(View([new() { Name = "new", Features = [1, 0, 0] }, new() { Name = "zero", Features = [0, 0, 0] }], 3), "Name"));
        Refused<ArgumentOutOfRangeException>("numberOfNeighbors must be between 1 and 1023, got 0.", () => index.Search([1, 0, 0], 0));
        Refused<ArgumentException>("The vector has 2 values", () => index.Search([1, 0]));
        Refused<OperationCanceledException>("", () => index.Upsert(View(rows, 3), "Name", cancellationToken: new CancellationToken(canceled: true)));
        Assert.IsEmpty(index.Search([0, 0, 0]));
        Assert.IsEmpty(_folder.Names.Except(["rows.index"]));
        index.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => index.Search([1, 0, 0]));
        Assert.ThrowsExactly<ObjectDisposedException>(() => index.Upsert("a", [1, 0, 0]));

        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => NeighborIndex<long>.Open(_mlContext, _folder.File(), false)).Message,
            "open it as NeighborIndex<string>");
        using var first = NeighborIndex<string>.Open(_mlContext, _folder.File(), readOnly: true);
        using var second = NeighborIndex<string>.Open(_mlContext, _folder.File(), readOnly: true);
        Assert.AreEqual(20, second.Count);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => first.Remove("row 1")).Message, "opened to be read only");
        StringAssert.Contains(Assert.ThrowsExactly<IOException>(() => NeighborIndex<string>.Open(_mlContext, _folder.File(), false)).Message, "open for writing once");
    }

    [TestMethod]
    public void Ids_are_any_texts_and_numbers()
    {
        string[] names = ["", "a\tb", "\ud800", "\ud801", "名", new string('x', 70_000), "\uFDD0"];
        using (var index = NeighborIndex<string>.Create(_mlContext, _folder.File(), 2, NeighborSearch.Exact, null))
        {
            foreach (var (i, name) in names.Index())
                index.Upsert(name, [1, i]);
            index.Compact();
        }
        using (var index = NeighborIndex<string>.Open(_mlContext, _folder.File(), readOnly: true))
            CollectionAssert.AreEqual(names, index.Search([1, 0], 10).Select(row => row.Id).ToArray());
        using var numbers = NeighborIndex<long>.Create(_mlContext, _folder.File("numbers"), 2, NeighborSearch.Exact, null);
        foreach (var id in (long[])[long.MinValue, -1, 0, long.MaxValue])
            numbers.Upsert(id, [1, 1]);
        CollectionAssert.AreEqual(new[] { long.MinValue, -1, 0, long.MaxValue }, numbers.Search([1, 1]).Select(row => row.Id).ToArray());
    }

    private static NeighborLookupTransformer Stage<TId>(NeighborIndex<TId> index, int k, NeighborSearch? search = null) where TId : notnull
        => new(new IndexLookup<TId>(index, new NeighborSettings("Features", "Neighbors", "Scores", k), search, 32, ownsIndex: false));

    private static void AssertEqual(IDataView expected, IDataView actual)
    {
        CollectionAssert.AreEqual(Ids(expected), Ids(actual));
        CollectionAssert.AreEqual(expected.GetColumn<float[]>("Scores").SelectMany(score => score).Select(BitConverter.SingleToInt32Bits).ToArray(),
            actual.GetColumn<float[]>("Scores").SelectMany(score => score).Select(BitConverter.SingleToInt32Bits).ToArray());

        static string[] Ids(IDataView view) => ((VectorDataViewType)view.Schema["Neighbors"].Type).ItemType is TextDataViewType
            ? [.. view.GetColumn<ReadOnlyMemory<char>[]>("Neighbors").SelectMany(ids => ids).Select(id => id.ToString())]
            : [.. view.GetColumn<long[]>("Neighbors").SelectMany(ids => ids).Select(id => $"{id}")];
    }

    private IDataView View(Row[] rows, int dimension) => _mlContext.Data.LoadFromEnumerable(rows, Definition(dimension));

    private static SchemaDefinition Definition(int dimension)
    {
        var definition = SchemaDefinition.Create(typeof(Row));
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimension);
        return definition;
    }

    private sealed class Row
    {
        public string Name { get; set; } = "";

        public int Number { get; set; }

        public float[] Features { get; set; } = [];
    }

    private sealed class Result
    {
        public string[] Neighbors { get; set; } = [];
    }
}
