using System.Buffers.Binary;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Data.Audio;

/// <summary>Sound files of all kinds as a column of samples, and what is told of those that are none.</summary>
[TestClass]
public sealed class SoundLoadingTests
{
    private const int FileRate = 22_050;

    private static readonly MLContext s_mlContext = TestDevice.Context(1);

    private static readonly DirectoryInfo s_written = Directory.CreateTempSubdirectory("ssl-sounds-");

    [ClassCleanup]
    public static void DeleteFiles() => s_written.Delete(recursive: true);

    private static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "data", "sounds");

    // The files were made with sox: 0.4 s, on the left 440 hertz at half the full scale, on the right 880 at a quarter.
    [TestMethod]
    [DataRow("tones.mp3", 0.03)]
    [DataRow("tones.ogg", 0.03)]
    [DataRow("tones.wav", 1e-4)]
    public void TonesAreHeardInEveryFormat(string file, double tolerance)
    {
        if (file == "tones.wav")
            file = Write(Wave(FileRate, 16, [.. Tones(FileRate * 2 / 5)]));
        foreach (var rate in (int[])[FileRate, 8_000, 44_100])
        {
            foreach (var (channel, left, right) in new (int?, double, double)[] { (null, 0.25, 0.125), (0, 0.5, 0), (1, 0, 0.25) })
            {
                float[] sound = Load(file, rate, channel);
                // A codec adds a little silence at the ends.
                Assert.AreEqual(0.4, (double)sound.Length / rate, 0.12, file);
                float[] middle = sound[(sound.Length / 2 - rate / 10)..(sound.Length / 2 + rate / 10)];
                double loss = rate == FileRate ? tolerance : 0.03;
                Assert.AreEqual(left, Amplitude(middle, 440, rate), loss, $"{file}, channel {channel}, {rate}: left");
                Assert.AreEqual(right, Amplitude(middle, 880, rate), loss, $"{file}, channel {channel}, {rate}: right");
                Assert.AreEqual(0, Amplitude(middle, 660, rate), 0.01, "nothing between");
            }
        }
    }

    [TestMethod]
    [DataRow(8)]
    [DataRow(16)]
    [DataRow(24)]
    [DataRow(32)]
    [DataRow(-32)]
    public void SamplesOfEveryWidthAreTheSame(int bits)
    {
        double[] samples = [0, 0.5, -0.5, 0.25, -1, 0.75];
        float[] sound = Load(Write(Wave(8_000, bits, [.. samples.Select(sample => new[] { sample })])), 8_000, null);
        Assert.HasCount(samples.Length, sound);
        for (var i = 0; i < samples.Length; i++)
            Assert.AreEqual(samples[i], sound[i], bits == 8 ? 0.01 : 1e-4);
    }

    // What a lower rate cannot hold must not come back as another tone.
    [TestMethod]
    public void ResamplingLetsNoHighTonesThrough()
    {
        var path = Write(Wave(32_000, 16, [.. Enumerable.Range(0, 16_000).Select(t => new[] { 0.5 * Math.Sin(Math.Tau * 7_000 * t / 32_000) })]));
        float[] sound = Load(path, 8_000, null);
        Assert.AreEqual(4_000, sound.Length, 10);
        Assert.IsLessThan(0.05, Amplitude(sound[1_000..3_000], 1_000, 8_000), "7,000 hertz at 8,000 samples a second would be 1,000");
    }

    [TestMethod]
    public void ALoadedChainIsTheSameAndSaysItsRate()
    {
        var rows = s_mlContext.Data.LoadFromEnumerable(new PathRow[] { new() { Path = "tones.mp3" }, new() { Path = "" }, new() { Path = "tones.ogg" } });
        var loader = s_mlContext.SelfSupervised().Audio.LoadSounds("Sound", Folder, "Path", 8_000);
        var shape = loader.GetOutputSchema(ShapeProbe.Of(s_mlContext, rows));
        Assert.AreEqual(SchemaShape.Column.VectorKind.VariableVector, shape.Single(column => column.Name == "Sound").Kind);
        var model = loader.Append(s_mlContext.Transforms.CopyColumns("Copy", "Sound")).Fit(rows);
        var view = model.Transform(rows);
        var rate = 0;
        view.Schema["Sound"].Annotations.GetValue("SampleRate", ref rate);
        Assert.AreEqual(8_000, rate);
        float[][] sounds = [.. view.GetColumn<float[]>("Sound")];
        Assert.IsEmpty(sounds[1], "no path, no sound");
        Assert.IsGreaterThan(3_000, sounds[0].Length);
        using var file = new MemoryStream();
        s_mlContext.Model.Save(model, rows.Schema, file);
        var loaded = s_mlContext.Model.Load(file, out _);
        float[][] again = [.. loaded.Transform(rows).GetColumn<float[]>("Sound")];
        for (var i = 0; i < sounds.Length; i++)
            CollectionAssert.AreEqual(sounds[i], again[i]);
        using var engine = s_mlContext.Model.CreatePredictionEngine<PathRow, SoundRow>(loaded);
        CollectionAssert.AreEqual(sounds[2], engine.Predict(new PathRow { Path = "tones.ogg" }).Sound);
        Assert.AreEqual(8_000, ((SoundLoadingTransformer)((IEnumerable<ITransformer>)loaded).First()).SampleRate);
    }

    [TestMethod]
    public void AnEncoderLearnsFromFilesAndRefusesAnotherRate()
    {
        var rows = s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new PathRow { Path = i == 3 ? "" : i % 2 == 0 ? "tones.mp3" : "tones.ogg" }));
        var ssl = s_mlContext.SelfSupervised();
        MaskedAcousticModelTrainer Learner(int rate) => ssl.Audio.MaskedAcousticModel(new MaskedAcousticModelTrainer.Options
        {
            Spectrogram = new LogMelSpectrogram(rate, numberOfBands: 16), Encoder = TimeSeriesEncoders.PatchTransformer(4, 1, 16, 2), NumberOfEpochs = 1,
            MinimumNumberOfSteps = 0,
        });
        var loader = ssl.Audio.LoadSounds("Sound", Folder, "Path", 8_000);
        var model = loader.Append(Learner(8_000)).Fit(rows);
        try
        {
            foreach (var vector in model.Transform(rows).GetColumn<float[]>("Features"))
                Assert.IsTrue(Array.TrueForAll(vector, float.IsFinite));
            var wrong = Assert.Throws<ArgumentOutOfRangeException>(() => loader.Append(Learner(16_000)).Fit(rows)).Message;
            StringAssert.Contains(wrong, "16000");
            StringAssert.Contains(wrong, "8000 a second");
        }
        finally
        {
            model.LastTransformer.Dispose();
        }
    }

    [TestMethod]
    public void WhatIsNoSoundIsNamed()
    {
        var text = Assert.Throws<FormatException>(() => Load(Write("no sound at all"u8.ToArray()), 8_000, null)).Message;
        StringAssert.Contains(text, "6E6F2073");
        StringAssert.Contains(text, "wav");
        StringAssert.Contains(Assert.Throws<FormatException>(() => Load(Write([]), 8_000, null)).Message, "empty");
        StringAssert.Contains(Assert.Throws<FormatException>(() => Load("tones.ogg", 8_000, 2)).Message, "2 channels, numbered from 0");
        StringAssert.Contains(Assert.Throws<FileNotFoundException>(() => Load("no such file.wav", 8_000, null)).Message, "no such file.wav");
        var muLaw = Wave(8_000, 8, [[0.5], [0.25]]);
        muLaw[20] = 7;
        StringAssert.Contains(Assert.Throws<FormatException>(() => Load(Write(muLaw), 8_000, null)).Message, "cannot be read");
        var rows = s_mlContext.Data.LoadFromEnumerable(new[] { new SoundRow() });
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => s_mlContext.SelfSupervised().Audio.LoadSounds().Fit(rows)).Message, "String");
        var options = Assert.Throws<ArgumentOutOfRangeException>(() => s_mlContext.SelfSupervised().Audio.LoadSounds(new SoundLoadingEstimator.Options
        {
            OutputColumnName = "", SampleRate = 10, Channel = -1, SoundFolder = "",
        })).Message;
        foreach (var name in (string[])["OutputColumnName", "SampleRate", "Channel", "SoundFolder"])
            StringAssert.Contains(options, name);
    }

    private static float[] Load(string path, int rate, int? channel)
    {
        var rows = s_mlContext.Data.LoadFromEnumerable(new[] { new PathRow { Path = path } });
        return s_mlContext.SelfSupervised().Audio.LoadSounds(new SoundLoadingEstimator.Options
        {
            InputColumnName = "Path", SoundFolder = Folder, SampleRate = rate, Channel = channel,
        }).Fit(rows).Transform(rows).GetColumn<float[]>("Sound").Single();
    }

    private static IEnumerable<double[]> Tones(int count)
        => Enumerable.Range(0, count).Select(t => new[] { 0.5 * Math.Sin(Math.Tau * 440 * t / FileRate), 0.25 * Math.Sin(Math.Tau * 880 * t / FileRate) });

    // How loud a tone is: the length of the sound's projection on it.
    private static double Amplitude(float[] sound, double hertz, int rate)
    {
        double real = 0, imaginary = 0;
        for (var t = 0; t < sound.Length; t++)
        {
            real += sound[t] * Math.Cos(Math.Tau * hertz * t / rate);
            imaginary += sound[t] * Math.Sin(Math.Tau * hertz * t / rate);
        }
        return 2 * Math.Sqrt(real * real + imaginary * imaginary) / sound.Length;
    }

    private static string Write(byte[] bytes)
    {
        var path = Path.Combine(s_written.FullName, $"{Guid.NewGuid():N}");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    // A wave file of whole numbers of so many bits, or of floating-point ones (-32).
    private static byte[] Wave(int rate, int bits, double[][] frames)
    {
        int width = Math.Abs(bits) / 8, channels = frames[0].Length, size = frames.Length * channels * width;
        var bytes = new byte[44 + size];
        "RIFF"u8.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), 36 + size);
        "WAVEfmt "u8.CopyTo(bytes.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(20), (short)(bits < 0 ? 3 : 1));
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(22), (short)channels);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), rate);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), rate * channels * width);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(32), (short)(channels * width));
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(34), (short)(8 * width));
        "data"u8.CopyTo(bytes.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(40), size);
        var at = 44;
        foreach (var sample in frames.SelectMany(frame => frame))
        {
            var value = new byte[8].AsSpan();
            if (bits < 0)
                BinaryPrimitives.WriteSingleLittleEndian(value, (float)sample);
            else
                BinaryPrimitives.WriteInt64LittleEndian(value, bits == 8 ? (long)(128 + sample * 127) : (long)Math.Clamp(sample * (1L << (bits - 1)), -(1L << (bits - 1)), (1L << (bits - 1)) - 1));
            value[..width].CopyTo(bytes.AsSpan(at));
            at += width;
        }
        return bytes;
    }

    private sealed class PathRow
    {
        public string Path { get; set; } = "";
    }

    private sealed class SoundRow
    {
        public float[] Sound { get; set; } = [];
    }
}
