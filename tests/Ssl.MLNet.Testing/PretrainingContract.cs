using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using TorchSharp;

namespace Ssl.MLNet.Testing;

/// <summary>
/// What every pretraining estimator must hold. A trainer, of whatever assembly, gets all of it by deriving a class that says how it is made;
/// a kind of data by deriving one that says what its rows look like. Members of the public API alone are used.
/// </summary>
/// <typeparam name="TRow">A row of the data.</typeparam>
public abstract partial class PretrainingContract<TRow> where TRow : ContractRow, new()
{
    /// <summary>By how much the embeddings of a row may differ from batch to batch.</summary>
    protected const float Tolerance = 2e-5f;

    // What a preview of a few rows may read ahead.
    private const int BatchSize = 256;

    /// <summary>The trainer under test, small enough to fit in about a second.</summary>
    protected abstract IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null);

    /// <summary>The columns that training reads; the first is read by Transform, too.</summary>
    protected abstract IReadOnlyList<string> TrainingColumns { get; }

    /// <summary>Rows that are the same on every machine.</summary>
    protected abstract List<TRow> Rows(int count, int seed = 1);

    /// <summary>Rows of which there is nothing to learn, and a word of the message about them.</summary>
    protected abstract (IReadOnlyList<TRow> Rows, string Word) Unusable { get; }

    /// <summary>Rows that are odd but must be embedded.</summary>
    protected abstract IReadOnlyList<TRow> Odd { get; }

    /// <summary>A column of a type that is not allowed, and what the message says was expected and got.</summary>
    protected abstract (string Column, string Expected, string Got) Wrong { get; }

    /// <summary>What the message says of it in the place of a column; the same for all, unless overridden.</summary>
    protected virtual (string Expected, string Got) WrongFor(string name) => (Wrong.Expected, Wrong.Got);

    /// <summary>Whether a few steps lower the loss: not where the targets themselves move away from the easy answer.</summary>
    protected virtual bool LossFalls => true;

    /// <summary>The rows as a view.</summary>
    protected IDataView View(MLContext mlContext, int count = 96, int seed = 1) => mlContext.Data.LoadFromEnumerable(Rows(count, seed));

    /// <summary>An encoder that the trainer under test fitted.</summary>
    protected EncoderTransformer Fit(MLContext mlContext, IDataView? data = null, Action<PretrainingOptions>? change = null)
        => Create(mlContext, change).Fit(data ?? View(mlContext));

    /// <summary>The embeddings of all rows.</summary>
    protected static float[][] Embed(ITransformer encoder, IDataView data)
        => [.. encoder.Transform(data).GetColumn<float[]>("Features")];

    [TestMethod]
    public void Schema_before_Fit_is_the_schema_after_Fit()
    {
        var mlContext = TestDevice.Context(1);
        var data = View(mlContext);
        var estimator = Create(mlContext);
        var promised = estimator.GetOutputSchema(ShapeProbe.Of(mlContext, data)).ToDictionary(c => c.Name);
        using var encoder = estimator.Fit(data);
        var actual = ShapeProbe.Of(mlContext, encoder.Transform(data)).ToDictionary(c => c.Name);

        CollectionAssert.AreEquivalent(actual.Keys, promised.Keys);
        foreach (var (name, column) in actual)
        {
            Assert.AreEqual(column.Kind, promised[name].Kind, name);
            Assert.AreEqual(column.ItemType, promised[name].ItemType, name);
            Assert.AreEqual(column.IsKey, promised[name].IsKey, name);
            var (have, want) = (promised[name].Annotations.Select(a => a.Name).ToArray(), column.Annotations.Select(a => a.Name).ToArray());
            CollectionAssert.AreEquivalent(want, have, $"annotations of {name}");
        }
    }

    [TestMethod]
    public void The_output_is_a_known_size_vector_with_slot_names()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Fit(mlContext);
        var column = encoder.GetOutputSchema(View(mlContext).Schema)["Features"];
        var type = (VectorDataViewType)column.Type;
        Assert.AreEqual(encoder.EmbeddingDimension, type.Size);
        Assert.AreEqual(NumberDataViewType.Single, type.ItemType);
        Assert.IsTrue(column.HasSlotNames());
        VBuffer<ReadOnlyMemory<char>> names = default;
        column.GetSlotNames(ref names);
        Assert.AreEqual(encoder.EmbeddingDimension, names.DenseValues().Select(n => n.ToString()).Distinct().Count());
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        var first = Run(5);
        var again = Run(5);
        var other = Run(6);
        AssertEqual(first, again, TestDevice.Repeatability);
        Assert.IsTrue(first.Zip(other).Any(p => Difference(p.First, p.Second) > 1e-3f), "another seed gave the same embeddings");

        float[][] Run(int seed)
        {
            var mlContext = TestDevice.Context(seed);
            using var encoder = Fit(mlContext);
            return Embed(encoder, View(mlContext));
        }
    }

    [TestMethod]
    public void Fitting_again_equals_a_fresh_fit()
    {
        // The same objects in the same order: data views draw from the context's random numbers, too.
        var mlContext = TestDevice.Context(5);
        var estimator = Create(mlContext);
        var data = View(mlContext);
        using var first = estimator.Fit(View(mlContext, seed: 3));
        using var second = estimator.Fit(data);
        var freshContext = TestDevice.Context(5);
        using var fresh = Create(freshContext).Fit(View(freshContext));
        AssertEqual(Embed(fresh, data), Embed(second, data), TestDevice.Repeatability);
    }

    [TestMethod]
    public void Fit_does_not_change_the_options_it_was_given_and_later_changes_do_not_reach_it()
    {
        PretrainingOptions? given = null;
        var mlContext = TestDevice.Context(5);
        var estimator = Create(mlContext, o => given = o);
        var epochs = given!.NumberOfEpochs;
        given.OutputColumnName = "Changed";
        using var encoder = estimator.Fit(View(mlContext));
        Assert.AreEqual("Features", encoder.OutputColumnName);
        Assert.AreEqual(epochs, given.NumberOfEpochs);
    }

    [TestMethod]
    public void Training_changes_the_encoder_and_lowers_the_loss()
    {
        var losses = new List<double>();
        var mlContext = TestDevice.Context(5);
        var data = View(mlContext, 128);
        using var trained = Fit(mlContext, data, o =>
        {
            o.NumberOfEpochs = 8;
            o.Progress = new Reports(p => { if (p.EpochCompleted) losses.Add(p.Loss); });
        });
        var sameSeed = TestDevice.Context(5);
        using var untrained = Fit(sameSeed, data, o => o.NumberOfEpochs = 0);
        Assert.IsTrue(Embed(trained, data).Zip(Embed(untrained, data)).Any(p => Difference(p.First, p.Second) > 1e-3f));
        Assert.AreEqual(8, losses.Count);
        if (LossFalls)
            Assert.IsLessThan(losses[0], losses[^1], "the loss of the last epoch against the first");
    }

    [TestMethod]
    public void Transform_is_lazy()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Fit(mlContext);
        var counting = new CountingView(View(mlContext, 5_000));
        var transformed = encoder.Transform(counting);
        Assert.AreEqual(0, counting.RowsRead, "Transform alone read rows");
        _ = transformed.GetColumn<int>("Id").Take(10).Count();
        Assert.IsLessThanOrEqualTo(10, counting.RowsRead);
        _ = transformed.GetColumn<float[]>("Features").Take(10).Count();
        Assert.IsLessThanOrEqualTo(10 + BatchSize, counting.RowsRead, "a preview of ten rows read far ahead");
    }

    [TestMethod]
    public void Rows_keep_their_order_and_every_other_column()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Fit(mlContext);
        var rows = Rows(1_000);
        var embedded = encoder.Transform(mlContext.Data.LoadFromEnumerable(rows));
        var output = mlContext.Data.CreateEnumerable<EmbeddedRow>(embedded, reuseRowObject: false).ToList();
        Assert.AreEqual(rows.Count, output.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            Assert.AreEqual(rows[i].Id, output[i].Id);
            Assert.AreEqual(rows[i].Label, output[i].Label);
            CollectionAssert.AreEqual(rows[i].Numbers, output[i].Numbers);
            Assert.AreEqual(encoder.EmbeddingDimension, output[i].Features.Length);
        }
        foreach (var property in typeof(TRow).GetProperties().Where(p => p.PropertyType == typeof(string)))
        {
            CollectionAssert.AreEqual(rows.Select(row => (string)property.GetValue(row)!).ToArray(),
                embedded.GetColumn<string>(property.Name).ToArray(), property.Name);
        }
    }

    [TestMethod]
    public void A_row_has_the_same_embedding_whatever_batch_it_is_in()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Fit(mlContext);
        var rows = Rows(300);
        // Of both batches of the whole, and from their beginning to their end.
        float[][] whole = [.. Embed(encoder, mlContext.Data.LoadFromEnumerable(rows)).Where((_, i) => i % 7 == 4)];
        rows = [.. rows.Where((_, i) => i % 7 == 4)];
        AssertEqual(whole, [.. rows.Select(r => Embed(encoder, mlContext.Data.LoadFromEnumerable(new[] { r }))[0])], Tolerance);
        using var engine = mlContext.Model.CreatePredictionEngine<TRow, EmbeddedRow>(encoder);
        AssertEqual(whole, [.. rows.Select(r => engine.Predict(r).Features)], Tolerance);
    }

    [TestMethod]
    public void Sixteen_threads_score_as_one()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Fit(mlContext);
        var data = View(mlContext, 300);
        var expected = Embed(encoder, data);
        var results = new float[16][][];
        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i => results[i] = Embed(encoder, data));
        foreach (var result in results)
            AssertEqual(expected, result, Tolerance);
    }

    [TestMethod]
    public void The_encoder_works_inside_a_chain_and_after_saving_and_loading()
    {
        var mlContext = TestDevice.Context(1);
        var data = View(mlContext);
        using var model = Create(mlContext).Append(mlContext.Transforms.CopyColumns("Copy", "Features")).Fit(data);
        var expected = Embed(model, data);
        using var file = new MemoryStream();
        mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var fresh = TestDevice.Context(2);
        var loaded = fresh.Model.Load(file, out var schema);
        Assert.IsNotNull(schema.GetColumnOrNull(TrainingColumns[0]));
        Assert.IsInstanceOfType<EncoderTransformer>(((IEnumerable<ITransformer>)loaded).First());
        AssertEqual(expected, Embed(loaded, data), 0);
    }

    [TestMethod]
    public void An_archive_gives_the_same_encoder_back()
    {
        var mlContext = TestDevice.Context(1);
        var ssl = mlContext.SelfSupervised();
        var data = View(mlContext);
        using var encoder = Fit(mlContext);
        var path = Path.Combine(Path.GetTempPath(), $"contract-{Guid.NewGuid():N}.ssl");
        try
        {
            ssl.SaveEncoder(encoder, path);
            using var loaded = ssl.LoadEncoder(path);
            AssertEqual(Embed(encoder, data), Embed(loaded, data), 0);
            CollectionAssert.AreEqual(encoder.InputColumnNames.ToArray(), loaded.InputColumnNames.ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void A_missing_column_is_named_before_any_work()
    {
        foreach (var name in TrainingColumns)
        {
            var mlContext = TestDevice.Context(1);
            var data = mlContext.Transforms.DropColumns(name).Fit(View(mlContext)).Transform(View(mlContext));
            var estimator = Create(mlContext);
            foreach (var attempt in new Action[] { () => estimator.Fit(data),
                () => estimator.GetOutputSchema(ShapeProbe.Of(mlContext, data)) })
            {
                var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(attempt);
                StringAssert.Contains(error.Message, $"Could not find input column '{name}'");
                Assert.AreEqual("inputSchema", error.ParamName);
            }
        }
    }

    [TestMethod]
    public void A_column_of_another_type_is_refused()
    {
        foreach (var name in TrainingColumns)
        {
            var mlContext = TestDevice.Context(1);
            var view = View(mlContext);
            var data = mlContext.Transforms.CopyColumns(name, Wrong.Column).Fit(view).Transform(view);
            var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Create(mlContext).Fit(data));
            var (expected, got) = WrongFor(name);
            StringAssert.Contains(error.Message, $"Schema mismatch for input column '{name}': expected {expected}, got {got}");
        }
    }

    [TestMethod]
    public void Transform_names_a_missing_column()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Fit(mlContext);
        var data = mlContext.Transforms.DropColumns(TrainingColumns[0]).Fit(View(mlContext)).Transform(View(mlContext));
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => encoder.Transform(data));
        StringAssert.Contains(error.Message, $"Could not find input column '{TrainingColumns[0]}'");
    }

    [TestMethod]
    public void No_rows_and_rows_without_anything_are_refused_with_a_sentence()
    {
        var mlContext = TestDevice.Context(1);
        var none = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(mlContext,
            mlContext.Data.LoadFromEnumerable(new List<TRow>())));
        StringAssert.Contains(none.Message, "Training set has 0 instances, aborting training.");
        var empty = mlContext.Data.LoadFromEnumerable(Unusable.Rows);
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(mlContext, empty));
        StringAssert.Contains(error.Message, Unusable.Word);
    }

    [TestMethod]
    public void Odd_rows_are_embedded_without_complaint()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Fit(mlContext);
        var embeddings = Embed(encoder, mlContext.Data.LoadFromEnumerable(Odd));
        Assert.AreEqual(Odd.Count, embeddings.Length);
        foreach (var embedding in embeddings)
            Assert.IsTrue(embedding.All(float.IsFinite));
    }

    [TestMethod]
    public void Canceling_returns_the_encoder_as_it_is_within_a_step()
    {
        using var source = new CancellationTokenSource();
        var steps = 0L;
        var mlContext = TestDevice.Context(1);
        using var encoder = Fit(mlContext, View(mlContext, 400), o =>
        {
            o.NumberOfEpochs = 10_000;
            o.CancellationToken = source.Token;
            o.Progress = new Reports(p =>
            {
                Volatile.Write(ref steps, p.Step);
                if (p.Step >= 3)
                    source.Cancel();
            });
        });
        Assert.IsLessThan(2_000L, steps, "the training went on long after it was canceled");
        Assert.IsTrue(Embed(encoder, View(mlContext)).All(e => e.All(float.IsFinite)));
    }

    [TestMethod]
    public void All_faulty_options_are_named_together()
    {
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Create(TestDevice.Context(1), o =>
        {
            o.BatchSize = 0;
            o.LearningRate = -1;
            o.NumberOfEpochs = -3;
            o.OutputColumnName = "";
            o.WarmupFraction = double.NaN;
            o.ValidationFraction = 1;
            o.EarlyStoppingPatience = 0;
        }));
        string[] names = ["BatchSize", "EarlyStoppingPatience", "LearningRate", "NumberOfEpochs", "OutputColumnName", "ValidationFraction",
            "WarmupFraction"];
        foreach (var name in names)
            StringAssert.Contains(error.Message, name);
    }

    [TestMethod]
    [DoNotParallelize]
    public void What_the_application_has_set_in_torch_changes_nothing()
    {
        float[][] expected, actual;
        using (var encoder = Fit(TestDevice.Context(5)))
            expected = Embed(encoder, View(TestDevice.Context(1)));
        var type = torch.get_default_dtype();
        torch.set_default_dtype(torch.ScalarType.Float64);
        try
        {
            using var noGradients = torch.no_grad();
            using var scope = torch.NewDisposeScope();
            using var encoder = Fit(TestDevice.Context(5));
            actual = Embed(encoder, View(TestDevice.Context(1)));
            Assert.AreEqual(torch.ScalarType.Float64, torch.get_default_dtype());
            Assert.IsFalse(torch.is_grad_enabled());
        }
        finally
        {
            torch.set_default_dtype(type);
        }
        AssertEqual(expected, actual, TestDevice.Repeatability);
    }

    [TestMethod]
    public void Tensors_are_all_freed()
    {
        var mlContext = TestDevice.Context(1);
        Left(1);
        // TorchSharp's count drifts by one with every Parameter, so a model leaves some; more steps and rows must not leave more.
        // Reports come by the clock, and up to 24 were seen to wait for a later finalizer; one tensor lost a step would be 36, in every
        // run.
        var (shortRun, longRun) = (Left(1), Left(4));
        if (longRun >= shortRun + 30)
            (shortRun, longRun) = (Math.Max(shortRun, Left(1)), Math.Min(longRun, Left(4)));
        Assert.IsLessThan(shortRun + 30, longRun, "tensors that nothing frees after Fit, Transform and Dispose");

        long Left(int times)
        {
            var before = torch.Tensor.TotalCount;
            using (var encoder = Fit(mlContext, change: o => o.NumberOfEpochs *= times))
            {
                for (var i = 0; i < times; i++)
                    _ = Embed(encoder, View(mlContext));
            }
            for (var i = 0; i < 2; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            return torch.Tensor.TotalCount - before;
        }
    }

    [TestMethod]
    public void A_disposed_encoder_says_so()
    {
        var mlContext = TestDevice.Context(1);
        var encoder = Fit(mlContext);
        encoder.Dispose();
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.Transform(View(mlContext)));
    }

    [TestMethod]
    public void Data_beyond_the_cache_limit_are_streamed()
    {
        var mlContext = TestDevice.Context(1);
        var data = new CountingView(View(mlContext, 200));
        using var encoder = Fit(mlContext, data, o =>
        {
            o.CacheLimit = 100;
            o.ShuffleBufferSize = 32;
            o.NumberOfEpochs = 3;
        });
        Assert.IsGreaterThanOrEqualTo(3 * 200, data.RowsRead, "three epochs read the rows three times");
        Assert.IsTrue(Embed(encoder, data).All(e => e.All(float.IsFinite)));
    }

    [TestMethod]
    public void The_log_tells_of_every_epoch()
    {
        var lines = new List<string>();
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) => { lock (lines) lines.Add(e.Message); };
        using var encoder = Fit(mlContext, change: o => o.NumberOfEpochs = 2);
        Assert.IsTrue(lines.Any(l => l.Contains("epoch 1/2")), string.Join('\n', lines));
        Assert.IsTrue(lines.Any(l => l.Contains("epoch 2/2")));
    }

    /// <summary>The largest difference of two vectors, of the size of their numbers where that is above 1.</summary>
    protected static float Difference(float[] a, float[] b)
        => a.Zip(b).Max(p => Math.Abs(p.First - p.Second)) / Math.Max(1, a.Max(Math.Abs));

    /// <summary>Fails where two rows differ by more than a tolerance.</summary>
    protected static void AssertEqual(float[][] expected, float[][] actual, float tolerance)
    {
        Assert.AreEqual(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.IsLessThanOrEqualTo(tolerance, Difference(expected[i], actual[i]), $"row {i}");
    }

    private sealed class Reports(Action<PretrainingProgress> report)
        : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => report(value);
    }

    private sealed class EmbeddedRow
    {
        public int Id { get; set; }

        public string Label { get; set; } = "";

        public float[] Numbers { get; set; } = [];

        public float[] Features { get; set; } = [];
    }
}
