using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;

namespace Ssl.Estimators.Tests.Downstream;

[TestClass]
public class NearestNeighborsTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    [DataRow(1, 1, 3)]
    [DataRow(5, 2, 8)]
    [DataRow(300, 10, 16)]
    [DataRow(1500, 7, 4)]
    public void The_neighbors_are_those_of_a_naive_search(int references, int k, int dimension)
    {
        var rows = Rows(references, dimension, 1);
        var queries = Rows(700, dimension, 2);
        using var search = Fit(rows, k, idColumn: null);
        var output = search.Transform(View(queries));
        var ids = output.GetColumn<long[]>("Neighbors").ToArray();
        var scores = output.GetColumn<float[]>("Scores").ToArray();
        for (var q = 0; q < queries.Length; q++)
        {
            var expected = rows.Select((r, i) => (Row: i, Score: Cosine(r.Features, queries[q].Features))).OrderByDescending(p => p.Score)
                .Take(k).ToArray();
            for (var i = 0; i < k; i++)
            {
                if (i >= expected.Length)
                {
                    Assert.AreEqual(-1L, ids[q][i]);
                    Assert.IsTrue(float.IsNaN(scores[q][i]));
                    continue;
                }

                Assert.AreEqual(expected[i].Score, scores[q][i], 1e-5, $"query {q}, neighbor {i}");
                Assert.AreEqual(Cosine(rows[ids[q][i]].Features, queries[q].Features), scores[q][i], 1e-5);
            }
        }
    }

    [TestMethod]
    public void Blocks_of_references_make_no_difference()
    {
        var rows = Rows(500, 6, 3);
        using var whole = Fit(rows, 9);
        using var blocks = InBlocks(rows, 9, 64);
        var queries = View(Rows(50, 6, 4));
        AssertSame(whole.Transform(queries), blocks.Transform(queries));
    }

    [TestMethod]
    public void Equal_references_come_in_their_order()
    {
        Row[] rows = [new() { Features = [0, 1] }, .. Enumerable.Range(0, 6).Select(i => new Row { Features = [1 + i, 0] })];
        using var search = Fit(rows, 6, idColumn: null);
        CollectionAssert.AreEqual(new[] { 1L, 2, 3, 4, 5, 6 }, search.Transform(View([new() { Features = [3, 0] }]))
            .GetColumn<long[]>("Neighbors").Single());
    }

    [TestMethod]
    public void Vectors_without_direction_are_left_out_and_find_nothing()
    {
        Row[] rows =
        [
            new() { Name = "zero", Features = [0, 0] },
            new() { Name = "nan", Features = [float.NaN, 1] },
            new() { Name = "x", Features = [1, 0] },
            new() { Name = "infinite", Features = [float.PositiveInfinity, 1] },
            new() { Name = "y", Features = [0, 1e-30f] },
            new() { Name = "big", Features = [-3e38f, -3e38f] },
        ];
        var warnings = new List<string>();
        _mlContext.Log += (_, e) => warnings.Add(e.Message);
        using var search = Fit(rows, 5);
        Assert.AreEqual(3, search.ReferenceCount);
        Assert.IsTrue(warnings.Any(w => w.Contains("3 of 6 reference rows are left out", StringComparison.Ordinal)),
            string.Join("\n", warnings));
        Assert.IsTrue(warnings.Any(w => w.Contains("NumberOfNeighbors is 5, but there are only 3", StringComparison.Ordinal)));
        var output = search.Transform(View(
            [new() { Features = [2, 1] }, new() { Features = [0, 0] }, new() { Features = [float.NaN, 0] }, new() { Features = [0, -5] }]));
        var ids = Texts(output);
        CollectionAssert.AreEqual(new[] { "x", "y", "big", "", "" }, ids[0]);
        CollectionAssert.AreEqual(new[] { "", "", "", "", "" }, ids[1]);
        CollectionAssert.AreEqual(new[] { "", "", "", "", "" }, ids[2]);
        Assert.AreEqual("big", ids[3][0]);
        var scores = output.GetColumn<float[]>("Scores").ToArray();
        Assert.AreEqual(2 / Math.Sqrt(5), scores[0][0], 1e-6);
        Assert.AreEqual(1 / Math.Sqrt(5), scores[0][1], 1e-6);
        Assert.AreEqual(-3 / Math.Sqrt(10), scores[0][2], 1e-6);
        Assert.IsTrue(scores[1].All(float.IsNaN));
        Assert.IsTrue(scores[2].All(float.IsNaN));
    }

    [TestMethod]
    public void Ids_are_texts_key_values_or_whole_numbers()
    {
        var rows = Rows(4, 3, 5);
        var view = View(rows);
        var query = View([rows[2]]);
        Assert.AreEqual("row 2", Texts(Fit(rows, 1).Transform(query))[0][0]);
        Assert.AreEqual(2002L, First(new() { IdColumnName = "Number" }, view, query));
        Assert.AreEqual(2L, First(new(), view, query));
        var keyed = _mlContext.Transforms.Conversion.MapValueToKey("Key", "Name").Fit(view).Transform(view);
        using var byKey = new NearestNeighborsEstimator(_mlContext, new() { IdColumnName = "Key", NumberOfNeighbors = 1 }).Fit(keyed);
        Assert.AreEqual("row 2", Texts(byKey.Transform(query))[0][0]);
    }

    [TestMethod]
    public void The_schema_before_Fit_is_the_schema_after_Fit()
    {
        var view = View(Rows(20, 3, 1));
        var keyed = _mlContext.Transforms.Conversion.MapValueToKey("Key", "Name").Fit(view).Transform(view);
        foreach (var id in new[] { null, "Name", "Number", "Key" })
        {
            var estimator = new NearestNeighborsEstimator(_mlContext, new() { IdColumnName = id, NumberOfNeighbors = 4 });
            var promised = estimator.GetOutputSchema(Shape(keyed));
            using var search = estimator.Fit(keyed);
            var schema = search.GetOutputSchema(keyed.Schema);
            foreach (var name in new[] { "Neighbors", "Scores" })
            {
                var column = promised.Single(c => c.Name == name);
                Assert.AreEqual(SchemaShape.Column.VectorKind.Vector, column.Kind);
                Assert.AreEqual(((VectorDataViewType)schema[name].Type).ItemType, column.ItemType, $"{name} with ids '{id}'");
                Assert.AreEqual(4, ((VectorDataViewType)schema[name].Type).Size);
            }
        }
    }

    [TestMethod]
    public void Transform_is_lazy_and_keeps_order_and_columns()
    {
        var rows = Rows(600, 4, 6);
        using var search = Fit(rows, 1);
        var read = 0;
        IEnumerable<Row> Counted()
        {
            foreach (var row in rows)
            {
                read++;
                yield return row;
            }
        }

        var output = search.Transform(View(Counted(), 4));
        Assert.AreEqual(0, read);
        CollectionAssert.AreEqual(rows.Select(r => r.Name).ToArray(), output.GetColumn<string>("Name").ToArray());
        CollectionAssert.AreEqual(rows.Select(r => r.Name).ToArray(), Texts(output).Select(t => t[0]).ToArray());
        var together = _mlContext.Data.CreateEnumerable<Result>(output, reuseRowObject: false).ToArray();
        Assert.IsTrue(together.All(r => r.Name == r.Neighbors[0] && r.Scores[0] > 0.9999f));
        Assert.HasCount(600, together);
    }

    [TestMethod]
    public void Row_by_row_and_many_threads_agree_with_batches()
    {
        var rows = Rows(400, 8, 7);
        using var search = Fit(rows, 3);
        var queries = Rows(300, 8, 8);
        var expected = Texts(search.Transform(View(queries)));
        Parallel.For(0, 8, t =>
        {
            if (t % 2 == 0)
            {
                var actual = Texts(search.Transform(TestDevice.Context().Data.LoadFromEnumerable(queries, Definition(8))));
                Assert.IsTrue(expected.Zip(actual).All(p => p.First.SequenceEqual(p.Second)));
                return;
            }

            using var engine = TestDevice.Context().Model.CreatePredictionEngine<Row, Result>(search, new PredictionEngineOptions
            {
                InputSchemaDefinition = Definition(8), OwnsTransformer = false,
            });
            for (var i = 0; i < 100; i++)
            {
                CollectionAssert.AreEqual(expected[i], engine.Predict(queries[i]).Neighbors);
            }
        });
    }

    [TestMethod]
    [DataRow(true, 1)]
    [DataRow(true, 5)]
    [DataRow(false, 10)]
    public void A_saved_search_finds_the_same(bool textIds, int k)
    {
        var rows = Rows(50, 6, 9);
        using var search = Fit(rows, k, textIds ? "Name" : null);
        var queries = View(Rows(30, 6, 10));
        using var stream = new MemoryStream();
        _mlContext.Model.Save(search, queries.Schema, stream);
        stream.Position = 0;
        using var loaded = (NearestNeighborsTransformer)TestDevice.Context().Model.Load(stream, out _);
        AssertSame(search.Transform(queries), loaded.Transform(queries));
        Assert.AreEqual(search.ReferenceCount, loaded.ReferenceCount);
    }

    [TestMethod]
    public void Bad_options_are_named_together()
    {
        var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new NearestNeighborsEstimator(_mlContext, new()
        {
            NumberOfNeighbors = 0, InputColumnName = " ", NeighborsColumnName = "Scores",
        }));
        StringAssert.Contains(e.Message, "NumberOfNeighbors must be between 1 and 1023, got 0.");
        StringAssert.Contains(e.Message, "InputColumnName must not be empty");
        StringAssert.Contains(e.Message, "ScoresColumnName must differ from NeighborsColumnName");
    }

    [TestMethod]
    public void Options_are_taken_when_the_estimator_is_made()
    {
        var options = new NearestNeighborsEstimator.Options { NumberOfNeighbors = 2, InputColumnName = "Features" };
        var estimator = new NearestNeighborsEstimator(_mlContext, options);
        options.NumberOfNeighbors = 7;
        options.InputColumnName = "Gone";
        using var search = estimator.Fit(View(Rows(5, 3, 1)));
        Assert.AreEqual(2, search.NumberOfNeighbors);
        Assert.AreEqual("Features", search.InputColumnName);
    }

    [TestMethod]
    public void Bad_columns_are_refused_in_ML_NETs_words()
    {
        var view = View(Rows(5, 3, 1));
        void Refused(string expected, NearestNeighborsEstimator.Options options)
        {
            var estimator = new NearestNeighborsEstimator(_mlContext, options);
            StringAssert.StartsWith(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => estimator.Fit(view)).Message, expected);
            StringAssert.StartsWith(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => estimator.GetOutputSchema(Shape(view)))
                .Message, expected);
        }

        Refused("Could not find input column 'Missing'", new() { InputColumnName = "Missing" });
        Refused("Could not find id column 'Missing'", new() { IdColumnName = "Missing" });
        Refused("Schema mismatch for input column 'Name': expected Vector<Single>, got String", new() { InputColumnName = "Name" });
        Refused("Schema mismatch for id column 'Features': expected String, Key or a whole number, got Vector<Single",
            new() { IdColumnName = "Features" });

        using var search = Fit(Rows(5, 3, 1), 1);
        var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => search.Transform(View(Rows(5, 4, 1))));
        StringAssert.Contains(e.Message, "expected Vector<Single, 3>, got Vector<Single, 4>");
    }

    [TestMethod]
    public void No_references_is_an_error()
    {
        var estimator = new NearestNeighborsEstimator(_mlContext, new());
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => estimator.Fit(View([], 3)))
            .Message, "no reference rows");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => estimator.Fit(View([new() { Features = [0, 0, 0] }])))
            .Message, "None of the 1 vectors");
    }

    [TestMethod]
    public void No_tensors_are_left_behind_and_a_disposed_search_says_so()
    {
        var rows = Rows(100, 5, 1);
        Fit(rows, 2).Dispose();
        var before = TorchSharp.torch.Tensor.TotalCount;
        var search = Fit(rows, 2);
        Texts(search.Transform(View(rows)));
        search.Dispose();
        // Fewer where tensors of an earlier test met their finalizer meanwhile.
        Assert.IsLessThanOrEqualTo(before, TorchSharp.torch.Tensor.TotalCount);
        Assert.ThrowsExactly<ObjectDisposedException>(() => search.Transform(View(rows)));
    }

    private long First(NearestNeighborsEstimator.Options options, IDataView references, IDataView query)
    {
        using var search = new NearestNeighborsEstimator(_mlContext, options).Fit(references);
        return search.Transform(query).GetColumn<long[]>("Neighbors").Single()[0];
    }

    private NearestNeighborsTransformer Fit(Row[] rows, int k, string? idColumn = "Name") =>
        new NearestNeighborsEstimator(_mlContext, new() { IdColumnName = idColumn, NumberOfNeighbors = k }).Fit(View(rows));

    private static NearestNeighborsTransformer InBlocks(Row[] rows, int k, int blockRows)
    {
        using var builder = new VectorIndexBuilder(rows[0].Features.Length, blockRows);
        foreach (var row in rows)
        {
            Assert.IsTrue(builder.Add(row.Features));
        }

        return new(new NearestNeighborIndex(builder.Build(TorchSharp.torch.CPU), new NeighborIds.TextIds([.. rows.Select(r => r.Name)]),
            new("Features", "Neighbors", "Scores", k)));
    }

    // The shape of a view's schema, as the first stage of a chain would see it.
    private SchemaShape Shape(IDataView view)
    {
        var probe = new ShapeProbe();
        Assert.ThrowsExactly<OperationCanceledException>(() => _mlContext.Transforms.CopyColumns("Copy", "Name").Append(probe).Fit(view));
        return new SchemaShape(probe.Seen!.Where(c => c.Name != "Copy"));
    }

    private IDataView View(IEnumerable<Row> rows, int? dimension = null) =>
        _mlContext.Data.LoadFromEnumerable(rows, Definition(dimension ?? rows.First().Features.Length));

    private static SchemaDefinition Definition(int dimension)
    {
        var definition = SchemaDefinition.Create(typeof(Row));
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimension);
        return definition;
    }

    private static Row[] Rows(int count, int dimension, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Row
        {
            Name = $"row {i}",
            Number = 1000 * i + 2,
            Features = [.. Enumerable.Range(0, dimension).Select(_ => random.NextSingle() * 4 - 2)],
        })];
    }

    private static double Cosine(float[] a, float[] b)
    {
        double dot = 0, first = 0, second = 0;
        for (var i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            first += (double)a[i] * a[i];
            second += (double)b[i] * b[i];
        }

        return dot / Math.Sqrt(first) / Math.Sqrt(second);
    }

    private static string[][] Texts(IDataView view) =>
        [.. view.GetColumn<ReadOnlyMemory<char>[]>("Neighbors").Select(v => v.Select(t => t.ToString()).ToArray())];

    private static void AssertSame(IDataView expected, IDataView actual)
    {
        var (type, other) = (expected.Schema["Neighbors"].Type, actual.Schema["Neighbors"].Type);
        Assert.AreEqual(type.ToString(), other.ToString());
        if (((VectorDataViewType)type).ItemType is TextDataViewType)
        {
            CollectionAssert.AreEqual(Texts(expected).SelectMany(v => v).ToArray(), Texts(actual).SelectMany(v => v).ToArray());
        }
        else
        {
            CollectionAssert.AreEqual(expected.GetColumn<long[]>("Neighbors").SelectMany(v => v).ToArray(),
                actual.GetColumn<long[]>("Neighbors").SelectMany(v => v).ToArray());
        }

        foreach (var (a, b) in expected.GetColumn<float[]>("Scores").SelectMany(v => v)
            .Zip(actual.GetColumn<float[]>("Scores").SelectMany(v => v)))
        {
            Assert.AreEqual(a, b, 1e-6f);
        }
    }

    private sealed class Row
    {
        public string Name { get; set; } = "";

        public int Number { get; set; }

        public float[] Features { get; set; } = [];
    }

    private sealed class Result
    {
        public string Name { get; set; } = "";

        public string[] Neighbors { get; set; } = [];

        public float[] Scores { get; set; } = [];
    }

    private sealed class ShapeProbe : IEstimator<ITransformer>
    {
        public SchemaShape? Seen { get; private set; }

        public ITransformer Fit(IDataView input) => throw new OperationCanceledException();

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            Seen = inputSchema;
            return inputSchema;
        }
    }
}
