using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Spoken digits (and who speaks them) from frozen embeddings of sounds, against means and deviations of their log-mel bands.</summary>
public sealed class AudioDigits : BenchCase
{
    private const int SampleRate = 8_000, Draws = 5;

    /// <inheritdoc/>
    public override string Name => "audio-digits";

    /// <inheritdoc/>
    public override int Minutes => 25;

    /// <inheritdoc/>
    public override string Description => "spoken digits and their speakers from 10 labels a class and from all: every method on sounds against log-mel statistics";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var all = Read();
        Recording[] training = [.. all.Where(recording => !recording.IsTest)], test = [.. all.Where(recording => recording.IsTest)];
        var fine = new LogMelSpectrogram(SampleRate, hopLength: 10, fullScale: 32_768);
        float[][] statistics = Statistics(fine, training), testStatistics = Statistics(fine, test);
        Report(results, "log-mel statistics", statistics, testStatistics, training, test, 0);
        var spectrogram = new LogMelSpectrogram(SampleRate, fullScale: 32_768);
        var rows = mlContext.Data.LoadFromEnumerable(training.Select(recording => new SoundRow { Sound = recording.Samples }).ToArray());
        var held = mlContext.Data.LoadFromEnumerable(test.Select(recording => new SoundRow { Sound = recording.Samples }).ToArray());
        var ssl = mlContext.SelfSupervised();
        var epochs = settings.Quick ? 1 : (int?)null;
        (string Name, Func<IEstimator<EncoderTransformer>> Create)[] methods =
        [
            ("untrained", () => ssl.Audio.ByolA(Small(new ByolATrainer.Options { NumberOfEpochs = 0 }))),
            ("ByolA", () => ssl.Audio.ByolA(Small(new ByolATrainer.Options()))),
            ("MaskedAcousticModel untrained", () => ssl.Audio.MaskedAcousticModel(Small(new MaskedAcousticModelTrainer.Options { NumberOfEpochs = 0 }))),
            ("MaskedAcousticModel", () => ssl.Audio.MaskedAcousticModel(Small(new MaskedAcousticModelTrainer.Options()))),
            ("Wav2Vec2 untrained", () => ssl.Audio.Wav2Vec2(Samples(new Wav2Vec2Trainer.Options { NumberOfEpochs = 0 }))),
            ("Wav2Vec2", () => ssl.Audio.Wav2Vec2(Samples(new Wav2Vec2Trainer.Options { NumberOfEpochs = 10 }))),
            ("Ts2Vec", () => ssl.TimeSeries.Ts2Vec(Small(new Ts2VecTrainer.Options { NumberOfEpochs = 4, Encoder = TimeSeriesEncoders.DilatedConvolution(depth: 5) }))),
            ("TemporalContextualContrast", () => ssl.TimeSeries.TemporalContextualContrast(Small(new TemporalContextualContrastTrainer.Options { NumberOfEpochs = 20 }))),
        ];
        foreach (var (name, create) in methods.Where(method => settings.Sets?.Contains(method.Name) ?? true))
        {
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            using var encoder = create().Fit(rows);
            var seconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
            float[][] Embed(IDataView sounds) => [.. encoder.Transform(sounds).GetColumn<float[]>("Features")];
            Report(results, name, Embed(rows), Embed(held), training, test, seconds);
            results.Save();
        }
        results.Note($"free-spoken-digit-dataset, {training.Length:N0} recordings without labels to learn from, {test.Length} to test on; seed {BenchResults.Seed}; spectrogram of 64 bands, windows of 25 ms every 20 ms (every 10 ms for the statistics).");
        results.Note($"Logistic regression on standardized embeddings; few labels: {Draws} draws, penalty in five folds of the labeled rows.");

        // Of samples themselves; of 8,000 a second six convolutions make steps of 20 ms. Spans are shorter than the paper's: a digit is half a second long.
        Wav2Vec2Trainer.Options Samples(Wav2Vec2Trainer.Options options)
        {
            var sounds = Small(options);
            (sounds.Spectrogram, sounds.NumberOfChannels, sounds.SpanLength) = (null, 1, 5);
            sounds.Encoder = TimeSeriesEncoders.SoundTransformer(numberOfConvolutions: 6);
            return sounds;
        }

        T Small<T>(T options) where T : TimeSeriesPretrainingOptions
        {
            (options.InputColumnName, options.Spectrogram, options.Seed) = (nameof(SoundRow.Sound), spectrogram, BenchResults.Seed);
            if (epochs is { } few && options.NumberOfEpochs > 0)
                options.NumberOfEpochs = few;
            return options;
        }
    }

    private static void Report(BenchResults results, string name, float[][] training, float[][] test, Recording[] known, Recording[] held, double seconds)
    {
        var line = $"  {name}:";
        foreach (var (task, of) in new (string, Func<Recording, int>)[] { ("digits", recording => recording.Digit), ("speakers", recording => recording.Speaker) })
        {
            int[] labels = [.. known.Select(of)], truth = [.. held.Select(of)];
            var classes = labels.Max() + 1;
            double[] few = [.. Enumerable.Range(0, Draws).Select(draw =>
            {
                int[] order = [.. Enumerable.Range(0, known.Length)];
                new Random(draw).Shuffle(order);
                int[] rows = [.. order.GroupBy(row => labels[row]).OrderBy(group => group.Key).SelectMany(group => group.Take(10))];
                return LinearProbe.Accuracy([.. rows.Select(row => training[row])], [.. rows.Select(row => labels[row])], test, truth, classes, draw);
            })];
            var all = LinearProbe.Accuracy(training, labels, test, truth, classes, 0);
            results.Add($"{name}, {task}, 10 labels a class", few.Average(), "%");
            results.Add($"{name}, {task}, 10 labels a class, deviation", Measure.Deviation(few), "points");
            results.Add($"{name}, {task}, all labels", all, "%");
            line += string.Create(CultureInfo.InvariantCulture, $" {task} {few.Average():0.0} / {all:0.0}");
        }
        results.Add($"{name}, processor time of the training", seconds, "s");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{line} after {seconds:0} s of the processor"));
    }

    // Mean and deviation of each band over the recording: what one would take without learning.
    private static float[][] Statistics(LogMelSpectrogram spectrogram, Recording[] recordings) => [.. recordings.Select(recording =>
    {
        var values = spectrogram.Compute(Array.ConvertAll(recording.Samples, sample => (double)sample));
        return values.Chunk(values.Length / spectrogram.NumberOfBands).SelectMany(band =>
        {
            var mean = band.Average();
            return new[] { (float)mean, (float)Math.Sqrt(band.Average(value => (value - mean) * (value - mean))) };
        }).ToArray();
    })];

    private static Recording[] Read()
    {
        var folder = Environment.GetEnvironmentVariable("SSL_DATA") is { Length: > 0 } data ? Path.Combine(data, "fsdd") : null;
        if (!Directory.Exists(folder))
            throw new BenchUnavailableException("it needs the data set fsdd in the folder that SSL_DATA names.");
        using var zip = ZipFile.OpenRead(Path.Combine(folder, "recordings.zip"));
        var files = zip.Entries.ToDictionary(entry => entry.Name);
        var lines = File.ReadLines(Path.Combine(folder, "index.tsv")).Skip(1).Select(line => line.Split('\t')).ToArray();
        string[] speakers = [.. lines.Select(cells => cells[2]).Distinct().Order(StringComparer.Ordinal)];
        return [.. lines.Select(cells => new Recording(Samples(files[cells[0]]), int.Parse(cells[1], CultureInfo.InvariantCulture),
            Array.IndexOf(speakers, cells[2]), cells[4] == "test"))];
    }

    // Wave files of 16 bits and one channel: what stands in the piece "data".
    private static short[] Samples(ZipArchiveEntry file)
    {
        using var content = new MemoryStream();
        using (var stream = file.Open())
            stream.CopyTo(content);
        ReadOnlySpan<byte> bytes = content.ToArray();
        for (var at = 12; ;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[(at + 4)..]);
            var body = bytes.Slice(at + 8, Math.Min(length, bytes.Length - at - 8));
            if (bytes.Slice(at, 4).SequenceEqual("data"u8))
                return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(body).ToArray();
            at += 8 + length;
        }
    }

    private sealed record Recording(short[] Samples, int Digit, int Speaker, bool IsTest);

    private sealed class SoundRow
    {
        public short[] Sound { get; set; } = [];
    }
}
