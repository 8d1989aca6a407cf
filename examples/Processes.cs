#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Several processes train one encoder; started by hand the same program is one process.
//   dotnet run examples/Processes.cs [-- --small]
//   dotnet publish examples/Processes.cs -o out && mpirun -n 2 --bind-to none dotnet out/Processes.dll     (Open MPI: apt-get install openmpi-bin)
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// The one line: everything below is as it would be without it.
using var processes = ssl.UseProcesses();

string[] words = ["wave", "harbor", "sail", "oven", "flour", "pan", "soil", "rose", "seed", "violin", "rhythm", "chord"];
var random = new Random(1);
var rows = Enumerable.Range(0, small ? 256 : 8_192).Select(i => new Row
{
    Text = string.Join(' ', Enumerable.Range(0, 16).Select(_ => words[(i % 4 * 3 + random.Next(3) + (random.Next(4) == 0 ? random.Next(12) : 0)) % 12])),
}).ToArray();

// BatchSize is the rows of a step of all processes together; only the first one speaks.
mlContext.Log += (_, e) => { if (e.Source.StartsWith("SimCse", StringComparison.Ordinal) && e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Info) Console.WriteLine(e.Message); };
using var encoder = ssl.Text.SimCse("Features", "Text", TextEncoders.Transformer(numberOfLayers: 1, dimension: 64, numberOfHeads: 2), batchSize: 64, numberOfEpochs: small ? 1 : 4)
    .Fit(mlContext.Data.LoadFromEnumerable(rows));

var first = encoder.Embed("wave harbor sail")[0];
Console.WriteLine($"process {processes.Rank} of {processes.Count}: first number of an embedding {first:0.00000000}, {processes.BytesSent / 1e6:0.0} MB sent, {processes.TimeWaited.TotalSeconds:0.0} s waited");

// Files are written by one.
if (processes.IsFirst)
{
    var path = Path.Combine(Path.GetTempPath(), $"encoder-{Environment.ProcessId}.zip");
    ssl.SaveEncoder(encoder, path);
    Console.WriteLine($"saved: {new FileInfo(path).Length / 1e6:0.0} MB");
    File.Delete(path);
}

// Expected output of two processes, beside the log: the same number from both.

internal sealed class Row
{
    public string Text { get; set; } = "";
}
