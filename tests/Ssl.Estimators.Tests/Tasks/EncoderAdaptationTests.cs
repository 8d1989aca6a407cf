using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Tasks;

[TestClass]
public sealed class EncoderAdaptationTests
{
    // 100 labeled and 900 unlabeled rows, a quarter of the time of a copy for embedding them.
    [TestMethod]
    [DataRow(5, 20, 1000, null, DisplayName = "all fit")]
    [DataRow(10, 20, 500, 400, DisplayName = "half of them fit")]
    [DataRow(1_000, 20, 100, 0, DisplayName = "labeled rows always stay")]
    public void Unlabeled_rows_go_where_embedding_them_leaves_no_time_to_train(int embedding, int share, int rows, int? unlabeled)
    {
        var store = new Numbered(1_000);
        var adaptation = new EncoderAdaptation(null!, store, new float[100], 0, CPU, _ => { });
        Assert.AreEqual(unlabeled, adaptation.KeepWhatFits(TimeSpan.FromSeconds(embedding), TimeSpan.FromSeconds(share)));
        Assert.AreEqual(rows, store.Count);
        Assert.AreEqual(rows - 1, store.Last);
        // Once is enough: what is left takes its quarter.
        Assert.IsNull(adaptation.KeepWhatFits(TimeSpan.FromSeconds(share * 0.25), TimeSpan.FromSeconds(share)));
    }

    private sealed class Numbered(int count) : RowStore
    {
        private int[] _rows = [.. Enumerable.Range(0, count)];

        public int Last => _rows[^1];

        public override int Count => _rows.Length;

        public override long Bytes => Count;

        public override string Content => "rows";

        public override bool Add(RawRow row, bool keepsEmpty) => throw new NotSupportedException();

        public override void KeepOnly(ReadOnlySpan<int> rows) => _rows = [.. rows.ToArray().Select(row => _rows[row])];

        public override Batch ToBatch(ReadOnlySpan<int> rows) => throw new NotSupportedException();
    }
}
