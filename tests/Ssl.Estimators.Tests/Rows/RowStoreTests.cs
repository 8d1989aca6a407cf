using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Rows;

/// <summary>Batches of any size and rows of any length: bounded, or refused in a sentence.</summary>
[TestClass]
public sealed class RowStoreTests
{
    [TestMethod]
    public void ABatchThatNoTensorHoldsIsRefusedBeforeItIsMade()
    {
        RowStore.RequireFits(1_000, 2_147_483, 1, "image of 1 x 1 pixels");
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => RowStore.RequireFits(100_000, 30_000, sizeof(float), "series of 30000 timestamps"));
        Assert.AreEqual("A batch of 100,000 rows, each a series of 30000 timestamps, is too large: with padding a row has 30,000 values, a "
            + "batch at most 536,870,897. Set BatchSize to 17,895 or less.", fault.Message);
        RowStore.RequireFits(17_895, 30_000, sizeof(float), "series of 30000 timestamps");
        fault = Assert.ThrowsExactly<InvalidOperationException>(() => RowStore.RequireFits(1, long.MaxValue, sizeof(float), "series of many timestamps"));
        StringAssert.EndsWith(fault.Message, "Not even one such row fits: give a shorter series.");
    }

    [TestMethod]
    public void EveryKindOfRowAsksBeforeItMakesABatch()
    {
        // 40,000 times the same row are a batch of 2.4 billion bytes or more: none is made, so the test needs no memory for it.
        int[] rows = new int[40_000];
        var series = Series([60_000]);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => series.ToBatch(rows)).Message, "each a series of 60000 timestamps");
        var tokens = new TokenRows(paddingId: 0);
        tokens.Add(new int[60_000]);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => tokens.ToBatch(rows)).Message, "each a text of 60000 tokens");
    }

    [TestMethod]
    public void OneLongSeriesDoesNotPadTheOthers()
    {
        var random = new Random(2);
        int[] lengths = [.. Enumerable.Range(0, 63).Select(_ => random.Next(80, 120)), 20_000];
        var source = Source(Series(lengths), batchSize: 16);
        for (var epoch = 0; epoch < 2; epoch++)
        {
            var sizes = new List<(long Rows, long Length)>();
            foreach (var columns in source.Epoch(epoch, CancellationToken.None))
            {
                var batch = (SeriesBatch)columns[0];
                sizes.Add((batch.Values.shape[0], batch.Values.shape[2]));
                batch.Dispose();
            }
            Assert.AreEqual(62, sizes.Where(size => size.Length < 200).Sum(size => size.Rows));
            Assert.AreEqual(2, sizes.Single(size => size.Length > 200).Rows, "the long one and one more, so that there is something to contrast");
        }
        // Without a long one nothing is cut or sorted.
        Assert.IsNull(Series(lengths[..^1]).PaddedLimit(16));
    }

    [TestMethod]
    public void EmbeddingsOfLongAndShortSeriesAreTheSameTogetherAndAlone()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        int[] lengths = [30, 5, 3_000, 12, 31, 900];
        using var network = TimeSeriesEncoders.DilatedConvolution(embeddingDimension: 8, depth: 2)
            .Create(new SeriesLayout(1, null, false), streams);
        network.eval();
        using var noGrad = no_grad();
        var all = Series(lengths);
        var together = all.EncodeAll(network, CPU);
        for (var row = 0; row < lengths.Length; row++)
        {
            using var batch = all.ToBatch([row]);
            var alone = network.call(batch);
            Assert.IsLessThan(1e-5f, (together[row] - alone[0]).abs().max().item<float>(), $"row {row}");
        }
    }

    [TestMethod]
    [DataRow(1, 1)]
    [DataRow(3, 1)]
    [DataRow(2, 40)]
    public void SeriesThatADeviceKeepsAreTheSameBatches(int channels, int paddedLength)
    {
        // Of differing length, with gaps, one of nothing and one without a value: both have an embedding.
        var rows = new SeriesRows(new SeriesScaling(new float[channels], [.. Enumerable.Repeat(1f, channels)]), paddedLength, "Series");
        var random = new Random(1);
        foreach (var length in new[] { 5, 0, 12, 1, 30, 7 })
        {
            double[] values = [.. Enumerable.Range(0, length * channels).Select(_ => random.Next(4) == 0 ? double.NaN : -random.NextDouble())];
            rows.Add(new RawRow(values, default), keepsEmpty: true);
        }
        rows.Add(new RawRow(Enumerable.Repeat(double.NaN, 4 * channels).ToArray(), default), keepsEmpty: true);
        AssertKept(rows, [0, 1, 2, 3, 4, 5, 6], [1], [6, 1], [2, 2, 0], [4, 5]);
    }

    [TestMethod]
    public void SeriesOfNothingCanBeKept()
    {
        var rows = new SeriesRows(new SeriesScaling([0, 0], [1, 1]), paddedLength: 1, "Series");
        rows.Add(new RawRow(Array.Empty<double>(), default), keepsEmpty: true);
        AssertKept(rows, [0], [0, 0]);
    }

    [TestMethod]
    [DataRow(new[] { 5, 0, 12, 1, 30, 5 })]
    [DataRow(new[] { 0, 0, 0, 0, 0, 0 })]
    public void TokensThatADeviceKeepsAreTheSameBatches(int[] lengths)
    {
        var rows = new TokenRows(paddingId: 9);
        foreach (var length in lengths)
            rows.Add([.. Enumerable.Range(10 * length, length)]);
        using var kept = rows.OnDevice(CPU);
        foreach (int[] numbers in new int[][] { [0, 1, 2, 3, 4, 5], [1], [0, 5], [3, 3, 2] })
        {
            using var order = tensor(numbers.Select(number => (long)number).ToArray());
            using TokenBatch expected = rows.ToBatch(numbers), actual = kept.ToBatch(order, numbers);
            SameBatches.Assert(expected, actual);
        }
    }

    [TestMethod]
    [DataRow(255)]
    [DataRow(256)]
    [DataRow(40_000)]
    public void CodesThatADeviceKeepsAreAsWideAsTheyMustBe(int highest)
    {
        // One text column of so many categories behind the three special entries.
        string[] categories = [.. Enumerable.Range(0, highest - TableLayout.SpecialCount + 1).Select(i => $"c{i}")];
        var rows = new TableRows(new TableColumns([new TableColumn("Word", TableColumnKind.Text, null, ["Word"], [], [new CategoryVocabulary(categories, [])])]));
        foreach (var category in new[] { 0, 1, highest - TableLayout.SpecialCount })
            rows.Add(new RawRow(default, new[] { $"c{category}".AsMemory() }), keepsEmpty: true);
        using (var batch = rows.ToBatch([2]))
            Assert.AreEqual(highest, batch.Codes.item<long>());
        AssertKept(rows, [0, 1, 2], [2]);
    }

    private static void AssertKept(RowStore rows, params int[][] batches)
    {
        using var kept = rows.OnDevice(CPU)!;
        foreach (var numbers in batches)
        {
            using var order = tensor(numbers.Select(number => (long)number).ToArray());
            SameBatches.Assert([rows.ToBatches(numbers)], [kept.ToBatches(order, numbers)]);
        }
    }

    private static SeriesRows Series(int[] lengths)
    {
        var rows = new SeriesRows(new SeriesScaling([0], [1]), paddedLength: 1, "Series");
        var random = new Random(1);
        foreach (var length in lengths)
            rows.Add(new RawRow(Enumerable.Range(0, length).Select(_ => random.NextDouble()).ToArray(), default), keepsEmpty: false);
        return rows;
    }

    private static CachedBatchSource Source(SeriesRows rows, int batchSize) => new(rows, null, 0, new BatchSource.Settings
    {
        Format = null!,
        BatchSize = batchSize,
        MinimumBatchRows = 2,
        GroupByLength = false,
        CacheLimit = long.MaxValue,
        ShuffleBufferSize = 1,
        Shuffle = new Random(3),
        CancellationToken = CancellationToken.None,
    });
}
