using TorchSharp;
using static Ssl.StandIns.Tests.TorchSharpTests.Reference;
using static TorchSharp.torch;

namespace Ssl.StandIns.Tests.TorchSharpTests;

/// <summary>Operators, indexing, creation: the numbers of Python's torch, and what the real TorchSharp promises of memory.</summary>
[TestClass]
public sealed class TensorTests
{
    private DisposeScope? _scope;

    [TestInitialize]
    public void Begin() => _scope = NewDisposeScope();

    [TestCleanup]
    public void End() => _scope!.Dispose();

    [TestMethod]
    public void Arithmetic()
    {
        Tensor x = Wave(0, 3, 4), y = Wave(1, 3, 4), z = Wave(2, 4, 5);
        AssertEqual("add_alpha", x.add(y, 2));
        AssertEqual("rsub", 3 - x);
        AssertEqual("rdiv", 2 / (x + 2));
        AssertEqual("pow", (x + 2).pow(1.5));
        AssertEqual("floor_divide", (x * 10).div(3, RoundingMode.floor));
        AssertEqual("clamp", x.clamp(-0.5, 0.25));
        AssertEqual("where", where(x > y, x, y));
        AssertEqual("matmul", x.matmul(z));
        AssertEqual("einsum", einsum("ij,kj->ik", x, y));
    }

    [TestMethod]
    public void Reductions()
    {
        Tensor x = Wave(0, 3, 4), image = Wave(3, 2, 3, 6, 6);
        AssertEqual("sum_dim", x.sum(1, keepdim: true));
        AssertEqual("mean_all", x.mean());
        AssertEqual("mean_dims", image.mean([2, 3]));
        AssertEqual("var_unbiased", x.var(1));
        AssertEqual("std_biased", x.std(0, unbiased: false));
        AssertEqual("logsumexp", x.logsumexp(1));
        AssertEqual("softmax", x.softmax(-1));
        AssertEqual("log_softmax", x.log_softmax(0));
        AssertEqual("norm", x.norm());
        AssertEqual("norm_dim", x.norm(1, keepdim: true, p: 1));
        AssertEqual("cumsum", x.cumsum(1));
        var (values, indices) = x.max(1);
        AssertEqual("max_values", values);
        AssertEqual("max_indices", indices);
        AssertEqual("topk", x.topk(2, 1).Item1);
        AssertEqual("sort_descending", x.sort(1, descending: true).Item2);
        AssertEqual("argsort", x.argsort(0));
        AssertEqual("bincount", bincount(tensor(new long[] { 0, 1, 1, 3 }), minlength: 5));
        Assert.IsTrue(x.allclose(x + 1e-9f));
    }

    [TestMethod]
    public void Indexing()
    {
        var x = Wave(0, 3, 4);
        var ids = tensor(new long[] { 0, 2, 1 });
        var pairs = tensor(new long[] { 0, 1, 2, 3, 3, 0 }, [3, 2]);
        AssertEqual("gather", x.gather(1, pairs));
        var places = tensor(new long[] { 0, 1, 2, 2, 3, 0 }, [3, 2]);
        AssertEqual("scatter_add", zeros(3, 4).scatter_add(1, places, x[.., ..2].contiguous()));
        AssertEqual("index_add", zeros(3, 4).index_add(0, ids, x, 2));
        AssertEqual("index_select", x.index_select(0, ids));
        AssertEqual("slice", x[TensorIndex.Slice(1), TensorIndex.Slice(step: 2)]);
        AssertEqual("last", x[TensorIndex.Ellipsis, -1]);
        AssertEqual("boolean", x[TensorIndex.Tensor(x > 0)]);
        AssertEqual("index_tensors", x[ids, tensor(new long[] { 1, 2, 3 })]);
        var changed = x.clone();
        changed[TensorIndex.Single(1), TensorIndex.Slice(1, 3)] = 7f;
        changed[ids, tensor(new long[] { 0, 0, 3 })] = -1f;
        AssertEqual("assigned", changed);
        Assert.AreEqual(x[2, 3].item<float>(), x.data<float>()[2, 3]);
    }

    [TestMethod]
    public void Shapes()
    {
        var x = Wave(0, 3, 4);
        AssertEqual("tril", x.tril(-1));
        AssertEqual("unfold", Wave(0, 8).unfold(0, 3, 2));
        AssertEqual("roll", x.roll(1, 1));
        AssertEqual("flip", x.flip(0, 1));
        AssertEqual("repeat_interleave", x.repeat_interleave(2, 0));
        AssertEqual("linspace", linspace(-1, 1, 7));
        AssertEqual("arange", arange(1, 2.5, 0.5));
        Assert.AreEqual(ScalarType.Int64, arange(5).dtype);
        CollectionAssert.AreEqual(new long[] { 2, 2, 3 }, x.reshape(2, -1, 3).shape);
        CollectionAssert.AreEqual(new long[] { 4, 3 }, x.T.shape);
        var parts = x.split([1, 3], dim: 1);
        CollectionAssert.AreEqual(new long[] { 3, 3 }, parts[1].shape);
        Assert.AreEqual(2, x.chunk(2, 1).Length);
        Assert.AreEqual(3, x.unbind().Length);
    }

    [TestMethod]
    public void LinearAlgebra()
    {
        Tensor x = Wave(0, 3, 4), symmetric = x.matmul(x.T) + eye(3);
        AssertEqual("svd_values", linalg.svdvals(x));
        AssertEqual("eigvalsh", linalg.eigvalsh(symmetric));
        AssertEqual("cholesky", linalg.cholesky(symmetric));
        AssertEqual("solve", linalg.solve(symmetric, Wave(1, 3, 4)), 1e-4);
    }

    [TestMethod]
    public void FromArrayAliasesTensorCopies()
    {
        float[] numbers = [1, 2, 3];
        Tensor over = from_array(numbers), copy = tensor(numbers);
        numbers[0] = 9;
        Assert.AreEqual(9, over[0].item<float>());
        Assert.AreEqual(1, copy[0].item<float>());
        copy.bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(new float[] { 4, 5, 6 }.AsSpan());
        CollectionAssert.AreEqual(new float[] { 4, 5, 6 }, copy.data<float>().ToArray());
    }

    [TestMethod]
    public void ElementsOfAViewComeInItsOwnOrder()
    {
        var x = tensor(new float[,] { { 1, 2 }, { 3, 4 } }).t();
        CollectionAssert.AreEqual(new float[] { 1, 3, 2, 4 }, x.data<float>().ToArray());
        Assert.AreEqual(3, x.data<float>()[0, 1]);
        CollectionAssert.AreEqual(new float[] { 2, 4 }, x[1].data<float>().ToArray());
    }

    [TestMethod]
    public void ErrorsComeWithTheTextOfLibtorch()
    {
        var error = Assert.ThrowsExactly<System.Runtime.InteropServices.ExternalException>(() => ones(2, 3).mm(ones(2, 3)));
        StringAssert.Contains(error.Message, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)");
        Assert.ThrowsExactly<ArgumentException>(() => ones(2).item<float>());
        Assert.ThrowsExactly<ArgumentException>(() => ones(1).item<long>());
        var gone = ones(1);
        gone.Dispose();
        Assert.ThrowsExactly<InvalidOperationException>(() => gone.add(1));
    }

    [TestMethod]
    public void GeneratorsRepeatAndSaveTheirState()
    {
        using var generator = new Generator().manual_seed(1234);
        AssertEqual("random_uniform", rand(5, generator: generator), 0);
        AssertEqual("random_normal", randn(20, generator: generator), 1e-6);
        AssertEqual("random_integers", randint(3, 90, [6L], generator: generator), 0);
        AssertEqual("random_permutation", randperm(9, generator: generator), 0);
        AssertEqual("random_bernoulli", empty(12).bernoulli_(0.3, generator: generator), 0);
        AssertEqual("random_multinomial", multinomial(tensor(new[] { 0.1f, 0.5f, 0.4f }), 8, true, generator), 0);
        var state = generator.get_state();
        var first = rand(8, generator: generator);
        generator.set_state(state);
        Assert.IsTrue(first.Equals(rand(8, generator: generator)));
        manual_seed(7);
        var global = rand(3);
        manual_seed(7);
        Assert.IsTrue(global.Equals(rand(3)));
    }
}
