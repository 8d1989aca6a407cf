using System.Text.Json.Nodes;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Persistence;

[TestClass]
public class ModelArchiveTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-archive-").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void A_model_comes_back_from_a_file_with_the_checksum_as_its_id()
    {
        var path = Path.Combine(_folder, "encoder.ssl");
        using var model = TestEncoderModel.Create();
        AtomicFile.Write(path, model.WriteArchive);
        using var again = EncoderModelReader.ReadFile(path);
        var header = System.Text.Encoding.UTF8.GetString(File.ReadAllBytes(path));
        StringAssert.Contains(header, $"\"ssl.sha256_header\":\"{again.Id}\"");
        Assert.AreEqual(64, again.Id.Length);
        CollectionAssert.AreEqual(Embed(model, "hello"), Embed(again, "hello"));
        CollectionAssert.AreEqual(model.InputColumns.ToArray(), again.InputColumns.ToArray());
    }

    [TestMethod]
    public void Every_truncation_is_a_sentence()
    {
        var whole = Bytes(TestEncoderModel.Create());
        for (var length = 0; length < whole.Length; length += 7)
        {
            var path = Path.Combine(_folder, "short.ssl");
            File.WriteAllBytes(path, whole[..length]);
            var e = Assert.ThrowsExactly<FormatException>(() => EncoderModelReader.ReadFile(path), $"length {length}");
            StringAssert.Contains(e.Message, path);
            StringAssert.Contains(e.Message, "truncated");
        }
    }

    [TestMethod]
    public void Every_flipped_byte_is_a_sentence()
    {
        var whole = Bytes(TestEncoderModel.Create());
        for (var at = 0; at < whole.Length; at += at < 2000 ? 1 : 3)
        {
            var bytes = (byte[])whole.Clone();
            bytes[at] ^= 4;
            var fault = Assert.ThrowsExactly<FormatException>(() => EncoderModelReader.Read(new MemoryStream(bytes)), $"byte {at}");
            StringAssert.EndsWith(fault.Message.TrimEnd(')'), ".", $"byte {at}");
        }
    }

    [TestMethod]
    public void An_archive_of_version_1_without_checksums_is_read_and_a_newer_one_is_not()
    {
        var text = System.Text.Encoding.Latin1.GetString(Bytes(TestEncoderModel.Create()));
        var without = System.Text.RegularExpressions.Regex.Replace(text, "\"ssl\\.sha256_(header|values)\"", "\"not.sha256_$1\"");
        Assert.HasCount(text.Length, without);
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Read(without)).Message, "lacks its checksums");
        Read(without.Replace("\"ssl.format_version\":\"2\"", "\"ssl.format_version\":\"1\"", StringComparison.Ordinal)).Dispose();

        static EncoderModel Read(string bytes) => EncoderModelReader.Read(new MemoryStream(System.Text.Encoding.Latin1.GetBytes(bytes)));
    }

    [TestMethod]
    [DataRow("\"numberOfLayers\":2", "\"numberOfLayers\":100000000", "has more weights than the file has values")]
    [DataRow("\"numberOfLayers\":2", "\"numberOfLayers\":2147483647", "")]
    [DataRow("\"dimension\":8", "\"dimension\":100000", "")]
    [DataRow("\"dimension\":8", "\"dimension\":2147483647", "")]
    [DataRow("\"numberOfLayers\":2", "\"numberOfLayers\":null", "\"numberOfLayers\", a whole number, got nothing")]
    public void A_network_of_any_size_is_refused_before_it_is_made(string stated, string other, string words)
    {
        var changed = Sealed(Bytes(TestSmallTable()), stated, other);
        var resident = Environment.WorkingSet;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var fault = Assert.ThrowsExactly<FormatException>(() => EncoderModelReader.Read(new MemoryStream(changed)));
        StringAssert.Contains(fault.Message, words);
        Assert.DoesNotContain("(Parameter", fault.Message);
        Assert.IsLessThan(200 << 20, Environment.WorkingSet - resident, "resident memory");
        Assert.IsLessThan(20, clock.Elapsed.TotalSeconds);
    }

    [TestMethod]
    public void Values_that_are_not_there_are_missed_before_memory_is_taken_for_them()
    {
        // A header of 8 terabytes of values, and none.
        const long Count = 2_000_000_000_000;
        var header = System.Text.Encoding.UTF8.GetBytes($"{{\"a\":{{\"dtype\":\"F32\",\"shape\":[{Count}],\"data_offsets\":[0,{4 * Count}]}}}}");
        byte[] bytes = [.. BitConverter.GetBytes((long)header.Length), .. header];
        var fault = Assert.ThrowsExactly<FormatException>(() => SafeTensorsReader.Open(new MemoryStream(bytes)));
        StringAssert.Contains(fault.Message, $"truncated: its tensors should have {4 * Count} bytes, 0 are there");
    }

    // The encoder of a table as it is saved, before any training.
    private static EncoderModel TestSmallTable()
    {
        var mlContext = new Microsoft.ML.MLContext(1);
        var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Number { Value = i }));
        return new Ssl.Estimators.ScarfTrainer(mlContext, new Ssl.Estimators.ScarfTrainer.Options
        {
            InputColumnNames = [nameof(Number.Value)], Encoder = Ssl.Estimators.TabularEncoders.Mlp(numberOfLayers: 2, dimension: 8), NumberOfEpochs = 0,
        }).Fit(rows).Model;
    }

    // Other text in the header, and checksums that fit it.
    private static byte[] Sealed(byte[] bytes, string text, string other)
    {
        var length = (int)BitConverter.ToInt64(bytes);
        var json = JsonNode.Parse(bytes.AsSpan(8, length))!;
        var manifest = (string)json["__metadata__"]!["ssl.manifest"]!;
        StringAssert.Contains(manifest, text);
        json["__metadata__"]!["ssl.manifest"] = manifest.Replace(text, other, StringComparison.Ordinal);
        var header = System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());
        Checksums.Seal(header);
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. bytes[(8 + length)..]];
    }

    private sealed class Number
    {
        public float Value { get; set; }
    }

    [TestMethod]
    public void Tensors_of_somebody_else_are_no_model()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        SafeTensors.Write(stream, new Dictionary<string, Tensor> { ["a"] = ones(1) });
        stream.Position = 0;
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => EncoderModelReader.Read(stream))
            .Message, "no model of this package");
    }

    [TestMethod]
    public void A_newer_format_says_to_update()
    {
        var e = Assert.ThrowsExactly<FormatException>(() =>
            EncoderModelReader.Read(Altered("\"ssl.format_version\":\"2\"", "\"ssl.format_version\":\"3\"")));
        StringAssert.Contains(e.Message, "format 3");
        StringAssert.Contains(e.Message, "Update the package");
    }

    [TestMethod]
    public void An_unknown_kind_says_which_are_known()
    {
        var e = Assert.ThrowsExactly<FormatException>(() =>
            EncoderModelReader.Read(Altered("\"ssl.kind\":\"test\"", "\"ssl.kind\":\"tset\"")));
        StringAssert.Contains(e.Message, "'tset'");
        StringAssert.Contains(e.Message, "'test'");
    }

    [TestMethod]
    public void A_manifest_that_lacks_something_is_a_format_fault()
        => Assert.ThrowsExactly<FormatException>(() => EncoderModelReader.Read(Altered("shape", "shabe")));

    [TestMethod]
    public void The_manifest_keeps_its_content()
    {
        using var stream = new MemoryStream();
        ModelArchive.Write(stream, "kind", new JsonObject { ["text"] = "\"quoted\" 雪 \n", ["number"] = 1.5 }, new Dictionary<string,
            Tensor>());
        stream.Position = 0;
        var (manifest, _) = ModelArchive.Open(stream);
        Assert.AreEqual("kind", manifest.Kind);
        Assert.AreEqual("\"quoted\" 雪 \n", manifest.Content["text"]!.GetValue<string>());
        Assert.AreEqual(1.5, manifest.Content["number"]!.GetValue<double>());
        Assert.AreEqual(ModelArchive.ProductVersion, manifest.ProductVersion);
    }

    internal static float[] Embed(EncoderModel model, params string[] texts)
    {
        var embedding = new float[model.Dimension];
        var store = model.Format.NewStore();
        store.Add(new RawRow(default, texts.Select(t => t.AsMemory()).ToArray()), keepsEmpty: true);
        model.Embed(store, embedding);
        return embedding;
    }

    private static byte[] Bytes(EncoderModel model)
    {
        using var stream = new MemoryStream();
        model.WriteArchive(stream);
        model.Dispose();
        return stream.ToArray();
    }

    private static MemoryStream Altered(string old, string replacement)
    {
        var bytes = Bytes(TestEncoderModel.Create());
        var at = bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(old));
        Assert.IsGreaterThan(0, at, $"'{old}' is not in the archive");
        System.Text.Encoding.ASCII.GetBytes(replacement).CopyTo(bytes, at);
        Checksums.Seal(bytes.AsSpan(8, (int)BitConverter.ToInt64(bytes)));
        return new MemoryStream(bytes);
    }
}
