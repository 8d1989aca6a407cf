using System.Buffers.Binary;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;
using Ssl.MLNet;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.FreshProcess;

/// <summary>Files that were damaged: each must be refused in a sentence, or give the same numbers.</summary>
internal static class DamageTasks
{
    /// <summary>A small encoder of a table with numbers and a category.</summary>
    public static EncoderTransformer Train(MLContext mlContext, string? checkpoint) => mlContext.SelfSupervised().Tabular.Scarf(
        new ScarfTrainer.Options
        {
            InputColumnNames = ["Number", "Class"],
            Encoder = TabularEncoders.Mlp(numberOfLayers: 2, dimension: 8),
            BatchSize = 16,
            NumberOfEpochs = 2,
            CheckpointPath = checkpoint,
            Seed = 1,
        }).Fit(Data(mlContext));

    /// <summary>Damaged archives of an encoder of each kind of data, by chance and with checksums that fit.</summary>
    public static void Archives(string folder, int count)
    {
        var mlContext = new MLContext(1);
        var ssl = mlContext.SelfSupervised();
        Archive("archives of a table", Data(mlContext), data => Train(mlContext, null));
        Archive("archives of texts", mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 64).Select(i => new TextRow { Text = $"row {i} of {i % 4}" })),
            data => ssl.Text.SimCse(new SimCseTrainer.Options
            {
                InputColumnName = "Text", Encoder = TextEncoders.Bag(embeddingDimension: 8), BatchSize = 16, NumberOfEpochs = 1, Seed = 1,
            }).Fit(data));
        Archive("archives of series", mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 64).Select(i => new SeriesRow { Series =
            [.. Enumerable.Range(0, 16).Select(t => MathF.Sin(t * (i % 5 + 1)))] })), data => ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
            {
                InputColumnName = "Series", Encoder = TimeSeriesEncoders.DilatedConvolution(embeddingDimension: 8),
                BatchSize = 16, NumberOfEpochs = 1, Seed = 1,
            }).Fit(data));

        void Archive(string what, IDataView data, Func<IDataView, EncoderTransformer> train)
        {
            string whole = Path.Combine(folder, "whole.ssl"), damaged = Path.Combine(folder, "damaged.ssl");
            float[][] expected;
            using (var encoder = train(data))
            {
                ssl.SaveEncoder(encoder, whole);
                expected = Embed(data, encoder);
            }
            Check(what, File.ReadAllBytes(whole), count, damaged, () =>
            {
                using var encoder = ssl.LoadEncoder(damaged);
                return Embed(data, encoder);
            }, expected, typeof(FormatException));
        }
    }

    /// <summary>The same with checkpoints of a finished training.</summary>
    public static void Checkpoints(string folder, int count)
    {
        var mlContext = new MLContext(1);
        string whole = Path.Combine(folder, "whole.checkpoint"), damaged = Path.Combine(folder, "damaged.checkpoint");
        float[][] expected;
        using (var encoder = Train(mlContext, whole))
            expected = Embed(Data(mlContext), encoder);
        Check("checkpoints", File.ReadAllBytes(whole), count, damaged, () =>
        {
            using var encoder = Train(mlContext, damaged);
            return Embed(Data(mlContext), encoder);
        }, expected, typeof(InvalidOperationException));
    }

    /// <summary>Every damage to a state of the random streams: refused, or a stream that still gives numbers.</summary>
    public static void RandomStates()
    {
        using var streams = new RandomStreams(1);
        var whole = streams.GetState();
        var (refused, used) = (0, 0);
        foreach (var name in whole.Keys)
        {
            var bytes = whole[name];
            var variants = Enumerable.Range(0, bytes.Length).Where(i => i < 64 || i % 97 == 0).SelectMany(i => (byte[])[0x01, 0x80, 0xff],
                (i, mask) => { var copy = (byte[])bytes.Clone(); copy[i] ^= mask; return copy; });
            foreach (var variant in (byte[][])[.. variants, [], [1], bytes[..^1], [.. bytes, 0], new byte[bytes.Length]])
            {
                try
                {
                    streams.SetState(new Dictionary<string, byte[]>(whole) { [name] = variant });
                    using var drawn = rand(4, generator: streams.Weights);
                    streams.Shuffle.Next();
                    used++;
                }
                catch (ArgumentException fault) when (fault.Message.Contains("random", StringComparison.Ordinal))
                {
                    refused++;
                }
            }
        }
        Console.WriteLine($"streams: {refused} refused, {used} used");
    }

    private static void Check(string what, byte[] whole, int count, string path, Func<float[][]> use, float[][] expected, Type refusal)
    {
        var random = new Random(5);
        var (refused, same, silent, resealed) = (0, 0, 0, 0);
        var others = new Dictionary<string, int>();
        for (var i = 0; i < count; i++)
        {
            var seal = i % 4 == 3;
            File.WriteAllBytes(path, seal ? OtherNumber(whole, random) : Damage(whole, random));
            try
            {
                var actual = use();
                if (seal)
                    resealed++;
                else if (actual.Zip(expected).All(pair => pair.First.SequenceEqual(pair.Second)))
                    same++;
                else
                    silent++;
            }
            catch (Exception fault) when (fault.GetType() == refusal && fault.Message.Contains(path, StringComparison.Ordinal)
                && fault.Message.TrimEnd()[^1] is '.' or ')')
            {
                refused++;
            }
            catch (Exception fault)
            {
                // All of them in one run: what differs between two machines is then seen on one.
                var kind = $"{fault.GetType().Name}: {fault.Message}\n{fault.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("Ssl."))}";
                others[kind] = others.GetValueOrDefault(kind) + 1;
            }
        }
        foreach (var (kind, times) in others)
            Console.Error.WriteLine($"{times} times {kind}");
        if (others.Count > 0)
            throw new InvalidOperationException($"{what}: {others.Values.Sum()} of {count} damaged files gave another error.");
        Console.WriteLine($"{what}: {refused} refused, {same} the same, {silent} silently other numbers, {resealed} resealed and read");
    }

    // Flipped bits, a piece cut off, added or overwritten.
    private static byte[] Damage(byte[] whole, Random random)
    {
        var bytes = (byte[])whole.Clone();
        var kind = random.Next(6);
        switch (kind)
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                return [.. bytes, (byte)random.Next(256)];
            case 2:
                var (at, length) = (random.Next(bytes.Length - 8), random.Next(1, 8));
                random.NextBytes(bytes.AsSpan(at, length));
                return bytes.SequenceEqual(whole) ? bytes[..^1] : bytes;
            default:
                // Twice in the header, where most of the meaning is.
                var header = (int)BinaryPrimitives.ReadInt64LittleEndian(whole) + 8;
                for (var flips = random.Next(1, 4); flips > 0; flips--)
                    bytes[random.Next(kind == 3 ? bytes.Length : header)] ^= (byte)(1 << random.Next(8));
                return bytes.SequenceEqual(whole) ? bytes[..^1] : bytes;
        }
    }

    // Another digit somewhere in the header, with checksums that fit: what a hand or another program may write.
    private static byte[] OtherNumber(byte[] whole, Random random)
    {
        var bytes = (byte[])whole.Clone();
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(whole);
        var header = bytes.AsSpan(8, length);
        var places = Enumerable.Range(0, header.Length).Where(i => whole[8 + i] is >= (byte)'0' and <= (byte)'9'
            && !InChecksumName(whole.AsSpan(8, length), i)).ToArray();
        header[places[random.Next(places.Length)]] = (byte)('0' + random.Next(10));
        Checksums.Seal(header);
        return bytes;
    }

    // The digits of "sha256": under another name the checksum is not the file's any more, and there is nothing to reseal.
    private static bool InChecksumName(ReadOnlySpan<byte> header, int i)
    {
        var name = "sha256"u8;
        var start = Math.Max(0, i - name.Length + 1);
        return header[start..Math.Min(header.Length, i + name.Length)].IndexOf(name) >= 0;
    }

    private static IDataView Data(MLContext mlContext) => mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 64)
        .Select(i => new TableRow { Number = i % 7 - 3, Class = $"class {i % 4}" }));

    private static float[][] Embed(IDataView data, ITransformer encoder) => [.. encoder.Transform(data).GetColumn<float[]>("Features")];

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }

    private sealed class SeriesRow
    {
        [VectorType(16)]
        public float[] Series { get; set; } = [];
    }

    private sealed class TableRow
    {
        public float Number { get; set; }

        public string Class { get; set; } = "";
    }
}
