using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Rows;

/// <summary>
/// Training and scoring read the same tensors of the same row, to the bit: in memory and streamed, for fine-tuning, batch by batch and row by
/// row. The encoder's embedding is a hash of what it was given.
/// </summary>
[TestClass]
public sealed class RowAgreementTests
{
    private const int Count = 700, BatchSize = 20;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    public static IEnumerable<object[]> Kinds => [["bytes"], ["pixels"], ["images"], ["text"], ["pair"], ["table"], ["cells"], ["doubles"], ["series"], ["steps"], ["long series"], ["words"], ["image-text"]];

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void A_row_is_the_same_tensors_wherever_it_is_read(string kind)
    {
        var data = View();
        var trainer = Trainer(kind);
        using var streams = new RandomStreams(7);
        using var channel = ((IChannelProvider)_mlContext).Start("test");
        using var run = Prepare(trainer, data, streams, channel);
        using var fitted = run.CreateModel(CPU, null);

        using var hash = new HashingEncoder();
        var format = new HashedFormat(fitted.Format);
        using var encoder = new EncoderTransformer(_mlContext, EncoderModel.CopyOf(hash, format, CPU, "Hash", []));
        var scored = encoder.Transform(data).GetColumn<float[]>("Hash").Select(Text).ToArray();
        Assert.HasCount(Count, scored);
        CollectionAssert.AreEqual(scored, RowByRow(encoder, data), "PredictionEngine's way");
        CollectionAssert.AreEqual(scored, KeptRows(encoder, data), "a second pass");

        // What training leaves out is known from the rows, not from the code under test.
        var usable = Enumerable.Range(0, Count).Where(row => IsUsable(kind, row)).ToArray();
        var expected = usable.Select(row => scored[row]).ToArray();
        Assert.IsGreaterThan(usable.Length - 3, expected.Distinct().Count(), "the hash tells rows apart");
        var cached = (CachedBatchSource)run.Source;
        CollectionAssert.AreEqual(expected, cached.InOrder().SelectMany(Hashes).ToArray(), "in memory, in order");
        AssertRead(expected, run.Source.Epoch(0, default).SelectMany(Hashes), "in memory, shuffled");

        using var streamed = Prepare(Trainer(kind, cacheLimit: 100), data, streams, channel);
        Assert.IsInstanceOfType<StreamedBatchSource>(streamed.Source);
        for (var epoch = 0; epoch < 2; epoch++)
            AssertRead(expected, streamed.Source.Epoch(epoch, default).SelectMany(Hashes), "streamed");

        using var held = Prepare(Trainer(kind, validationFraction: 0.3), data, streams, channel);
        string[] both = [.. held.Source.Epoch(0, default).SelectMany(Hashes), .. held.Source.HeldOut(default).SelectMany(Hashes)];
        AssertRead(expected, both, "kept aside, and not");

        var labeled = BatchSource.CreateLabeled(data, new BatchSource.Settings
        {
            Format = fitted.Format, BatchSize = 32, MinimumBatchRows = 1, GroupByLength = false, CacheLimit = long.MaxValue,
            ShuffleBufferSize = 1, Shuffle = streams.Shuffle, CancellationToken = default,
            Label = new LabelColumn("Id", (row, column) => Label(row.GetGetter<int>(column))),
        });
        // An encoder of pairs embeds their first text alone.
        int[] tuned = kind == "pair" ? [.. Enumerable.Range(0, Count).Where(row => IsUsable("text", row))] : usable;
        CollectionAssert.AreEqual(tuned.Select(row => scored[row]).ToArray(), labeled.InOrder().SelectMany(Hashes).ToArray(), "fine-tuning");
        CollectionAssert.AreEqual(tuned.Select(row => (double)row).ToArray(), labeled.Labels.ToArray(), "labels stay with their rows");
    }

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Rows_that_a_device_keeps_are_the_same_batches(string kind)
    {
        var data = View();
        using var streams = new RandomStreams(7);
        using var otherStreams = new RandomStreams(7);
        using var channel = ((IChannelProvider)_mlContext).Start("test");
        using var run = Prepare(Trainer(kind, validationFraction: 0.3), data, streams, channel);
        using var other = Prepare(Trainer(kind, validationFraction: 0.3), data, otherStreams, channel);
        var (source, kept) = ((CachedBatchSource)run.Source, (CachedBatchSource)other.Source);
        kept.PlaceOn(CPU, keepsRows: true);
        for (var epoch = 0; epoch < 2; epoch++)
            SameBatches.Assert(source.Epoch(epoch, default), kept.Epoch(epoch, default));
        SameBatches.Assert(source.HeldOut(default), kept.HeldOut(default));
        SameBatches.Assert(source.Sample(3), kept.Sample(3));
        SameBatches.Assert(source.InOrder(), kept.InOrder());
    }

    // Once: the epoch after it is one of chance again.
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void An_arranged_epoch_has_the_rows_in_that_order(bool onDevice)
    {
        var data = View();
        using var streams = new RandomStreams(7);
        using var channel = ((IChannelProvider)_mlContext).Start("test");
        using var run = Prepare(Trainer("text", validationFraction: 0.3), data, streams, channel);
        var source = (CachedBatchSource)run.Source;
        source.PlaceOn(CPU, keepsRows: onDevice);
        var all = source.InOrder().SelectMany(Hashes).ToArray();
        source.Arrange(_ => [.. Enumerable.Range(0, all.Length).Reverse()]);
        var arranged = source.Epoch(1, default).SelectMany(Hashes).ToArray();
        Assert.IsGreaterThan(all.Length - BatchSize, arranged.Length);
        CollectionAssert.AreEqual(all.Reverse().Take(arranged.Length).ToArray(), arranged);
        CollectionAssert.AreNotEqual(arranged, source.Epoch(2, default).SelectMany(Hashes).ToArray());
    }

    [TestMethod]
    public void Labels_go_with_the_rows_that_a_device_keeps()
    {
        var data = View();
        using var streams = new RandomStreams(7);
        using var channel = ((IChannelProvider)_mlContext).Start("test");
        using var run = Prepare(Trainer("cells"), data, streams, channel);
        using var fitted = run.CreateModel(CPU, null);
        using CachedBatchSource source = Labeled(new Random(4)), kept = Labeled(new Random(4));
        kept.PlaceOn(CPU, keepsRows: true);
        int[] chosen = [.. Enumerable.Range(50, 200)];
        foreach (var part in new Func<CachedBatchSource, CachedBatchSource>[]
            { all => all, all => all.Only(chosen), all => all.Only(chosen).With([(3, 0.5f), (7, -2f)]) })
        {
            SameBatches.Assert(part(source).Epoch(0, default), part(kept).Epoch(0, default));
            SameBatches.Assert(part(source).InOrder(), part(kept).InOrder());
        }

        CachedBatchSource Labeled(Random shuffle) => BatchSource.CreateLabeled(data, new BatchSource.Settings
        {
            Format = fitted.Format, BatchSize = 32, MinimumBatchRows = 1, GroupByLength = false, CacheLimit = long.MaxValue,
            ShuffleBufferSize = 1, Shuffle = shuffle, CancellationToken = default,
            Label = new LabelColumn("Id", (row, column) => Label(row.GetGetter<int>(column))),
        });
    }

    // Each of the rows once, but for a last, smaller batch that a contrastive method leaves out.
    private static void AssertRead(string[] expected, IEnumerable<string> actual, string where)
    {
        var missing = expected.ToList();
        foreach (var row in actual)
            Assert.IsTrue(missing.Remove(row), $"{where}: a row that scoring reads otherwise, or twice");
        Assert.IsLessThan(BatchSize, missing.Count, $"{where}: rows are missing");
    }

    private static ValueGetter<double> Label(ValueGetter<int> id)
    {
        var value = 0;
        return (ref double label) =>
        {
            id(ref value);
            label = value;
        };
    }

    private static bool IsUsable(string kind, int row) => kind switch
    {
        "pixels" => row % 7 != 3,
        "images" => row % 13 != 5,
        "text" => row % 5 != 1,
        "image-text" => row % 5 != 1 && row % 13 != 5,
        "pair" => row % 5 != 1 && row % 6 != 2,
        "cells" => row % 11 != 6,
        "series" => row % 9 is not (4 or 5),
        "steps" => row % 8 != 1,
        _ => true,
    };

    private static string[] RowByRow(EncoderTransformer encoder, IDataView data)
    {
        var found = new List<string>();
        var mapper = encoder.GetRowToRowMapper(data.Schema);
        var output = mapper.OutputSchema["Hash"];
        using var cursor = data.GetRowCursor(mapper.GetDependencies([output]));
        var row = mapper.GetRow(cursor, [output]);
        var getter = row.GetGetter<VBuffer<float>>(output);
        VBuffer<float> value = default;
        while (cursor.MoveNext())
        {
            getter(ref value);
            found.Add(Text(value.DenseValues()));
        }
        return [.. found];
    }

    private static string[] KeptRows(EncoderTransformer encoder, IDataView data)
    {
        var view = encoder.Transform(data);
        _ = view.GetColumn<float[]>("Hash").Count();
        return [.. view.GetColumn<float[]>("Hash").Select(Text)];
    }

    private static string Text(IEnumerable<float> hash) => string.Join(' ', hash.Select(part => part.ToString(CultureInfo.InvariantCulture)));

    // The column that is embedded is the first; the last may be the labels.
    private static IEnumerable<string> Hashes(IReadOnlyList<Batch> columns)
    {
        var hashes = HashingEncoder.Hash(columns[0]).Select(hash => Text(HashingEncoder.Parts(hash))).ToArray();
        foreach (var column in columns)
            column.Dispose();
        return hashes;
    }

    private static PretrainingRun Prepare(PretrainingTrainer trainer, IDataView data, RandomStreams streams, IChannel channel)
        => (PretrainingRun)typeof(PretrainingTrainer).GetMethod("Prepare", BindingFlags.Instance | BindingFlags.NonPublic)!
            .Invoke(trainer, [data, streams, channel])!;

    private PretrainingTrainer Trainer(string kind, long cacheLimit = 1 << 30, double validationFraction = 0)
    {
        var ssl = _mlContext.SelfSupervised();
        TOptions Set<TOptions>(TOptions options) where TOptions : PretrainingOptions
        {
            (options.CacheLimit, options.ShuffleBufferSize, options.BatchSize, options.ValidationFraction)
                = (cacheLimit, 64, BatchSize, validationFraction);
            return options;
        }
        return kind switch
        {
            "bytes" => ssl.Images.SimMim(Set(new SimMimTrainer.Options { InputColumnName = "Bytes", Encoder = Patches })),
            "pixels" => ssl.Images.SimMim(Set(new SimMimTrainer.Options { InputColumnName = "Pixels", PixelMaximum = 1, Encoder = Patches })),
            "images" => ssl.Images.SimMim(Set(new SimMimTrainer.Options { InputColumnName = "Image", Encoder = ColoredPatches })),
            "text" => ssl.Text.MaskedLanguageModel(Set(new MaskedLanguageModelTrainer.Options { InputColumnName = "Text", Encoder = Words })),
            "pair" => ssl.Text.PairedContrastive(Set(new PairedContrastiveTrainer.Options
                { InputColumnName = "Text", PairColumnName = "Other", Encoder = Words })),
            "table" => ssl.Tabular.DenoisingAutoencoder(Set(new DenoisingAutoencoderTrainer.Options
                { InputColumnNames = ["Id", "Number", "Vector", "Flag", "Text", "Key", "Keys", "Words"], Encoder = TabularEncoders.Mlp(1, 8) })),
            "cells" => ssl.Tabular.DenoisingAutoencoder(Set(new DenoisingAutoencoderTrainer.Options
                { InputColumnNames = ["Number", "Vector", "Key", "Keys", "Words"], Encoder = TabularEncoders.Mlp(1, 8) })),
            "doubles" => ssl.Tabular.DenoisingAutoencoder(Set(new DenoisingAutoencoderTrainer.Options
                { InputColumnNames = ["Time", "Date", "Long", "Tiny", "Huge", "Constant"], NumericScaling = NumericScaling.Robust, Encoder = TabularEncoders.Mlp(1, 8) })),
            "image-text" => ssl.ImageText.Clip(Set(new ClipTrainer.Options
                { ImageEncoder = ColoredPatches, TextEncoder = Words })),
            "words" => ssl.Images.SimMim(Set(new SimMimTrainer.Options { InputColumnName = "Words16", Encoder = Patches })),
            "long series" => ssl.TimeSeries.Ts2Vec(Set(new Ts2VecTrainer.Options
                { InputColumnName = "LongSeries", Encoder = TimeSeriesEncoders.DilatedConvolution(8, 4, depth: 1) })),
            "series" => ssl.TimeSeries.Ts2Vec(Set(new Ts2VecTrainer.Options
                { InputColumnName = "Series", NumberOfChannels = 2, Encoder = TimeSeriesEncoders.DilatedConvolution(8, 4, depth: 1) })),
            _ => ssl.TimeSeries.Ts2Vec(Set(new Ts2VecTrainer.Options
                { InputColumnName = "Steps", PerTimestamp = true, Encoder = TimeSeriesEncoders.DilatedConvolution(8, 4, depth: 1) })),
        };
    }

    private static ImageEncoderFactory Patches
        => ImageEncoders.VisionTransformer(4, 2, 2, numberOfLayers: 1, dimension: 8, numberOfHeads: 2);

    private static ImageEncoderFactory ColoredPatches
        => ImageEncoders.VisionTransformer(4, 2, 3, numberOfLayers: 1, dimension: 8, numberOfHeads: 2);

    private static TextEncoderFactory Words
        => TextEncoders.Transformer(dimension: 8, numberOfLayers: 1, numberOfHeads: 2, maximumTokens: 12);

    private IDataView View()
    {
        var random = new Random(3);
        var rows = Enumerable.Range(0, Count).Select(i => new Row
        {
            Id = i,
            Bytes = [.. Enumerable.Range(0, 32).Select(_ => (byte)random.Next(256))],
            Pixels = [.. Enumerable.Range(0, 32).Select(p => i % 7 == 3 && p == 5 ? float.NaN : random.NextSingle())],
            Image = i % 13 == 5 ? null : MLImage.CreateFromPixels(5, 3 + i % 4, MLPixelFormat.Bgra32,
                [.. Enumerable.Range(0, 20 * (3 + i % 4)).Select(_ => (byte)random.Next(256))]),
            Text = i % 5 == 1 ? (i % 2 == 0 ? "" : "  ") : Sentence(i),
            Other = i % 6 == 2 ? "" : Sentence(i + 1),
            Number = i % 4 == 0 || i % 11 == 6 ? float.NaN : random.NextSingle() * 100,
            Vector = i % 11 == 6 ? [float.NaN, float.NaN, float.NaN]
                : [random.NextSingle(), i % 3 == 0 ? float.PositiveInfinity : i, float.NaN],
            Time = 1.7e9 + i, Date = new DateTime(2024, 1, 1).AddSeconds(i), Long = 9_000_000_000_000_000 + i * 7, Tiny = i * 1e-12,
            Huge = i % 2 == 0 ? 1e200 * i : -1e200 * i, Constant = 5,
            Words16 = [.. Enumerable.Range(0, 32).Select(p => (ushort)(BitOperations.RotateLeft((uint)(32 * i + p) * 2654435761u, 12) % 4096))],
            LongSeries = [.. Enumerable.Range(0, 6).Select(t => 1_700_000_000_000L + i * 1000 + t)],
            Flag = random.Next(2) == 0,
            Class = i % 10 == 0 || i % 11 == 6 ? "" : "c" + random.Next(9),
            Words = i % 11 == 6 ? ["", ""] : ["w" + random.Next(5), i % 2 == 0 ? "" : "v"],
            Series = (i % 9) switch
            {
                4 => [],
                5 => [float.NaN, float.NaN, float.NaN, float.NaN],
                _ => [.. Enumerable.Range(0, 2 * random.Next(2, 12)).Select(t => t == 2 ? float.NaN : random.NextSingle() * 5)],
            },
            Steps = [.. Enumerable.Range(0, 6).Select(t => i % 8 == 1 || t == i % 6 ? float.NaN : random.NextSingle())],
        }).ToArray();
        var view = _mlContext.Data.LoadFromEnumerable(rows);
        return _mlContext.Transforms.Conversion.MapValueToKey("Key", "Class")
            .Append(_mlContext.Transforms.Conversion.MapValueToKey("Keys", "Words")).Fit(view).Transform(view);

        string Sentence(int i) => string.Join(' ', Enumerable.Range(0, random.Next(1, 20)).Select(_ => "word" + random.Next(30)).Append($"{i}"));
    }

    private sealed class Row
    {
        public int Id { get; set; }

        [VectorType(2, 4, 4)]
        public byte[] Bytes { get; set; } = [];

        [VectorType(2, 4, 4)]
        public float[] Pixels { get; set; } = [];

        public MLImage? Image { get; set; }

        public string Text { get; set; } = "";

        public string Other { get; set; } = "";

        public float Number { get; set; }

        [VectorType(3)]
        public float[] Vector { get; set; } = [];

        public bool Flag { get; set; }

        public double Time { get; set; }

        public DateTime Date { get; set; }

        public long Long { get; set; }

        public double Tiny { get; set; }

        public double Huge { get; set; }

        public double Constant { get; set; }

        [VectorType(2, 4, 4)]
        public ushort[] Words16 { get; set; } = [];

        [VectorType(6)]
        public long[] LongSeries { get; set; } = [];

        public string Class { get; set; } = "";

        [VectorType(2)]
        public string[] Words { get; set; } = [];

        public float[] Series { get; set; } = [];

        [VectorType(6)]
        public float[] Steps { get; set; } = [];
    }

    /// <summary>A format as it is, but for the network.</summary>
    private sealed class HashedFormat(RowFormat format) : RowFormat(format.Columns)
    {
        public override string Kind => "hashed";

        public override string Needed => format.Needed;

        public override int EmbeddingDimension => 4;

        public override void CheckColumn(string name, ColumnShape shape) => format.CheckColumn(name, shape);

        public override RowStore NewStore() => format.NewStore();

        public override Encoder CreateEncoder(RandomStreams streams) => new HashingEncoder();

        public override JsonObject ToJson() => format.ToJson();

        internal override IEnumerable<DataViewSchema.Column> ActiveColumns(DataViewSchema schema) => format.ActiveColumns(schema);

        internal override Func<RowBuffer, RawRow> Open(DataViewRow input) => format.Open(input);
    }

    private sealed class HashingEncoder() : Encoder("Hashing")
    {
        public override int EmbeddingDimension => 4;

        public override Tensor forward(Batch input)
            => tensor(Hash(input).SelectMany(Parts).ToArray(), [input.Count, 4]);

        // Whole numbers below 2^16 are exact in a Single.
        public static float[] Parts(ulong hash) => [hash & 0xFFFF, hash >> 16 & 0xFFFF, hash >> 32 & 0xFFFF, hash >> 48];

        /// <summary>Of the bits of every row's tensors, without what pads it to its batch.</summary>
        public static ulong[] Hash(Batch batch)
        {
            using var scope = NewDisposeScope();
            return [.. Enumerable.Range(0, (int)batch.Count).Select(row => Hash(Content(batch, row)))];
        }

        private static Tensor[] Content(Batch batch, long row) => batch switch
        {
            ImageBatch images => [images.Pixels[row]],
            TokenBatch tokens => [tokens.Ids[row][tokens.Mask[row]], tokens.Mask[row].sum()],
            ImageTextBatch pairs => [.. Content(pairs.Images, row), .. Content(pairs.Texts, row)],
            TableBatch cells => [cells.Numbers[row], cells.Missing[row], cells.Codes[row]],
            SeriesBatch series => [series.Values[row].index_select(1, series.Mask[row].nonzero().squeeze(1)), series.Observed[row][series.Mask[row]]],
            _ => throw new ArgumentException($"A batch of type {batch.GetType()} has no content here.", nameof(batch)),
        };

        // FNV-1a.
        private static ulong Hash(Tensor[] content)
        {
            ulong hash = 14695981039346656037;
            foreach (var part in content)
                foreach (var value in part.contiguous().bytes)
                    hash = (hash ^ value) * 1099511628211;
            return hash;
        }
    }
}
