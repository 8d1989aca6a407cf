using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.FreshProcess;

/// <summary>Trains and scores every kind of encoder on made-up rows, and prints a line with a hash of the embeddings for each.</summary>
internal static class TrainEverything
{
    private static volatile bool s_done;

    /// <param name="epochs">Length of each training.</param>
    /// <param name="stress">Whether two threads allocate meanwhile and a third one collects, so that finalizers run all the time.</param>
    public static int Run(int epochs, bool stress)
    {
        foreach (var work in stress ? (ThreadStart[])[Allocate, Allocate, Collect] : [])
            new Thread(work) { IsBackground = true }.Start();
        var faults = 0;
        foreach (var (name, fit) in Trainings(epochs))
        {
            try
            {
                Console.WriteLine($"{name} {fit()}");
            }
            catch (Exception fault)
            {
                faults++;
                Console.WriteLine($"{name} {fault.GetType().Name}: {fault.Message.Split('\n')[0]}");
            }
        }
        s_done = true;
        return faults;
    }

    private static IEnumerable<(string Name, Func<string> Fit)> Trainings(int epochs)
    {
        foreach (var encoder in (TextEncoderFactory[])[TextEncoders.Bag(16, 16, 16), TextEncoders.Transformer(1, 16, 2)])
            yield return Training(encoder, ssl => ssl.Text.SimCse("Features", "Text", encoder, 16, epochs));
        foreach (var encoder in (TabularEncoderFactory[])
            [TabularEncoders.Mlp(2, 16), TabularEncoders.ResidualMlp(1), TabularEncoders.ColumnTransformer(1)])
        {
            yield return Training(encoder, ssl => ssl.Tabular.Scarf(new ScarfTrainer.Options
            {
                InputColumnNames = ["Numbers", "Text"], Encoder = encoder, BatchSize = 16, NumberOfEpochs = epochs,
            }));
        }
        foreach (var encoder in (ImageEncoderFactory[])
            [ImageEncoders.SmallConvNet(8, 1), ImageEncoders.ResNet18(8, 1), ImageEncoders.VisionTransformer(8, 4, 1, 1, 16, 2)])
            yield return Training(encoder, ssl => ssl.Images.MoCo("Features", "Image", encoder, 16, epochs));
        var pair = ImageEncoders.SmallConvNet(8, 1);
        yield return Training(pair, ssl => ssl.ImageText.Clip("Features", "Image", "Text", pair, TextEncoders.Bag(16, 16, 16), 16, epochs));
        foreach (var encoder in (TimeSeriesEncoderFactory[])
            [TimeSeriesEncoders.DilatedConvolution(16, 8, 2), TimeSeriesEncoders.PatchTransformer(8, 8)])
            yield return Training(encoder, ssl => encoder.EncodesPatches
                ? ssl.TimeSeries.MaskedPatches("Features", "Series", encoder, 16, epochs)
                : ssl.TimeSeries.Ts2Vec("Features", "Series", encoder, 16, epochs));
    }

    private static (string, Func<string>) Training(object encoder, Func<SelfSupervisedCatalog, IEstimator<EncoderTransformer>> make)
        => (encoder.GetType().Name, () => Hash(make));

    private static string Hash(Func<SelfSupervisedCatalog, IEstimator<EncoderTransformer>> make)
    {
        var mlContext = new MLContext(3);
        var random = new Random(5);
        var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 64).Select(i => new Sample
        {
            Text = string.Join(' ', Enumerable.Range(0, 3 + i % 5).Select(_ => $"word{random.Next(20)}")),
            Numbers = [random.NextSingle(), i, float.NaN],
            Series = [.. Enumerable.Range(0, 32).Select(t => MathF.Sin(t * (i % 4 + 1) * 0.3f) + random.NextSingle())],
            Image = [.. Enumerable.Range(0, 64).Select(_ => (byte)random.Next(256))],
        }).ToArray());
        using var encoder = make(mlContext.SelfSupervised()).Fit(rows);
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var pass = 0; pass < 8; pass++)
        {
            foreach (var vector in encoder.Transform(rows).GetColumn<float[]>("Features"))
                hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(vector));
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static void Allocate()
    {
        var kept = new byte[64][];
        for (var i = 0; !s_done; i++)
        {
            kept[i % 64] = new byte[40_000 + i % 1000];
            _ = new object[100];
        }
    }

    // Forced, because what lives for a single call is seldom met by a collection that comes by itself.
    private static void Collect()
    {
        for (var i = 0; !s_done; i++)
        {
            GC.Collect(i % 8 == 0 ? 1 : 0, GCCollectionMode.Forced, blocking: true);
            Thread.Sleep(i % 5 == 0 ? 1 : 0);
        }
    }

    private sealed class Sample
    {
        public string Text { get; set; } = "";

        [VectorType(3)]
        public float[] Numbers { get; set; } = [];

        [VectorType(32)]
        public float[] Series { get; set; } = [];

        [VectorType(1, 8, 8)]
        public byte[] Image { get; set; } = [];
    }
}
