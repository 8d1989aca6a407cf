using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Tests.Persistence;

namespace Ssl.Estimators.Tests.Interop;

[TestClass]
public class EncoderAnnotationTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    public void The_encoder_is_found_on_its_column_and_on_no_other()
    {
        using var model = TestEncoderModel.Create();
        var view = Embedded(model);
        Assert.AreSame(model, EncoderAnnotation.Find(view.Schema["Features"]));
        Assert.IsNull(EncoderAnnotation.Find(view.Schema["Text"]));
    }

    [TestMethod]
    public void It_survives_the_stages_that_pass_a_column_on()
    {
        using var model = TestEncoderModel.Create();
        var view = Embedded(model);
        var copied = _mlContext.Transforms.CopyColumns("Copy", "Features").Append(_mlContext.Transforms.DropColumns("Features"))
            .AppendCacheCheckpoint(_mlContext).Fit(view).Transform(view);
        Assert.AreSame(model, EncoderAnnotation.Find(copied.Schema["Copy"]));
        Assert.AreSame(model, EncoderAnnotation.Find(_mlContext.Data.TakeRows(_mlContext.Data.ShuffleRows(view), 2).Schema["Features"]));
        Assert.AreSame(model, EncoderAnnotation.Find(_mlContext.Data.TrainTestSplit(view).TrainSet.Schema["Features"]));
    }

    [TestMethod]
    public void The_text_alone_finds_the_encoder_while_it_lives()
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        using var model = TestEncoderModel.Create();
        EncoderAnnotation.Add(new DataViewSchema.Annotations.Builder(), model);
        annotations.AddPrimitiveValue(EncoderAnnotation.Kind, TextDataViewType.Instance, new string(model.Id).AsMemory());
        Assert.AreSame(model, EncoderAnnotation.Find(Column(annotations)));
    }

    [TestMethod]
    public void An_unknown_text_finds_nothing()
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddPrimitiveValue(EncoderAnnotation.Kind, TextDataViewType.Instance, "no such encoder".AsMemory());
        Assert.IsNull(EncoderAnnotation.Find(Column(annotations)));
    }

    [TestMethod]
    public void The_memory_reads_as_the_id_and_can_be_pinned()
    {
        using var model = TestEncoderModel.Create();
        var column = Embedded(model).Schema["Features"];
        ReadOnlyMemory<char> text = default;
        column.Annotations.GetValue(EncoderAnnotation.Kind, ref text);
        Assert.AreEqual(model.Id, text.ToString());
        Assert.AreEqual(model.Id[3..], text[3..].ToString());
        using var handle = text.Pin();
        unsafe
        {
            Assert.AreEqual(model.Id[0], *(char*)handle.Pointer);
        }
    }

    [TestMethod]
    public void The_registry_does_not_keep_an_encoder_alive()
    {
        var reference = Forget();
        for (var i = 0; i < 10 && IsAlive(reference); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.IsFalse(IsAlive(reference));

        // Methods of their own: a local here would keep the encoder alive.
        [MethodImpl(MethodImplOptions.NoInlining)]
        static bool IsAlive(WeakReference<EncoderModel> reference) => reference.TryGetTarget(out _);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference<EncoderModel> Forget()
        {
            EncoderModel model = TestEncoderModel.Create();
            EncoderAnnotation.Add(new DataViewSchema.Annotations.Builder(), model);
            return new WeakReference<EncoderModel>(model);
        }
    }

    [TestMethod]
    public void It_can_be_announced_before_Fit()
    {
        var column = SchemaShapes.Embedding("Features", 7);
        Assert.AreEqual("Features", column.Name);
        Assert.AreEqual(SchemaShape.Column.VectorKind.Vector, column.Kind);
        Assert.AreEqual(NumberDataViewType.Single, column.ItemType);
        Assert.IsFalse(column.IsKey);
        CollectionAssert.AreEquivalent(new[] { "SlotNames", EncoderAnnotation.Kind }, column.Annotations.Select(a => a.Name).ToArray());
        Assert.IsTrue(EncoderAnnotation.IsAnnounced(column));
        var slotNames = column.Annotations.Single(a => a.Name == "SlotNames");
        Assert.AreEqual(SchemaShape.Column.VectorKind.Vector, slotNames.Kind);
        Assert.AreEqual(TextDataViewType.Instance, slotNames.ItemType);
        Assert.AreEqual(SchemaShape.Column.VectorKind.Scalar, column.Annotations.Single(a => a.Name == EncoderAnnotation.Kind).Kind);
        Assert.IsFalse(EncoderAnnotation.IsAnnounced(SchemaShapes.Vector("Scores", NumberDataViewType.Single, 3)));
    }

    [TestMethod]
    public void A_new_column_takes_the_place_of_one_of_its_name()
    {
        var input = new SchemaShape(
            [SchemaShapes.Vector("A", NumberDataViewType.Int64, 2), SchemaShapes.Vector("B", TextDataViewType.Instance, 2)]);
        var output = SchemaShapes.Append(input, SchemaShapes.Embedding("A", 3));
        CollectionAssert.AreEquivalent(new[] { "A", "B" }, output.Select(c => c.Name).ToArray());
        Assert.AreEqual(NumberDataViewType.Single, output.Single(c => c.Name == "A").ItemType);
        Assert.AreEqual(NumberDataViewType.Int64, input.Single(c => c.Name == "A").ItemType);
    }

    [TestMethod]
    public void Seeds_repeat_with_the_context()
    {
        long[] Draw(int seed)
        {
            var mlContext = TestDevice.Context(seed);
            return [HostSeed.Register(mlContext, "One", out var host), HostSeed.Draw(host), HostSeed.Register(mlContext, "Two", out _)];
        }

        CollectionAssert.AreEqual(Draw(3), Draw(3));
        CollectionAssert.AreNotEqual(Draw(3), Draw(4));
        Assert.HasCount(3, Draw(3).Distinct().ToArray());
        Assert.IsTrue(Draw(3).All(s => s is >= 0 and < 1L << 62));
    }

    private IDataView Embedded(EncoderModel model)
    {
        var view = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Row { Text = $"text {i}" }));
        return new EncoderTransformer(_mlContext, model).Transform(view);
    }

    private static DataViewSchema.Column Column(DataViewSchema.Annotations.Builder annotations)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumn("Features", new VectorDataViewType(NumberDataViewType.Single, 3), annotations.ToAnnotations());
        return schema.ToSchema()["Features"];
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";
    }
}
