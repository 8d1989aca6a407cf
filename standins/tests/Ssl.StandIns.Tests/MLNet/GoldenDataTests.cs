using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Ssl.StandIns.Tests.MLNet;

/// <summary>Views, splits and shuffling against the recorded facts.</summary>
[TestClass]
public sealed class GoldenDataTests
{
    private static int[] Ids(IDataView data) => [.. data.GetColumn<int>("Id")];

    [TestMethod]
    public void FixtureIsTheRecordedOne()
    {
        var rows = Row.Fixture();
        Golden.Check("00.fixture.A", rows.Select(row => row.A));
        Golden.Check("00.fixture.B", rows.Select(row => row.B));
        Golden.Check("00.fixture.C", rows.Select(row => row.C));
        Golden.Check("00.fixture.Cat", rows.Select(row => row.Cat));
        Golden.Check("00.fixture.Bin", rows.Select(row => row.Bin));
        Golden.Check("00.fixture.Label", rows.Select(row => row.Label));
        Golden.Check("00.fixture.schema(LoadFromEnumerable)", Golden.Schema(Row.Data(new MLContext()).Schema));
    }

    [TestMethod]
    public void ConcatenateHidesAnEarlierColumn()
    {
        var context = new MLContext(42);
        var data = Row.Data(context);
        var result = context.Transforms.Concatenate("A", "A", "B").Fit(data).Transform(data);
        Golden.Check("07.Concatenate onto an existing name: schema (hiding)", Golden.Schema(result.Schema));
    }

    [TestMethod]
    public void SelectAndDropColumns()
    {
        var context = new MLContext(42);
        var data = Row.Data(context);
        Golden.Check(
            "07.SelectColumns(A,Label) columns",
            context.Transforms.SelectColumns("A", "Label").Fit(data).Transform(data).Schema.Select(column => column.Name));
        Golden.Check(
            "07.DropColumns(V,Id) columns",
            context.Transforms.DropColumns("V", "Id").Fit(data).Transform(data).Schema.Select(column => column.Name));
    }

    [TestMethod]
    [DataRow(42, null)]
    [DataRow(42, 5)]
    [DataRow(1, null)]
    [DataRow(1, 5)]
    [DataRow(null, 5)]
    public void TrainTestSplit(int? contextSeed, int? seed)
    {
        var context = new MLContext(contextSeed);
        var data = Row.Data(context);
        var (outer, inner) = (contextSeed?.ToString() ?? "null", seed?.ToString() ?? "null");
        var split = context.Data.TrainTestSplit(data, 0.2, seed: seed);
        Golden.Check($"08.TrainTestSplit(MLContext seed={outer}, 0.2, seed={inner}) test ids", Ids(split.TestSet));
        CollectionAssert.AreEqual(Ids(split.TestSet), Ids(context.Data.TrainTestSplit(data, 0.2, seed: seed).TestSet));
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 30).ToArray(), Ids(split.TrainSet).Concat(Ids(split.TestSet)).ToArray());
        Golden.Check("08.TrainTestSplit columns of TrainSet", split.TrainSet.Schema.Select(column => column.Name));
    }

    [TestMethod]
    public void SplitsByKeyAndFolds()
    {
        var context = new MLContext(42);
        var data = Row.Data(context);
        var split = context.Data.TrainTestSplit(data, 0.4, "Cat", 5);
        Golden.Check("08.TrainTestSplit(seed=5,samplingKey=Cat,0.4) test cats", split.TestSet.GetColumn<string>("Cat").Distinct());
        Golden.Check(
            "08.CrossValidationSplit(3,seed=5) test ids per fold",
            context.Data.CrossValidationSplit(data, 3, seed: 5).Select(fold => Ids(fold.TestSet)));
        var errors = new[] { 0, 1, 1.5 }.Select(fraction => Golden.ErrorOf(() => context.Data.TrainTestSplit(data, fraction)));
        Golden.Check("08.TrainTestSplit fraction errors", errors);
    }

    [TestMethod]
    [DataRow(1000, true)]
    [DataRow(1000, false)]
    [DataRow(4, false)]
    public void ShuffleRows(int pool, bool source)
    {
        var context = new MLContext(42);
        var shuffled = context.Data.ShuffleRows(Row.Data(context), 5, pool, source);
        Golden.Check($"09.ShuffleRows(seed=5,pool={pool},shuffleSource={source}) MLContext 42, ids", Ids(shuffled));
        CollectionAssert.AreEqual(Ids(shuffled), Ids(shuffled));
        Assert.IsTrue(shuffled.CanShuffle);
    }

    [TestMethod]
    public void EnumerableViews()
    {
        var context = new MLContext(42);
        var rows = Row.Fixture();
        var list = context.Data.LoadFromEnumerable(rows);
        var stream = context.Data.LoadFromEnumerable(rows.Where(row => row.Id >= 0));
        Golden.Check("09.LoadFromEnumerable over array: CanShuffle / over iterator", new[] { list.CanShuffle, stream.CanShuffle });
        Golden.Check("09.GetRowCount array / iterator", new object?[] { list.GetRowCount(), stream.GetRowCount() });
        var seen = new List<int>();
        using (var cursor = list.GetRowCursor(list.Schema, new Random(3)))
        {
            var get = cursor.GetGetter<int>(list.Schema["Id"]);
            var id = 0;
            while (cursor.MoveNext())
            {
                get(ref id);
                seen.Add(id);
            }
        }

        Golden.Check("09.GetRowCursor(rand=new Random(3)) over list-backed view, ids", seen);
        Golden.Check(
            "09.TakeRows(3)/SkipRows(27) ids",
            new[] { Ids(context.Data.TakeRows(list, 3)), Ids(context.Data.SkipRows(list, 27)) });
    }

    [TestMethod]
    public void HostRandomness()
    {
        static IHost Host(MLContext context, string name, int? seed = null) => ((IHostEnvironment)context).Register(name, seed);
        static double[] Take(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextDouble())];
        Golden.Check("09.IHost.Rand: MLContext(42).Register(\"X\").Rand first 5 NextDouble", Take(Host(new MLContext(42), "X").Rand, 5));
        Golden.Check("09.IHost.Rand: MLContext(42).Register(\"Y\").Rand first 3 NextDouble", Take(Host(new MLContext(42), "Y").Rand, 3));
        Golden.Check("09.IHost.Rand: Register(\"X\", seed: 5).Rand first 2", Take(Host(new MLContext(42), "X", 5).Rand, 2));
        Golden.Check("09.IHost.Rand type", Host(new MLContext(42), "X").Rand.GetType().FullName);
        var shared = new MLContext(42);
        Golden.Check(
            "09.IHost.Rand: same MLContext(42), 3 successive Register(\"X\").Rand.NextDouble() (order dependent)",
            Enumerable.Range(0, 3).Select(_ => Host(shared, "X").Rand.NextDouble()));
        Assert.AreNotEqual(Host(new MLContext(), "X").Rand.NextDouble(), Host(new MLContext(), "X").Rand.NextDouble());
    }

    [TestMethod]
    public void MissingValuesAreFilteredOut()
    {
        var context = new MLContext(42);
        Golden.Check("04.FilterRowsByMissingValues(C) kept ids", Ids(context.Data.FilterRowsByMissingValues(Row.Data(context), "C")));
        CollectionAssert.AreEqual(
            Row.Fixture().Where(row => row.A >= 0 && row.A < 2).Select(row => row.Id).ToArray(),
            Ids(context.Data.FilterRowsByColumn(Row.Data(context), "A", 0, 2)));
    }
}
