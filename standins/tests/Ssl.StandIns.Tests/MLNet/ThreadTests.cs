using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.StandIns.Tests.MLNet;

/// <summary>How built-in transforms read a source: on worker threads, lazily, in order, errors wrapped.</summary>
[TestClass]
public sealed class ThreadTests
{
    private sealed class Item
    {
        public int Id { get; set; }
        public float A { get; set; }
        public string? Text { get; set; }

        [VectorType(2)]
        public float[]? V { get; set; }
    }

    private static Item[] Items(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Item { Id = i, A = i, Text = $"t{i}", V = [i, -i] })];

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(64)]
    [DataRow(1000)]
    public void RowsKeepTheirOrderAndValues(int count)
    {
        var context = new MLContext(1);
        var data = context.Data.LoadFromEnumerable(Items(count));
        var model = context.Transforms.Concatenate("F", "V", "A")
            .Append(context.Transforms.CopyColumns("T", "Text"))
            .Append(context.Transforms.DropColumns("A"))
            .Append(context.Transforms.CopyColumns("I", "Id")).Fit(data);
        var view = context.Data.FilterRowsByColumn(
            context.Transforms.Conversion.ConvertType("D", "I", DataKind.Double).Fit(model.Transform(data)).Transform(model.Transform(data)),
            "D",
            1);
        var expected = Items(count).Skip(1).ToArray();
        CollectionAssert.AreEqual(expected.Select(item => item.Id).ToArray(), view.GetColumn<int>("I").ToArray());
        CollectionAssert.AreEqual(expected.Select(item => item.Text).ToArray(), view.GetColumn<string>("T").ToArray());
        CollectionAssert.AreEqual(expected.Select(item => item.A).ToArray(), view.GetColumn<float[]>("F").Select(f => f[2]).ToArray());
        using var cursor = view.GetRowCursor([view.Schema["T"]]);
        for (var position = 0; cursor.MoveNext(); position++)
        {
            Assert.AreEqual(position, cursor.Position);
        }

        Assert.AreEqual(-1, cursor.Position);
    }

    [TestMethod]
    public void CursorsMayBeLeftEarlyAndReadAtOnce()
    {
        var context = new MLContext(1);
        var data = context.Data.LoadFromEnumerable(Items(2000));
        var view = context.Transforms.Concatenate("F", "V", "A").Fit(data).Transform(data);
        for (var i = 0; i < 20; i++)
        {
            Assert.AreEqual(i, view.GetColumn<float[]>("F").Skip(i).First()[0]);
        }

        view.GetRowCursor(view.Schema).Dispose();
        Parallel.For(0, 4, _ => Assert.AreEqual(1999d * 1000, view.GetColumn<float[]>("F").Sum(f => (double)f[0]), 1e-6));
    }

    [TestMethod]
    public void ErrorsOfASourceComeWrapped()
    {
        static IEnumerable<Item> Failing()
        {
            yield return new Item { V = [1, 2] };
            throw new FormatException("bad row");
        }

        var context = new MLContext(1);
        var data = context.Data.LoadFromEnumerable(Failing());
        Assert.ThrowsExactly<FormatException>(() => data.GetColumn<float>("A").ToArray());
        var view = context.Transforms.Concatenate("F", "V", "A").Fit(data).Transform(data);
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => view.GetColumn<float[]>("F").ToArray());
        Assert.AreEqual("Splitter/consolidator worker encountered exception while consuming source data", error.Message);
        Assert.IsInstanceOfType<FormatException>(error.InnerException);
    }

    [TestMethod]
    public void CachesReadOnceAndInParts()
    {
        var reads = 0;
        IEnumerable<Item> Counting()
        {
            reads++;
            foreach (var item in Items(100))
            {
                yield return item;
            }
        }

        var context = new MLContext(1);
        var cache = context.Data.Cache(context.Data.LoadFromEnumerable(Counting()), "A");
        Assert.AreEqual(1, reads);
        _ = cache.GetColumn<float>("A").Count();
        _ = cache.GetColumn<float>("A").Count();
        Assert.AreEqual(1, reads);
        Assert.IsTrue(cache.CanShuffle);
        Assert.AreEqual(100L, cache.GetRowCount());
        var rows = 0;
        foreach (var cursor in cache.GetRowCursorSet([cache.Schema["A"]], 3))
        {
            while (cursor.MoveNext())
            {
                rows++;
            }
        }

        Assert.AreEqual(100, rows);
        Assert.AreEqual(1, reads);
    }
}
