#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Wav2Vec2: convolutions hear the samples themselves; a transformer finds for each hidden step its own code, and the codes are learned along.
//   dotnet run examples/Wav2Vec2.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

const int SampleRate = 2_000;
var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: "words" of three syllables, each one of four sounds, spoken at another pitch every time. Which word it is lies in the order of the syllables.
var random = new Random(1);
int[][] words = [[0, 1, 2], [2, 1, 0], [1, 3, 0], [0, 3, 1]];
Recording Draw(int word)
{
    var (pitch, sound) = (60 + 40 * random.NextDouble(), new List<float>());
    foreach (var syllable in words[word])
    {
        var (length, first) = (random.Next(300, 500), (syllable + 1) * 150.0);
        for (var i = 0; i < length; i++)
        {
            var envelope = Math.Sin(Math.PI * i / length);
            sound.Add((float)(envelope * (Math.Sin(Math.Tau * first * i / SampleRate) + Math.Sin(Math.Tau * pitch * i / SampleRate)) + 0.3 * (random.NextDouble() - 0.5)));
        }
    }
    return new Recording { Sound = [.. sound], Word = $"word {word}" };
}
Recording[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => Draw(i % words.Length))];
var unlabeled = mlContext.Data.LoadFromEnumerable(Rows(small ? 32 : 300));
var fewLabeled = mlContext.Data.LoadFromEnumerable(Rows(16));
var test = mlContext.Data.LoadFromEnumerable(Rows(small ? 40 : 160));

// Pretraining: an ordinary estimator. A step is 5 x 2 x 2 x 2 samples, 20 milliseconds. 0 epochs gives the untrained encoder to compare with.
EncoderTransformer Pretrain(int epochs) => ssl.Audio.Wav2Vec2(new Wav2Vec2Trainer.Options
{
    Encoder = TimeSeriesEncoders.SoundTransformer(embeddingDimension: 64, convolutionWidth: 32, numberOfConvolutions: 4, numberOfLayers: 2, numberOfHeads: 4),
    NumberOfChannels = 1,
    SpanLength = 5,
    CodebookSize = 16,
    NumberOfEpochs = epochs,
}).Fit(unlabeled);
using var untrained = Pretrain(0);
using var encoder = Pretrain(small ? 1 : 30);

// Use: fine-tuning with four recordings a word, which is what such encoders are for.
double Accuracy(EncoderTransformer start)
{
    using var model = mlContext.Transforms.Conversion.MapValueToKey("Label", "Word")
        .Append(ssl.FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options { Encoder = start, NumberOfEpochs = 30, BatchSize = 8, LearningRate = 1e-3 }))
        .Fit(fewLabeled);
    return mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy;
}
Console.WriteLine($"accuracy with 4 labels a word: untrained {Accuracy(untrained):0.00}, pretrained {Accuracy(encoder):0.00}");

// Expected output:
// accuracy with 4 labels a word: untrained 0.71, pretrained 0.79

internal sealed class Recording
{
    public float[] Sound { get; set; } = [];
    public string Word { get; set; } = "";
}
