using System.Buffers.Binary;
using System.Text;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Serialization;

[TestClass]
public class SafeTensorsTests
{
    private static string SamplePath => Path.Combine(AppContext.BaseDirectory, "data", "sample.safetensors");

    [TestMethod]
    public void A_file_of_an_independent_writer_is_read()
    {
        using var scope = NewDisposeScope();
        using var file = File.OpenRead(SamplePath);
        var reader = SafeTensorsReader.Open(file);
        Assert.AreEqual("雪", reader.Metadata["snow"]);
        var tensors = reader.ReadAll();
        Assert.HasCount(9, tensors);
        CollectionAssert.AreEqual(new[] { 2L, 3L }, tensors["weights"].shape);
        CollectionAssert.AreEqual(new[] { 0.5f, -1.25f, 3e38f, -0f, 1e-40f, float.PositiveInfinity }, tensors["weights"].data<float>()
            .ToArray());
        Assert.AreEqual(ScalarType.Float16, tensors["half"].dtype);
        CollectionAssert.AreEqual(new[] { 1.5f, -65504f }, tensors["half"].to(ScalarType.Float32).data<float>().ToArray());
        Assert.AreEqual(ScalarType.BFloat16, tensors["brain"].dtype);
        CollectionAssert.AreEqual(new[] { 1f, -2.5f, 3.140625f }, tensors["brain"].to(ScalarType.Float32).data<float>().ToArray());
        CollectionAssert.AreEqual(new[] { 1L, long.MinValue, long.MaxValue }, tensors["ids"].data<long>().ToArray());
        CollectionAssert.AreEqual(new[] { -7, int.MaxValue }, tensors["small"].data<int>().ToArray());
        CollectionAssert.AreEqual(new byte[] { 0, 1, 254, 255 }, tensors["pixels"].data<byte>().ToArray());
        CollectionAssert.AreEqual(new[] { true, false, true }, tensors["mask"].data<bool>().ToArray());
        Assert.AreEqual(42f, tensors["scalar"].item<float>());
        CollectionAssert.AreEqual(new[] { 0L, 5L }, tensors["nothing"].shape);
        foreach (var tensor in tensors.Values)
        {
            tensor.Dispose();
        }
    }

    [TestMethod]
    public void The_bytes_written_are_those_of_the_format()
    {
        using var scope = NewDisposeScope();
        var bytes = Write(new() { ["a"] = tensor(new[] { 1f, 2f }) }, new Dictionary<string, string> { ["k"] = "v" });
        var header = """{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
        var padded = header.PadRight((header.Length + 7) / 8 * 8);
        byte[] expected = [(byte)padded.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(padded), 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40];
        CollectionAssert.AreEqual(expected, bytes);
    }

    [TestMethod]
    public void Views_are_written_by_their_values_and_filled_in_place()
    {
        using var scope = NewDisposeScope();
        var matrix = arange(0, 6, ScalarType.Float32).reshape(2, 3);
        var bytes = Write(new() { ["t"] = matrix.t(), ["row"] = matrix.select(0, 1) });

        var target = zeros(2, 3);
        SafeTensorsReader.Open(new MemoryStream(bytes)).ReadInto(new Dictionary<string, Tensor> { ["t"] = target.t(), ["row"] = zeros(3) });
        CollectionAssert.AreEqual(new[] { 0f, 1, 2, 3, 4, 5 }, target.data<float>().ToArray());
    }

    [TestMethod]
    public void A_module_is_filled_without_new_tensors()
    {
        using var scope = NewDisposeScope();
        using var source = nn.Linear(5, 4);
        using var target = nn.Linear(5, 4);
        var parameter = target.weight!;
        SafeTensorsReader.Open(new MemoryStream(Write(source.state_dict()))).ReadInto(target.state_dict());
        Assert.IsTrue(parameter.Equals(target.weight));
        CollectionAssert.AreEqual(source.weight!.data<float>().ToArray(), parameter.data<float>().ToArray());
        CollectionAssert.AreEqual(source.bias!.data<float>().ToArray(), target.bias!.data<float>().ToArray());
        Assert.IsTrue(parameter.requires_grad);
    }

    [TestMethod]
    public void Reading_leaves_no_tensors_behind()
    {
        using var scope = NewDisposeScope();
        var bytes = Write(new() { ["a"] = ones(10, 10), ["b"] = ones(3).t() });
        var targets = new Dictionary<string, Tensor> { ["a"] = zeros(10, 10), ["b"] = zeros(3) };
        var before = Tensor.TotalCount;
        SafeTensorsReader.Open(new MemoryStream(bytes)).ReadInto(targets);
        // Fewer where tensors of an earlier test met their finalizer meanwhile.
        Assert.IsLessThanOrEqualTo(before, Tensor.TotalCount);
    }

    [TestMethod]
    public void All_differences_to_the_network_are_named_together_and_nothing_is_changed()
    {
        using var scope = NewDisposeScope();
        var bytes = Write(new() { ["same"] = ones(2), ["old"] = ones(1), ["shape"] = ones(2, 3), ["type"] = ones(2, ScalarType.Int64) });
        var same = zeros(2);
        var e = Assert.ThrowsExactly<FormatException>(() => SafeTensorsReader.Open(new MemoryStream(bytes)).ReadInto(
            new Dictionary<string, Tensor> { ["same"] = same, ["new"] = zeros(1), ["shape"] = zeros(3, 2), ["type"] = zeros(2) }));
        StringAssert.Contains(e.Message, "missing: 'new'");
        StringAssert.Contains(e.Message, "unexpected: 'old'");
        StringAssert.Contains(e.Message, "'shape' is F32 [2, 3] in the file, expected F32 [3, 2]");
        StringAssert.Contains(e.Message, "'type' is I64 [2] in the file, expected F32 [2]");
        Assert.AreEqual(0f, same.sum().item<float>());
    }

    [TestMethod]
    public void Truncation_is_noticed_wherever_it_happens()
    {
        var whole = File.ReadAllBytes(SamplePath);
        for (var length = 0; length < whole.Length; length++)
        {
            var e = Assert.ThrowsExactly<FormatException>(() => ReadAndDispose(whole[..length]), $"length {length}");
            Assert.IsTrue(e.Message.Contains("truncated", StringComparison.Ordinal), $"length {length}: {e.Message}");
        }
    }

    [TestMethod]
    public void Bytes_left_over_are_noticed()
        => StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => ReadAndDispose([.. File.ReadAllBytes(SamplePath), 0]))
            .Message, "goes on after");

    [TestMethod]
    [DataRow("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", "overlap")]
    [DataRow("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", "gap")]
    [DataRow("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}""", "needs 12 bytes, the header gives it 4")]
    [DataRow("""{"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}""", "element type 'Q4'; allowed are F32, F16, BF16")]
    [DataRow("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "not negative")]
    [DataRow("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", "too large")]
    [DataRow("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "names 'a' twice")]
    [DataRow("""{"a":{"dtype":"F32","shape":[1]}}""", "header cannot be read")]
    [DataRow("""{"a":7}""", "header cannot be read")]
    [DataRow("""{"a":""", "header cannot be read")]
    [DataRow("""["a"]""", "does not start with '{'")]
    public void A_damaged_header_is_explained(string header, string expected)
    {
        var bytes = new byte[8 + header.Length + 16];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        Encoding.UTF8.GetBytes(header, bytes.AsSpan(8));
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => ReadAndDispose(bytes)).Message, expected);
    }

    [TestMethod]
    public void A_foreign_file_is_explained()
        => StringAssert.Contains(
            Assert.ThrowsExactly<FormatException>(() => ReadAndDispose(Encoding.ASCII.GetBytes("PK\u0003\u0004 this is a zip archive")))
                .Message,
            "Not a safetensors file");

    [TestMethod]
    public void What_the_format_cannot_hold_is_refused()
    {
        using var scope = NewDisposeScope();
        var e = Assert.ThrowsExactly<NotSupportedException>(() => Write(new() { ["c"] = zeros(2, ScalarType.ComplexFloat32) }));
        StringAssert.Contains(e.Message, "'c'");
        Assert.ThrowsExactly<ArgumentException>(() => Write(new() { ["__metadata__"] = zeros(1) }));
    }

    [TestMethod]
    public void Tensors_are_read_once()
    {
        using var scope = NewDisposeScope();
        var reader = SafeTensorsReader.Open(new MemoryStream(Write(new() { ["a"] = ones(1) })));
        Assert.ThrowsExactly<InvalidOperationException>(reader.EnsureAllRead);
        reader.ReadInto(new Dictionary<string, Tensor> { ["a"] = zeros(1) });
        reader.EnsureAllRead();
        Assert.ThrowsExactly<InvalidOperationException>(() => reader.ReadAll());
    }

    private static byte[] Write(Dictionary<string, Tensor> tensors, Dictionary<string, string>? metadata = null)
    {
        using var stream = new MemoryStream();
        SafeTensors.Write(stream, tensors, metadata);
        return stream.ToArray();
    }

    private static void ReadAndDispose(byte[] bytes)
    {
        foreach (var tensor in SafeTensorsReader.Open(new MemoryStream(bytes)).ReadAll().Values)
        {
            tensor.Dispose();
        }
    }
}
