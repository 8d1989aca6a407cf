using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Tasks;

[TestClass]
public sealed class EncoderAdaptationTests
{
    // 100 labeled and 900 unlabeled rows.
    [TestMethod]
    [DataRow(5, 20, 1000, null, DisplayName = "all fit")]
    [DataRow(10, 5, 500, 400, DisplayName = "half of them fit")]
    [DataRow(1_000, 20, 100, 0, DisplayName = "labeled rows always stay")]
    public void Unlabeled_rows_go_where_embedding_them_takes_too_long(int embedding, int left, int rows, int? unlabeled)
    {
        var store = new Numbered(1_000);
        var adaptation = new EncoderAdaptation(null!, store, new float[100], 0, CPU, _ => { });
        Assert.AreEqual(unlabeled, adaptation.KeepWhatFits(TimeSpan.FromSeconds(embedding), TimeSpan.FromSeconds(left)));
        Assert.AreEqual(rows, store.Count);
        Assert.AreEqual(rows - 1, store.Last);
        // Once is enough.
        Assert.IsNull(adaptation.KeepWhatFits(TimeSpan.FromSeconds(left), TimeSpan.FromSeconds(left)));
    }

    // 667 labeled rows: 53 steps, of 64 rows where there is time.
    [TestMethod]
    [DataRow(null, 64, 53)]
    [DataRow(1e9, 64, 53)]
    [DataRow(2_650.0, 50, 53, DisplayName = "smaller batches first")]
    [DataRow(1_600.0, 32, 50, DisplayName = "then fewer steps")]
    [DataRow(0.0, 32, 10, DisplayName = "but some in any case")]
    public void The_training_fits_the_time(double? rows, int batchSize, int steps)
        => Assert.AreEqual((batchSize, steps), EncoderAdaptation.Plan(667, rows));

    // The second half of 2,048 rows takes 4 ms a row, the first nothing: about 4 s, from 256 of them.
    [TestMethod]
    public void What_embedding_takes_is_told_by_some_rows_of_all_parts()
    {
        var estimate = EncoderAdaptation.Estimate(new Numbered(2_048, slowFrom: 1_024), null!, CPU).TotalSeconds;
        Assert.IsGreaterThan(4, estimate);
        Assert.IsLessThan(8, estimate);
        // Of no more rows than there are.
        Assert.IsLessThan(1, EncoderAdaptation.Estimate(new Numbered(100, slowFrom: 50), null!, CPU).TotalSeconds);
    }

    private sealed class Numbered(int count, int slowFrom = int.MaxValue) : RowStore
    {
        private int[] _rows = [.. Enumerable.Range(0, count)];

        public int Last => _rows[^1];

        public override int Count => _rows.Length;

        public override long Bytes => Count;

        public override string Content => "rows";

        public override bool Add(RawRow row, bool keepsEmpty) => throw new NotSupportedException();

        public override void KeepOnly(ReadOnlySpan<int> rows) => _rows = [.. rows.ToArray().Select(row => _rows[row])];

        public override Batch ToBatch(ReadOnlySpan<int> rows) => throw new NotSupportedException();

        internal override Tensor EncodeSome(Encoder network, Device device, int[] rows)
        {
            Thread.Sleep(4 * rows.Count(row => row >= slowFrom));
            return zeros(rows.Length, 2, ScalarType.Float32, device);
        }
    }
}
