using System.Buffers.Binary;
using System.IO.Compression;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Tests.Pretrained;
using Ssl.Estimators.Training.Checkpoints;
using Ssl.Estimators.Transformers;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Persistence;

/// <summary>Files whose checksums fit and whose content does not: what the fuzzing found, and what is of its kind.</summary>
[TestClass]
public class SealedModelTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static readonly SelfSupervisedCatalog s_ssl = s_mlContext.SelfSupervised();
    private static readonly IDataView s_rows = Rows();

    [TestMethod]
    [DataRow("20", "31")]
    [DataRow("20", "-1")]
    public void As_many_neighbors_vote_as_there_are_rows_at_most(string former, string stated)
    {
        using var model = s_ssl.NearestNeighborsMulticlassClassification(featureColumnName: "Vector").Fit(s_rows);
        StringAssert.Contains(Refusal(model, $"number_of_neighbors\\u0022:{former}", $"number_of_neighbors\\u0022:{stated}"), $"{stated} of 30 vote.");
    }

    [TestMethod]
    public void A_fine_tuned_model_has_the_weights_of_a_head()
    {
        using var encoder = s_ssl.Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["Vector"], Encoder = TabularEncoders.Mlp(numberOfLayers: 1, dimension: 8), NumberOfEpochs = 0,
        }).Fit(s_rows);
        using var model = s_ssl.FineTune.MulticlassClassification(encoder, numberOfEpochs: 1).Fit(s_rows);
        StringAssert.EndsWith(Refusal(model, "head.output.weight", "head.outputXweight"), "It has no weights of a head.");
    }

    [TestMethod]
    [DataRow("DateTime", "2026-11-28", "\"DateTime\" is no type of classes.")]
    [DataRow("77", "1", "\"77\" is no type of classes.")]
    [DataRow("Int32", "many", "A class is no Int32.")]
    [DataRow("Byte", "300", "A class is no Byte.")]
    public void Classes_are_values_of_their_type(string kind, string value, string sentence)
        => Assert.AreEqual(sentence, Assert.ThrowsExactly<FormatException>(
            () => ClassValues.FromJson(new JsonObject { ["kind"] = kind, ["values"] = new JsonArray(value) })).Message);

    [TestMethod]
    [DataRow("MulticlassClassification", "MulticlassClassification has 0 classes.")]
    [DataRow("Clustering", "\"Clustering\" is no task.")]
    [DataRow("9", "\"9\" is no task.")]
    public void A_task_is_known_and_has_its_classes(string task, string sentence)
        => Assert.AreEqual(sentence, Assert.ThrowsExactly<FormatException>(() => PredictionTask.FromJson(new JsonObject
        {
            ["task"] = task, ["classes"] = new JsonObject { ["kind"] = "String", ["values"] = new JsonArray() }, ["mean"] = 0, ["deviation"] = 1,
        })).Message);

    [TestMethod]
    [DataRow(-1, 0)]
    [DataRow(5, -1)]
    [DataRow(5, long.MaxValue)]
    public void A_checkpoint_is_of_a_run_that_can_have_been(long steps, long ticks)
        => Assert.ThrowsExactly<FormatException>(() => CheckpointState.FromJson(new JsonObject
        {
            ["steps"] = steps, ["elapsedTicks"] = ticks, ["epochs"] = new JsonArray(), ["stepHistory"] = new JsonArray(),
        }));

    [TestMethod]
    public void Heads_that_do_not_divide_a_vision_transformer_are_a_fault_of_its_files()
    {
        var folder = Directory.CreateTempSubdirectory("ssl-heads-").FullName;
        try
        {
            SmallImageNetwork.Transformer().Write(folder);
            File.WriteAllText(Path.Combine(folder, "config.json"), "{\"architecture\": \"vit\", \"model_args\": {\"num_heads\": 7}}");
            StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => s_ssl.LoadPretrained(folder)).Message, "must be a multiple of numberOfHeads 7");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // A file may state more layers than there is memory for their list.
    [TestMethod]
    public void Layers_are_counted_as_they_are_made()
    {
        using var streams = new RandomStreams(1);
        using var limit = Initialization.Limit(1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.ThrowsExactly<FormatException>(() => new TransformerStack(100_000_000, 8, 2, 16, 0, streams));
        Assert.IsLessThan(50_000_000, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // What is said of the model with another text of the same length in its header.
    private static string Refusal(ITransformer model, string former, string other)
    {
        using var stream = new MemoryStream();
        s_mlContext.Model.Save(model, s_rows.Schema, stream);
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        {
            var entry = zip.Entries.Single(entry => entry.Name == "Model.ssl");
            using var content = new MemoryStream();
            using (var from = entry.Open())
                from.CopyTo(content);
            var text = Encoding.Latin1.GetString(content.ToArray());
            Assert.Contains(former, text);
            var bytes = Encoding.Latin1.GetBytes(text.Replace(former, other, StringComparison.Ordinal));
            Checksums.Seal(bytes.AsSpan(8, (int)BinaryPrimitives.ReadInt64LittleEndian(bytes)));
            var name = entry.FullName;
            entry.Delete();
            using var to = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
            to.Write(bytes);
        }
        stream.Position = 0;
        var fault = Assert.ThrowsExactly<TargetInvocationException>(() => s_mlContext.Model.Load(stream, out _)).InnerException;
        return Assert.IsInstanceOfType<FormatException>(fault).Message;
    }

    private static IDataView Rows()
    {
        var rows = s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 30).Select(i => new Row { Vector = [1 + i % 3, i % 5], Class = $"class {i % 3}" }).ToArray());
        return s_mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(rows).Transform(rows);
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Vector { get; set; } = [];

        public string Class { get; set; } = "";
    }
}
