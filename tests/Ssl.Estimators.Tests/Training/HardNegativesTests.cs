using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public sealed class HardNegativesTests
{
    [TestMethod]
    [DataRow(30, 2)]
    [DataRow(41, 5)]
    [DataRow(9, 64)]
    public void Groups_are_those_of_sorting_all_rows(int rows, int groupSize)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var anchors = nn.functional.normalize(randn(rows, 6, generator: generator));
        var partners = nn.functional.normalize(anchors.add(randn(rows, 6, generator: generator).mul(0.5)));
        // The same text twice, but for rounding: not a negative of the other's anchor. And one anchor with two partners.
        partners[4] = nn.functional.normalize(partners[7].add(randn(6, generator: generator).mul(1e-3)), dim: 0);
        anchors[2] = nn.functional.normalize(anchors[8].add(randn(6, generator: generator).mul(1e-3)), dim: 0);
        var order = HardNegatives.Order(anchors, partners, groupSize, new Random(1), out var grouped);
        Assert.AreSequenceEqual(Enumerable.Range(0, rows).ToArray(), order.Order().ToArray());

        // The same in plain loops, group by group in the order in which they begin.
        int[] begin = [.. Enumerable.Range(0, rows)];
        var random = new Random(1);
        random.Shuffle(begin);
        var (taken, groups) = (new HashSet<int>(), new List<int[]>());
        foreach (var first in begin.Where(row => !taken.Contains(row)))
        {
            var group = new List<int>();
            for (int? next = first; next is { } row; next = group.Count < groupSize ? Nearest(row) : null)
            {
                taken.Add(row);
                group.Add(row);
            }
            groups.Add([.. group]);
        }
        var mixed = groups.ToArray();
        random.Shuffle(mixed);
        Assert.AreSequenceEqual(mixed.SelectMany(group => group).ToArray(), order);
        Assert.AreEqual(groups.Where(group => group.Length > 1).Sum(group => group.Length), grouped);

        int? Nearest(int row)
        {
            var wanted = Math.Min(64, 4 * groupSize) + 1;
            var nearest = Enumerable.Range(0, rows).OrderByDescending(other => Dot(anchors[row], partners[other])).Take(wanted)
                .Where(other => Dot(anchors[row], anchors[other]) < 0.9999 && Dot(partners[row], partners[other]) < 0.9999);
            return nearest.Cast<int?>().FirstOrDefault(other => !taken.Contains(other!.Value));
        }

        static float Dot(Tensor a, Tensor b) => (a * b).sum().item<float>();
    }

    [TestMethod]
    public void Copies_of_one_row_find_no_company()
    {
        using var scope = NewDisposeScope();
        var same = ones(12, 4, dtype: ScalarType.Float32).mul(0.5);
        HardNegatives.Order(same, same, 4, new Random(1), out var grouped);
        Assert.AreEqual(0, grouped);
    }

    [TestMethod]
    public void Rows_that_are_streamed_are_refused()
    {
        using var method = new Pairs(groupSize: 2);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => HardNegatives.Require(method, new Streamed()));
        Assert.Contains("HardNegativeGroupSize is 2, which needs all rows in memory", fault.Message);
        using var plain = new Pairs(groupSize: 1);
        HardNegatives.Require(plain, new Streamed());
    }

    // The first epoch is one of chance; later ones are arranged by what the encoder, without its dropout, says of all rows.
    [TestMethod]
    public void Epochs_after_the_first_are_arranged()
    {
        using var method = new Pairs(groupSize: 2);
        method.train();
        var (source, told) = (new Arranged(), new List<string>());
        HardNegatives.Arrange(method, source, 0, CPU, told.Add, CancellationToken.None);
        Assert.IsNull(source.Order);
        HardNegatives.Arrange(method, source, 1, CPU, told.Add, CancellationToken.None);
        Assert.IsNotNull(source.Order);
        // Rows 0 and 1, and rows 2 and 3, are alike.
        Assert.AreEqual(source.Order[0] / 2, source.Order[1] / 2);
        Assert.AreEqual(source.Order[2] / 2, source.Order[3] / 2);
        Assert.AreEqual("epoch 2: 4 of 4 rows stand beside one that the encoder takes for them", Assert.ContainsSingle(told));
        Assert.IsFalse(method.WasTraining);
        Assert.IsTrue(method.training);
        using var canceled = new CancellationTokenSource();
        canceled.Cancel();
        var untouched = new Arranged();
        HardNegatives.Arrange(method, untouched, 1, CPU, told.Add, canceled.Token);
        Assert.IsNull(untouched.Order);
    }

    private sealed class Pairs(int groupSize) : PretrainingMethod("Pairs", new NoEncoder()), IContrastsPairs
    {
        public int HardNegativeGroupSize => groupSize;

        public bool WasTraining { get; private set; }

        public (Tensor Anchors, Tensor Partners) EmbedPairs(IReadOnlyList<Batch> columns)
        {
            WasTraining = training;
            var values = ((LabelBatch)columns[0]).Values.to(ScalarType.Float32);                     // [N], angles
            return (stack([values.cos(), values.sin()], 1), stack([values.add(0.1).cos(), values.add(0.1).sin()], 1));
        }

        public override StepLoss Loss(IReadOnlyList<Batch> columns) => throw new NotSupportedException();
    }

    private sealed class NoEncoder() : Encoder("None")
    {
        public override int EmbeddingDimension => 2;

        public override Tensor forward(Batch input) => throw new NotSupportedException();
    }

    private sealed class Arranged : IBatchSource, IArrangedSource
    {
        public int[]? Order { get; private set; }

        public long? RowCount => 4;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken) => [];

        public IEnumerable<IReadOnlyList<Batch>> InOrder()
            => [[new LabelBatch(tensor(new[] { 0.0, 0.05 }))], [new LabelBatch(tensor(new[] { 2.0, 2.05 }))]];

        public void Arrange(Func<Random, int[]> order) => Order = order(new Random(1));
    }

    private sealed class Streamed : IBatchSource
    {
        public long? RowCount => null;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken) => [];
    }
}
