using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet;

namespace Ssl.Extensions.VectorData.Tests;

/// <summary>What is written, how, and what is refused before anything is.</summary>
[TestClass]
public sealed class ToVectorStoreTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    public async Task Rows_go_in_batches_with_progress()
    {
        var collection = Memory();
        var progress = new Reports();
        var written = await Ssl.ToVectorStoreAsync(Row.View(_mlContext, Row.MakeUp(250, 1)), collection, new ToVectorStoreOptions { BatchSize = 100, Progress = progress });
        Assert.AreEqual(250, written);
        CollectionAssert.AreEqual(new[] { 100, 100, 50 }, collection.Batches);
        CollectionAssert.AreEqual(new long[] { 100, 200, 250 }, progress.Values);
        Assert.AreEqual("own", collection.Records[10].Note);
        Assert.IsNull(collection.Records[40].Price);
        Assert.AreEqual(.25f, collection.Records[10].Price);
    }

    [TestMethod]
    public async Task Cancellation_and_faults_end_it_after_whole_batches()
    {
        var collection = Memory();
        using var source = new CancellationTokenSource();
        var options = new ToVectorStoreOptions { BatchSize = 10, Progress = new Reports(rows => { if (rows == 20) source.Cancel(); }) };
        await Assert.ThrowsAsync<OperationCanceledException>(() => Ssl.ToVectorStoreAsync(Row.View(_mlContext, Row.MakeUp(100, 1)), collection, options, source.Token));
        Assert.HasCount(20, collection.Records);

        var faulty = Memory();
        faulty.Fault = new VectorStoreException("full");
        Assert.AreEqual("full", Assert.ThrowsExactly<VectorStoreException>(() =>
            Ssl.ToVectorStore(Row.View(_mlContext, Row.MakeUp(100, 1)), faulty, new ToVectorStoreOptions { BatchSize = 10 })).Message);
        Assert.HasCount(10, faulty.Records);

        var rows = Row.MakeUp(30, 1);
        rows[25].Features[3] = float.NaN;
        var unfit = Memory();
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Ssl.ToVectorStore(Row.View(_mlContext, rows), unfit, new ToVectorStoreOptions { BatchSize = 10 })).Message,
            "The first is row 25 (rows and slots count from 0): slot 3 of column 'Features' is NaN");
        Assert.HasCount(20, unfit.Records);
    }

    [TestMethod]
    public void All_schema_faults_are_named_before_anything_is_written()
    {
        var collection = Memory();
        var view = _mlContext.Transforms.DropColumns("Team").Append(_mlContext.Transforms.CopyColumns("Price", "Name"))
            .Append(_mlContext.Transforms.Concatenate("Features", "Features", "Features")).Fit(Row.View(_mlContext, Row.MakeUp(5, 1)))
            .Transform(Row.View(_mlContext, Row.MakeUp(5, 1)));
        var message = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ssl.ToVectorStore(view, collection, new ToVectorStoreOptions { KeyColumnName = "Id" })).Message;
        StringAssert.Contains(message, "Could not find key column 'Id'");
        StringAssert.Contains(message, "Could not find data column 'Team'");
        StringAssert.Contains(message, "Schema mismatch for data column 'Price': expected Single, or what fits into it, got String.");
        StringAssert.Contains(message, "Schema mismatch for input column 'Features': expected Vector<Single, 12>, got Vector<Single, 24>");
        Assert.IsFalse(collection.Exists);

        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ssl.ToVectorStore(view, collection, new ToVectorStoreOptions { BatchSize = 0, InputColumnName = " " }))
            .Message, "InputColumnName must not be empty, got \" \". BatchSize must be at least 1, got 0.");
        StringAssert.Contains(Refused(new ToVectorStoreOptions { OmittedPropertyNames = ["Gone"] }), "no property 'Gone'");
        StringAssert.Contains(Refused(new ToVectorStoreOptions { OmittedPropertyNames = ["Number"] }), "is the key");
        StringAssert.Contains(Refused(new ToVectorStoreOptions { VectorPropertyName = "Gone" }), "Vectors there: 'Features'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ssl.ToVectorStore(view, new MemoryCollection<object, Dictionary<string, object?>>(_ => 1))).Message, "Definition");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ssl.ToVectorStore(view, new MemoryCollection<string, Reports>(_ => ""))).Message, "put [VectorStoreKey]");
        Assert.IsFalse(collection.Exists);

        string Refused(ToVectorStoreOptions options) => Assert.ThrowsExactly<ArgumentException>(() => Ssl.ToVectorStore(view, collection, options)).Message;
    }

    [TestMethod]
    public void Omitted_properties_need_no_column()
    {
        var collection = Memory();
        var view = _mlContext.Transforms.DropColumns("Team").Fit(Row.View(_mlContext, Row.MakeUp(5, 1))).Transform(Row.View(_mlContext, Row.MakeUp(5, 1)));
        Ssl.ToVectorStore(view, collection, new ToVectorStoreOptions { OmittedPropertyNames = ["Team"] });
        Assert.AreEqual("", collection.Records[0].Team);
    }

    [TestMethod]
    public void Values_take_the_types_of_the_record_and_come_back()
    {
        var collection = new MemoryCollection<Guid, TypesRecord>(record => record.Id);
        var id = new Guid("0f8fad5b-d9cb-469f-a165-70867728950e");
        var rows = _mlContext.Data.LoadFromEnumerable(new[]
        {
            new Typed { Id = id.ToString(), Price = 1.5f, Count = 7, Team = "b", When = new DateTime(2026, 1, 2), Tags = ["x", "y"], Codes = [3, 4], First = [1, 2], Second = [3, 4, 5] },
            new Typed { Id = Guid.Empty.ToString(), Price = float.NaN, Count = ushort.MaxValue, Team = "a", First = [1, 2], Second = [3, 4, 5] },
        });
        var keyed = _mlContext.Transforms.Conversion.MapValueToKey("Team").Fit(rows).Transform(rows);
        Ssl.ToVectorStore(keyed, collection);
        var record = collection.Records[id];
        Assert.AreEqual((1.5, 7L, "b", new DateTime(2026, 1, 2)), (record.Price, record.Count, record.Team, record.When));
        CollectionAssert.AreEqual(new[] { "x", "y" }, record.Tags);
        CollectionAssert.AreEqual(new[] { 3, 4 }, record.Codes);
        CollectionAssert.AreEqual(new float[] { 1, 2 }, record.First);
        CollectionAssert.AreEqual(new float[] { 3, 4, 5 }, record.Second!.Vector.ToArray());
        Assert.IsTrue(double.IsNaN(collection.Records[Guid.Empty].Price));

        collection.Records[Guid.Empty].Count = null;
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ssl.FromVectorStore(collection)).Message, "'Codes' is System.Int32[]");
        var definition = new VectorStoreCollectionDefinition
        {
            Properties = [new VectorStoreKeyProperty("Id", typeof(Guid)), new VectorStoreDataProperty("Count", typeof(long?)), new VectorStoreDataProperty("Tags", typeof(List<string>)),
                new VectorStoreDataProperty("When", typeof(DateTime)), new VectorStoreVectorProperty("Second", 3)],
        };
        var back = Ssl.FromVectorStore(collection, new FromVectorStoreOptions<TypesRecord> { Definition = definition });
        CollectionAssert.AreEqual(new[] { Guid.Empty.ToString(), id.ToString() }, back.GetColumn<string>("Id").ToArray());
        CollectionAssert.AreEqual(new[] { double.NaN, 7 }, back.GetColumn<double>("Count").ToArray());
        CollectionAssert.AreEqual(new[] { "x", "y" }, back.GetColumn<string[]>("Tags").Last());
        CollectionAssert.AreEqual(new float[] { 3, 4, 5 }, back.GetColumn<float[]>("Second").Last());
        Assert.AreEqual(new DateTime(2026, 1, 2), back.GetColumn<DateTime>("When").Last());
        record.Second = new(new float[] { 1 });
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => back.GetColumn<float[]>("Second").ToArray()).Message, "a vector of 1 values as 'Second', where 3");
    }

    [TestMethod]
    public void Narrower_properties_are_refused()
    {
        var rows = _mlContext.Data.LoadFromEnumerable(new[] { new Typed { Id = "no guid", First = [1, 2], Second = [1, 2, 3] } });
        var wide = _mlContext.Transforms.Conversion.ConvertType("Count", outputKind: DataKind.UInt64).Append(_mlContext.Transforms.CopyColumns("Price", "Wide"))
            .Fit(rows).Transform(rows);
        var message = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ssl.ToVectorStore(wide, new MemoryCollection<Guid, TypesRecord>(record => record.Id))).Message;
        StringAssert.Contains(message, "data column 'Price': expected Double, or what fits into it, got Int64");
        StringAssert.Contains(message, "data column 'Count': expected Int64, or what fits into it, got UInt64");
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Ssl.ToVectorStore(rows, new MemoryCollection<Guid, TypesRecord>(record => record.Id))).Message, "'no guid' in column 'Id' is no Guid");
    }

    [TestMethod]
    [DataRow(250, 100, 3)]
    [DataRow(200, 100, 3)]
    [DataRow(99, 100, 1)]
    [DataRow(0, 100, 1)]
    public void Records_are_read_page_after_page_in_every_pass(int count, int pageSize, int pages)
    {
        var collection = Memory();
        Ssl.ToVectorStore(Row.View(_mlContext, Row.MakeUp(count, 1).Reverse()), collection);
        var view = Ssl.FromVectorStore(collection, new FromVectorStoreOptions<RowRecord> { PageSize = pageSize });
        Assert.IsEmpty(collection.Pages);
        Assert.IsNull(view.GetRowCount());
        for (var pass = 1; pass <= 2; pass++)
        {
            CollectionAssert.AreEqual(Enumerable.Range(0, count).Select(i => 10L * i).ToArray(), view.GetColumn<long>("Number").ToArray());
            Assert.HasCount(pass * pages, collection.Pages);
        }
        using var cursor = view.GetRowCursor([view.Schema["Number"]]);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => cursor.GetGetter<bool>(view.Schema["IsOpen"]));
        Assert.ThrowsExactly<InvalidOperationException>(() => cursor.GetGetter<int>(view.Schema["Number"]));
    }

    [TestMethod]
    public void A_search_must_know_what_scores_are()
    {
        var collection = new MemoryCollection<Guid, TypesRecord>(record => record.Id);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ssl.NearestNeighbors(collection)).Message, "VectorPropertyName must say which is meant");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Ssl.NearestNeighbors(collection, new VectorStoreSearchOptions<TypesRecord> { VectorPropertyName = "First" })).Message,
            "Nothing says what the scores of the store are");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ssl.NearestNeighbors(Memory(), new VectorStoreSearchOptions<RowRecord>
        {
            NumberOfNeighbors = 0, ScoresColumnName = "Neighbors",
        })).Message, "NumberOfNeighbors must be between 1 and 1023, got 0. ScoresColumnName must differ");
        var estimator = Ssl.NearestNeighbors(Memory());
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => estimator.Fit(_mlContext.Data.LoadFromEnumerable(new[] { new Typed { First = [1, 2] } }))).Message,
            "Could not find input column 'Features'");
    }

    [TestMethod]
    public void A_definition_follows_from_the_columns()
    {
        var view = Row.View(_mlContext, Row.MakeUp(3, 1));
        var definition = Ssl.VectorStoreDefinition(view.Schema, "Number", indexedColumnNames: ["Team"]);
        CollectionAssert.AreEqual(new[] { "Number Int64", "Name String", "Team String", "IsOpen Boolean", "Price Nullable`1", "Features ReadOnlyMemory`1" },
            definition.Properties.Select(property => $"{property.Name} {property.Type!.Name}").ToArray());
        Assert.IsTrue(definition.Properties.OfType<VectorStoreDataProperty>().Single(property => property.Name == "Team").IsIndexed);
        var vector = definition.Properties.OfType<VectorStoreVectorProperty>().Single();
        Assert.AreEqual((Row.Dimension, DistanceFunction.CosineSimilarity), (vector.Dimensions, vector.DistanceFunction));
        var message = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Ssl.VectorStoreDefinition(view.Schema, "Price", "Name", indexedColumnNames: ["Gone"])).Message;
        StringAssert.Contains(message, "Could not find indexed column 'Gone'");
        StringAssert.Contains(message, "Schema mismatch for key column 'Price': expected String or a whole number, got Single");
        StringAssert.Contains(message, "Schema mismatch for input column 'Name': expected Vector<Single>, got String");
        StringAssert.Contains(message, "Schema mismatch for data column 'Features'");
    }

    private SelfSupervisedCatalog Ssl => _mlContext.SelfSupervised();

    private static MemoryCollection<long, RowRecord> Memory() => new(record => record.Number);

    // IProgress at once, on the thread that writes.
    private sealed class Reports(Action<long>? then = null) : IProgress<long>
    {
        public Reports() : this(null)
        {
        }

        public List<long> Values { get; } = [];

        public void Report(long value)
        {
            Values.Add(value);
            then?.Invoke(value);
        }
    }

    private sealed class Typed
    {
        public string Id { get; set; } = "";

        public float Price { get; set; }

        public long Wide { get; set; }

        public ushort Count { get; set; }

        public string Team { get; set; } = "";

        public DateTime When { get; set; }

        public string[] Tags { get; set; } = [];

        public int[] Codes { get; set; } = [];

        [VectorType(2)]
        public float[] First { get; set; } = [];

        [VectorType(3)]
        public float[] Second { get; set; } = [];
    }
}
