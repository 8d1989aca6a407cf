#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// MaskedAcousticModel: spans and bands of spectrograms are hidden, and a transformer says what was there. From sound files to a classifier in one chain.
//   dotnet run examples/MaskedAcousticModel.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using NAudio.Wave;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Transformers;
using Ssl.MLNet;

const int FileRate = 11_025, SampleRate = 4_000;
var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();
var folder = Directory.CreateTempSubdirectory("machines-").FullName;

// Data: recordings of machines, stereo files. A sound machine hums; a worn one hums and knocks, now and then; a blocked one slows down. Most recordings
// nobody has listened to.
var random = new Random(1);
string[] states = ["sound", "worn", "blocked"];
Recording Draw(int state, int number)
{
    var (length, hertz, phase) = (random.Next(6_000, 11_000), 200 + 200 * random.NextDouble(), 0.0);
    int knock = random.Next(length), period = random.Next(1_200, 2_500);
    var file = $"{number}.wav";
    using var writer = new WaveFileWriter(Path.Combine(folder, file), new WaveFormat(FileRate, 16, 2));
    for (var i = 0; i < length; i++)
    {
        phase += Math.Tau * hertz * (state == 2 ? 1 - 0.4 * i / length : 1) / FileRate;
        var beat = state == 1 ? Math.Exp(-((i + knock) % period) / 60.0) * (random.NextDouble() - 0.5) : 0;
        var sample = (float)(0.2 * Math.Sin(phase) + 0.1 * Math.Sin(3 * phase) + 0.8 * beat + 0.2 * (random.NextDouble() - 0.5));
        writer.WriteSample(sample);
        writer.WriteSample(sample * 0.5f);
    }
    return new Recording { Path = file, State = states[state] };
}
var written = 0;
Recording[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => Draw(i % states.Length, written++))];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 32 : 300));
var fewLabeled = mlContext.Data.LoadFromEnumerable(Rows(12));
var test = mlContext.Data.LoadFromEnumerable(Rows(small ? 30 : 150));

// Files to samples: wav, mp3 and ogg Vorbis, of any rate and any number of channels.
var sounds = ssl.Audio.LoadSounds("Sound", soundFolder: folder, inputColumnName: "Path", sampleRate: SampleRate);

// Pretraining: an ordinary estimator behind it. 0 epochs gives the untrained encoder to compare with.
TransformerChain<EncoderTransformer> Pretrain(int epochs) => sounds.Append(ssl.Audio.MaskedAcousticModel(new MaskedAcousticModelTrainer.Options
{
    Spectrogram = new LogMelSpectrogram(SampleRate, numberOfBands: 32),
    Encoder = TimeSeriesEncoders.PatchTransformer(patchLength: 4, numberOfLayers: 2, dimension: 64, numberOfHeads: 4),
    NumberOfEpochs = epochs,
})).Fit(unlabeled);
var untrained = Pretrain(0);
var pretrained = Pretrain(small ? 1 : 30);

// Use: a stock trainer on the frozen embedding learns from four recordings a state.
double Accuracy(TransformerChain<EncoderTransformer> embedding)
{
    var classifier = mlContext.Transforms.NormalizeMeanVariance("Features")
        .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", "State"))
        .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f))
        .Fit(embedding.Transform(fewLabeled));
    return mlContext.MulticlassClassification.Evaluate(classifier.Transform(embedding.Transform(test))).MicroAccuracy;
}
Console.WriteLine($"accuracy with 4 labels a state: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(pretrained):0.00}");
untrained.LastTransformer.Dispose();
pretrained.LastTransformer.Dispose();
Directory.Delete(folder, recursive: true);

// Expected output:
// EXPECTED

internal sealed class Recording
{
    public string Path { get; set; } = "";
    public string State { get; set; } = "";
}
