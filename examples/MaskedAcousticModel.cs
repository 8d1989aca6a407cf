#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// MaskedAcousticModel: spans and bands of spectrograms are hidden, and a transformer says what was there. From sound files to a classifier in one chain.
//   dotnet run examples/MaskedAcousticModel.cs [-- --small]
using Microsoft.ML;
using Microsoft.ML.Data;
using NAudio.Wave;
using Ssl.Estimators;
using Ssl.MLNet;

const int FileRate = 11_025, SampleRate = 4_000;
var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();
var folder = Directory.CreateTempSubdirectory("machines-").FullName;

// Data: recordings of fans, stereo files, each at a speed of its own, in noise. In which state a fan is lies in how its pitch moves. Most recordings nobody
// has listened to.
var random = new Random(1);
string[] states = ["steady", "slowing down", "trembling", "switching"];
Recording Draw(int state, int number)
{
    var (length, lowest, phase) = (random.Next(5_000, 9_000), 300 + 300 * random.NextDouble(), 0.0);
    var file = $"{number}.wav";
    using var writer = new WaveFileWriter(Path.Combine(folder, file), new WaveFormat(FileRate, 16, 2));
    for (var i = 0; i < length; i++)
    {
        var at = (double)i / length;
        phase += Math.Tau * lowest * (state switch { 0 => 1.5, 1 => 2 - at, 2 => 1.5 + 0.4 * Math.Sin(60 * at), _ => at < 0.5 ? 1.2 : 1.8 }) / FileRate;
        var sample = (float)(0.2 * Math.Sin(phase) + 0.3 * (random.NextDouble() - 0.5));
        writer.WriteSample(sample);
        writer.WriteSample(sample * 0.5f);
    }
    return new Recording { Path = file, State = states[state] };
}
var written = 0;
Recording[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => Draw(i % states.Length, written++))];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 32 : 400));
var fewLabeled = mlContext.Data.LoadFromEnumerable(Rows(16));
var test = mlContext.Data.LoadFromEnumerable(Rows(small ? 40 : 160));

// Files to samples: wav, mp3 and ogg Vorbis, of any rate and any number of channels.
var sounds = ssl.Audio.LoadSounds("Sound", soundFolder: folder, inputColumnName: "Path", sampleRate: SampleRate);

// Pretraining: an ordinary estimator behind it. 0 epochs gives the untrained encoder to compare with.
TransformerChain<EncoderTransformer> Pretrain(int epochs) => sounds.Append(ssl.Audio.MaskedAcousticModel(new MaskedAcousticModelTrainer.Options
{
    Spectrogram = new LogMelSpectrogram(SampleRate, numberOfBands: 32),
    Encoder = TimeSeriesEncoders.PatchTransformer(patchLength: 2, numberOfLayers: 2, dimension: 64, numberOfHeads: 4),
    NumberOfEpochs = epochs,
})).Fit(unlabeled);
var untrained = Pretrain(0);
var pretrained = Pretrain(small ? 1 : 40);

// Use: fine-tuning with four recordings a state, which is what such encoders are for.
double Accuracy(TransformerChain<EncoderTransformer> embedding)
{
    using var model = sounds
        .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", "State"))
        .Append(ssl.FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options
        {
            Encoder = embedding.LastTransformer, NumberOfEpochs = 40, BatchSize = 4, LearningRate = 1e-3,
        })).Fit(fewLabeled);
    return mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
}
Console.WriteLine($"accuracy with 4 labels a state: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(pretrained):0.00}");
untrained.LastTransformer.Dispose();
pretrained.LastTransformer.Dispose();
Directory.Delete(folder, recursive: true);

// Expected output:
// accuracy with 4 labels a state: untrained 0.46, pretrained 0.55

internal sealed class Recording
{
    public string Path { get; set; } = "";
    public string State { get; set; } = "";
}
