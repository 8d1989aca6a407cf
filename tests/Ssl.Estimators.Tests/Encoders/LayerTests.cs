using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders;

/// <summary>Layers that stand in for one of torch: the same numbers and gradients.</summary>
[TestClass]
public sealed class LayerTests
{
    [TestMethod]
    [DataRow(16, 7, 1)]
    [DataRow(16, 8, 2)]
    [DataRow(16, 9, 2)]
    [DataRow(24, 11, 3)]
    public void A_pointwise_convolution_with_a_stride_is_torchs(int channels, int size, int stride)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(3);
        using var layer = new ImageConvolution(channels, 20, 1, stride, streams);
        var input = MemoryLayout.ChannelsLast(randn(2, channels, size, size + 1));
        var (ours, theirs) = (input.clone().requires_grad_(true), input.clone().requires_grad_(true));
        var weight = layer.parameters().Single().detach().clone().requires_grad_(true);
        var actual = layer.call(ours);
        var expected = nn.functional.conv2d(theirs, weight, null, [stride, stride]);
        CollectionAssert.AreEqual(expected.shape, actual.shape);
        AssertClose(expected, actual);
        var direction = randn(expected.shape);
        actual.mul(direction).sum().backward();
        expected.mul(direction).sum().backward();
        AssertClose(theirs.grad!, ours.grad!);
        AssertClose(weight.grad!, layer.parameters().Single().grad!);
    }

    [TestMethod]
    [DataRow(1, 1, true)]
    [DataRow(1, 2, false)]
    [DataRow(3, 1, false)]
    [DataRow(3, 2, false)]
    [DataRow(7, 2, false)]
    [DataRow(3, 1, true)]
    public void A_convolution_of_any_number_of_channels_is_the_product_on_its_patches(int side, int stride, bool channelsLast)
    {
        int before = get_num_threads();
        try
        {
            // Faults of oneDNN show with one number of threads and not with another.
            foreach (var threads in (int[])[1, 2])
            {
                set_num_threads(threads);
                foreach (var inputs in (int[])[1, 2, 3, 8, 24, 40, 256])
                    foreach (var outputs in (int[])[1, 4, 16, 24, 512])
                        // Few images of side 1 are a product, more of them oneDNN's.
                        foreach (var images in side == 1 ? (int[])[2, 16] : [2])
                            CompareWithPatches(images, inputs, outputs, side, stride, channelsLast, $"{images} images, {inputs} to {outputs} channels, {threads} threads");
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private static void CompareWithPatches(int images, int inputs, int outputs, int side, int stride, bool channelsLast, string what)
    {
        const int size = 7;
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(3);
        using var layer = new ImageConvolution(inputs, outputs, side, stride, streams);
        // What is taken from memory without being written first is no number.
        full([images, 512, size, size], float.NaN).Dispose();
        var maps = randn(images, inputs, size, size);
        var ours = (channelsLast ? MemoryLayout.ChannelsLast(maps) : maps).detach().requires_grad_(true);
        var theirs = maps.to(ScalarType.Float64).requires_grad_(true);
        var weight = layer.parameters().Single().detach().to(ScalarType.Float64).requires_grad_(true);
        var actual = layer.call(ours);
        var patches = nn.functional.unfold(theirs, (side, side), padding: (side / 2, side / 2), stride: (stride, stride));
        var expected = weight.view(outputs, -1).matmul(patches).view(actual.shape);
        var direction = randn(actual.shape);
        actual.mul(direction).sum().backward();
        expected.mul(direction.to(ScalarType.Float64)).sum().backward();
        AssertNear(expected, actual, what);
        AssertNear(theirs.grad!, ours.grad!, $"{what}, gradient of the maps");
        AssertNear(weight.grad!, layer.parameters().Single().grad!, $"{what}, gradient of the weight");

        static void AssertNear(Tensor expected, Tensor actual, string what)
            => Assert.IsLessThan(1e-5, ((expected - actual).abs().max() / expected.abs().max()).item<double>(), what);
    }

    [TestMethod]
    public void A_table_gives_the_numbers_and_gradients_of_torchs()
    {
        using var scope = NewDisposeScope();
        using var table = new EmbeddingTable(6, 3);
        using (no_grad())
            table.Weight.copy_(randn(6, 3));
        using var rows = nn.Embedding_from_pretrained(table.Weight.detach().clone(), freeze: false);
        using var means = nn.EmbeddingBag_from_pretrained(table.Weight.detach().clone(), freeze: false, mode: EmbeddingBagMode.Mean);
        using var sums = nn.EmbeddingBag_from_pretrained(table.Weight.detach().clone(), freeze: false, mode: EmbeddingBagMode.Sum);
        var numbers = tensor(new long[,] { { 0, 5, 5 }, { 2, 1, 0 } });
        var starts = tensor(new long[] { 0, 0, 2 }); // the first bag is empty

        Compare(rows.call(numbers), rows.weight!, table.call(numbers));
        Compare(means.call(numbers.view(-1), starts), means.weight!, table.Means(numbers.view(-1), starts));
        Compare(sums.call(numbers.view(-1), starts), sums.weight!, table.Sums(numbers.view(-1), starts));

        void Compare(Tensor expected, Tensor weight, Tensor actual)
        {
            CollectionAssert.AreEqual(expected.shape, actual.shape);
            AssertClose(expected, actual);
            table.zero_grad();
            expected.square().sum().backward();
            actual.square().sum().backward();
            AssertClose(weight.grad!, table.Weight.grad!);
        }
    }

    [TestMethod]
    public void A_number_outside_the_table_is_refused_and_the_next_lookup_is_right()
    {
        using var scope = NewDisposeScope();
        using var table = new EmbeddingTable(4, 2);
        Assert.ThrowsExactly<System.Runtime.InteropServices.ExternalException>(() => table.call(tensor(new long[] { 4 })));
        using (no_grad())
            table.Weight.fill_(7f.ToScalar());
        Assert.AreEqual(14f, table.call(tensor(new long[] { 3 })).sum().item<float>());
    }

    [TestMethod]
    public void Tables_are_looked_up_by_many_threads_at_once()
    {
        using var scope = NewDisposeScope();
        EmbeddingTable[] tables = [.. Enumerable.Range(0, 8).Select(_ => new EmbeddingTable(3, 4))];
        using (no_grad())
            for (var i = 0; i < tables.Length; i++)
                tables[i].Weight.fill_(((float)i).ToScalar());
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            using var inner = NewDisposeScope();
            using var noGrad = no_grad();
            Assert.AreEqual(8f * (i % 8), tables[i % 8].call(tensor(new long[] { i % 3, 0 })).sum().item<float>());
        });
    }

    private static void AssertClose(Tensor expected, Tensor actual)
        => Assert.IsLessThan(1e-4f, (expected - actual).abs().max().item<float>());

    [TestMethod]
    public void ABatchOfOneValueAChannelIsNormalizedByTheRunningStatistics()
    {
        using var scope = NewDisposeScope();
        using var layer = new BatchNorm(3);
        using (no_grad())
        {
            layer.get_buffer("running_mean")!.fill_(2.0);
            layer.get_buffer("running_var")!.fill_(4.0);
        }
        layer.train();
        foreach (var shape in new long[][] { [1, 3], [1, 3, 1], [1, 3, 1, 1] })
        {
            var output = layer.call(full(shape, 4.0, dtype: ScalarType.Float32));
            Assert.IsLessThan(1e-4f, (output - 1).abs().max().item<float>(), $"{shape.Length} dimensions");
        }
        Assert.AreEqual(2f, layer.get_buffer("running_mean")!.mean().item<float>());
        Assert.AreEqual(0L, layer.get_buffer("num_batches_tracked")!.item<long>());
        layer.call(full([2, 3], 4.0, dtype: ScalarType.Float32));
        Assert.AreEqual(1L, layer.get_buffer("num_batches_tracked")!.item<long>());
    }
}
