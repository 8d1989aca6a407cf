#:project ../../src/Ssl.MLNet.Interactive/Ssl.MLNet.Interactive.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// %% [markdown]
// # Images: clothes that look alike
//
// Fashion-MNIST has gray images of 28 x 28 pixels, of ten kinds of clothes. It is in the folder of data sets that the environment variable `SSL_DATA` names, in `fashion-mnist/`. Here
// 3,000 of its images are learned from without their labels; two views of one image attract each other, and all other images repel.
// %%
using System.IO;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;
using Ssl.MLNet.Interactive;

var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();
// %%
var folder = Path.Combine(Environment.GetEnvironmentVariable("SSL_DATA") ?? throw new InvalidOperationException("Set SSL_DATA to the folder that holds fashion-mnist/."), "fashion-mnist");
var all = ssl.Data.LoadIdx(Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz"));
string[] kinds = File.ReadAllLines(Path.Combine(folder, "classes.txt"));
var named = mlContext.Transforms.Conversion.MapValue("Kind", kinds.Select((name, i) => KeyValuePair.Create((uint)i, name)), "Label")
    .Append(mlContext.Transforms.Conversion.MapValueToKey("Label", "Kind"));
var data = named.Fit(all).Transform(mlContext.Data.TakeRows(all, 3_000));
Console.WriteLine(string.Join(", ", kinds));
// %% [markdown]
// ## Learning without labels
//
// A small network and 15 epochs: about a minute on two cores.
// %%
var training = new LiveTraining();
var trainer = ssl.Images.SimClr(new SimClrTrainer.Options
{
    Encoder = ImageEncoders.SmallConvNet(imageSize: 28, channels: 1, numberOfStages: 3, width: 16), View = ImageViews.Gray(new ImageShape(1, 28, 28), minimumArea: 0.4),
    BatchSize = 128, NumberOfEpochs = 15, Temperature = 0.2f, Progress = training, CancellationToken = training.CancellationToken,
});
// %%
var encoder = training.Fit(trainer, data);
// %% [markdown]
// ## Neighbors
//
// Images drawn at random, and those that the encoder holds for most like them. The kinds are told, and marked where they are the same; the encoder has not seen them.
// %%
Console.WriteLine(ssl.NeighborTable(data, encoder, labelColumnName: "Label", numberOfExamples: 6, numberOfNeighbors: 5));
// %% [markdown]
// ## The map
// %%
Console.WriteLine(ssl.EmbeddingMap(data, encoder, labelColumnName: "Label", numberOfRows: 600));
// %% [markdown]
// ## In figures
//
// And the same network with fresh weights, which has learned nothing.
// %%
Console.WriteLine(ssl.EvaluateRepresentation(encoder.Transform(data), "Label"));
// %%
var untrained = ssl.Images.SimClr(new SimClrTrainer.Options { Encoder = ImageEncoders.SmallConvNet(imageSize: 28, channels: 1, numberOfStages: 3, width: 16), NumberOfEpochs = 0 }).Fit(data);
Console.WriteLine(ssl.EvaluateRepresentation(untrained.Transform(data), "Label"));
