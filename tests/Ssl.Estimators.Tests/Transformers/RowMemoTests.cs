using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Tests.Transformers;

/// <summary>Rows are computed once, however often a view is read, and never get another row's numbers.</summary>
[TestClass]
public sealed class RowMemoTests
{
    private const int Rows = 700;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    [DataRow("enumerable")]
    [DataRow("file")]
    [DataRow("shuffled")]
    [DataRow("cached")]
    [DataRow("filtered")]
    [DataRow("split")]
    [DataRow("bootstrap")]
    public void EachRowIsComputedOnceOverManyPasses(string kind)
    {
        using var file = new RowFile();
        var input = Input(kind, file.Path);
        var times = new Times();
        var view = View(input, times);
        var first = Read(view);
        Assert.IsGreaterThan(50, first.Count);
        Assert.AreEqual(first.Count, times.Computed);
        for (var pass = 0; pass < 5; pass++)
            CollectionAssert.AreEqual(first, Read(view));
        // Another order, where the rows can have one, and cursors that come as a set.
        for (var seed = 0; seed < 3; seed++)
            CollectionAssert.AreEquivalent(first, Read(view, new Random(seed)));
        foreach (var cursor in view.GetRowCursorSet([view.Schema["X"], view.Schema["Features"]], 4))
            CollectionAssert.AreEqual(first, Read(cursor));
        Assert.AreEqual(first.Count, times.Computed, "rows computed in ten passes");
    }

    [TestMethod]
    public void AShuffledFirstPassKeepsToo()
    {
        var times = new Times();
        var view = View(Input("cached", ""), times);
        var first = Read(view, new Random(1));
        CollectionAssert.AreNotEqual(first, Read(view));
        CollectionAssert.AreEquivalent(first, Read(view, new Random(2)));
        Assert.AreEqual(Rows, times.Computed);
    }

    [TestMethod]
    public void WhatAnEarlierPassHadReadBeforeItWasLeftIsNotComputedAgain()
    {
        var times = new Times();
        var view = View(Input("enumerable", ""), times);
        Read(view, rows: 10);
        Read(view, rows: 300);
        Read(view);
        Read(view);
        Assert.AreEqual(Rows, times.Computed);
    }

    [TestMethod]
    public void ARowThatIsKeptIsNotReadAndItsOtherColumnsAre()
    {
        var read = 0;
        var input = _mlContext.Transforms.CustomMapping<Row, Made>((row, made) =>
        {
            Interlocked.Increment(ref read);
            made.Made1 = row.X;
        }, null).Fit(Input("enumerable", "")).Transform(Input("enumerable", ""));
        var view = View(input, new Times(), "Made1");
        for (var pass = 0; pass < 4; pass++)
            Read(view);
        Assert.AreEqual(Rows, read, "times that the input column was made");
        CollectionAssert.AreEqual(Enumerable.Range(0, Rows).Select(i => (float)i).ToArray(), view.GetColumn<float>("X").ToArray());
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(7)]
    [DataRow(600)]
    public void IdsThatComeTwiceAreNotBelieved(int differentIds)
    {
        foreach (var reorders in new[] { false, true })
        {
            var input = new IdView(Input("enumerable", ""), i => i % differentIds, reorders);
            var view = View(input, new Times());
            // Left early, then whole, then in other orders: numbers must be the row's own every time.
            Read(view, rows: 1);
            Read(view, rows: Math.Min(300, differentIds));
            for (var pass = 0; pass < 4; pass++)
            {
                Assert.HasCount(Rows, Read(view));
                Assert.HasCount(Rows, Read(view, new Random(pass)));
            }
        }
    }

    [TestMethod]
    public void IdsThatChangeFromPassToPassCostTimeOnly()
    {
        var pass = 0;
        var view = View(new IdView(Input("enumerable", ""), i => i + 10_000 * pass, reorders: false), new Times());
        for (; pass < 4; pass++)
            Assert.HasCount(Rows, Read(view));
    }

    [TestMethod]
    public async Task SeveralCursorsAtOnceGetTheSameNumbers()
    {
        var view = View(Input("cached", ""), new Times());
        var passes = Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            for (var pass = 0; pass < 5; pass++)
                Assert.HasCount(Rows, Read(view, i % 2 == 0 ? null : new Random(i)));
        }));
        await Task.WhenAll(passes);
    }

    [TestMethod]
    public void BeyondTheLimitTheFirstRowsAreKeptAndOneWarningSaysWhatToDo()
    {
        const int Width = 2000;                                                     // 8,064 bytes a row: 130 rows a megabyte
        var warnings = Warnings();
        var settings = ScoringSettings.Of(_mlContext);
        settings.MemoryLimit = 1;
        var times = new Times();
        var view = View(Input("enumerable", ""), times, width: Width);
        Read(view);
        Assert.IsEmpty(warnings, "one pass costs nothing");
        for (var pass = 0; pass < 4; pass++)
            Read(view);
        Assert.HasCount(1, warnings);
        StringAssert.Contains(warnings[0], "EmbeddingMemoryLimit");
        StringAssert.Contains(warnings[0], "AppendCacheCheckpoint");
        StringAssert.Contains(warnings[0], "130 rows");
        Assert.AreEqual(Rows + 4 * (Rows - 130), times.Computed);

        settings.MemoryLimit = 0;
        times = new Times();
        view = View(Input("enumerable", ""), times, width: Width);
        Read(view);
        Read(view);
        Assert.AreEqual(2 * Rows, times.Computed);
        Assert.HasCount(1, warnings);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => settings.MemoryLimit = -1);
    }

    [TestMethod]
    public void WhatIsKeptGoesWithTheView()
    {
        var before = Settled();
        KeepMuch(out var kept);
        Assert.IsGreaterThan(before + (4 << 20), kept, "5.6 MB are kept while the view is there");
        Assert.IsLessThan(before + (1 << 20), Settled());

        void KeepMuch(out long after)
        {
            var view = View(Input("enumerable", ""), new Times(), width: 2000);
            Read(view);
            after = Settled();
            Read(view);
        }

        // What other tests left behind finalizers goes with the collection after those.
        static long Settled()
        {
            for (var i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }

    private EncodedDataView View(IDataView input, Times times, string column = "X", int width = 2)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input.Schema);
        schema.AddColumn("Features", new VectorDataViewType(NumberDataViewType.Single, width));
        return new EncodedDataView(input, schema.ToSchema(), new Computation(times, column, width), 256, ScoringSettings.Of(_mlContext));
    }

    private IDataView Input(string kind, string path)
    {
        var rows = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, Rows).Select(i => new Row { X = i }).ToArray());
        return kind switch
        {
            "file" => _mlContext.Data.LoadFromTextFile<Row>(path),
            "shuffled" => _mlContext.Data.ShuffleRows(rows, seed: 3),
            "cached" => _mlContext.Data.Cache(rows),
            "filtered" => _mlContext.Data.TakeRows(_mlContext.Data.FilterRowsByColumn(rows, "X", 100, 500), 300),
            "split" => _mlContext.Data.CrossValidationSplit(rows, 3)[1].TestSet,
            "bootstrap" => _mlContext.Data.BootstrapSample(rows, seed: 2),
            _ => rows,
        };
    }

    private List<string> Warnings()
    {
        var warnings = new List<string>();
        _mlContext.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.Message);
        };
        return warnings;
    }

    // Reads a pass, each row's numbers checked against its own column; gives X in the order of the pass.
    private static List<float> Read(IDataView view, Random? rand = null, int rows = int.MaxValue)
        => Read(view.GetRowCursor([view.Schema["X"], view.Schema["Features"]], rand), rows);

    private static List<float> Read(DataViewRowCursor cursor, int rows = int.MaxValue)
    {
        var read = new List<float>();
        using (cursor)
        {
            var x = cursor.GetGetter<float>(cursor.Schema["X"]);
            var features = cursor.GetGetter<VBuffer<float>>(cursor.Schema["Features"]);
            VBuffer<float> numbers = default;
            float value = 0;
            while (read.Count < rows && cursor.MoveNext())
            {
                x(ref value);
                features(ref numbers);
                Assert.AreEqual(3 * value, numbers.GetValues()[0], "another row's numbers");
                read.Add(value);
            }
        }
        return read;
    }

    private sealed class Row
    {
        [LoadColumn(0)]
        public float X { get; set; }
    }

    private sealed class Made
    {
        public float Made1 { get; set; }
    }

    private sealed class Times
    {
        public int Computed;
    }

    private sealed class Computation(Times times, string column, int width) : RowComputation
    {
        public override IReadOnlyList<string> InputColumns => [column];

        public override int Width => width;

        public override void Compute(RowBatch rows, Span<float> results)
        {
            Interlocked.Add(ref times.Computed, rows.Count);
            for (var i = 0; i < rows.Count; i++)
                results[i * width] = 3 * (float)rows.Rows[i].Numbers.Span[0];
        }

        public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => VectorGetter(row);
    }

    private sealed class RowFile : IDisposable
    {
        public RowFile() => File.WriteAllLines(Path, Enumerable.Range(0, Rows).Select(i => $"{i}"));

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }

    /// <summary>Other ids, and where asked for another order in each pass, as a view may have that shuffles by itself.</summary>
    private sealed class IdView(IDataView input, Func<long, long> id, bool reorders) : IDataView
    {
        private int _passes;

        public DataViewSchema Schema => input.Schema;

        public bool CanShuffle => reorders;

        public long? GetRowCount() => input.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        {
            var order = Enumerable.Range(0, Rows).ToArray();
            if (reorders)
                new Random(_passes++).Shuffle(order);
            return new Cursor(Schema, order, id);
        }

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
            => [GetRowCursor(columnsNeeded, rand)];

        private sealed class Cursor(DataViewSchema schema, int[] order, Func<long, long> id) : DataViewRowCursor
        {
            private long _position = -1;

            public override DataViewSchema Schema => schema;

            public override long Position => _position;

            public override long Batch => 0;

            public override bool IsColumnActive(DataViewSchema.Column column) => true;

            public override bool MoveNext()
            {
                _position = _position + 1 < order.Length ? _position + 1 : -1;
                return _position >= 0;
            }

            public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
                => (ValueGetter<TValue>)(Delegate)(ValueGetter<float>)((ref float value) => value = order[_position]);

            public override ValueGetter<DataViewRowId> GetIdGetter()
                => (ref DataViewRowId value) => value = new DataViewRowId((ulong)id(order[_position]), 0);
        }
    }
}
