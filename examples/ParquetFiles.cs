#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:package Parquet.Net
#:property PublishAot=false
#:property NeedsNativeTorch=true

// Parquet: a file that is larger than the memory for rows, read row group by row group in every epoch.
//   dotnet run examples/ParquetFiles.cs [-- --small]
using System.Runtime.CompilerServices;
using Microsoft.ML;
using Parquet;
using Parquet.Schema;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: a file of sensors in row groups, as a warehouse exports it. Two states of a machine; in each the readings go together.
var path = Path.Combine(Path.GetTempPath(), $"sensors-{Environment.ProcessId}.parquet");
DataField<float> speed = new("Speed"), heat = new("Heat"), noise = new("Noise");
DataField<string> state = new("State");
var random = new Random(1);
await using (var file = File.Create(path))
{
    await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(speed, heat, noise, state), file);
    for (var i = 0; i < (small ? 3 : 40); i++)
    {
        var rows = Enumerable.Range(0, 1_000).Select(_ => Reading.Draw(random)).ToArray();
        using var group = writer.CreateRowGroup();
        await group.WriteAsync<float>(speed, rows.Select(row => row.Speed).ToArray());
        await group.WriteAsync<float>(heat, rows.Select(row => row.Heat).ToArray());
        await group.WriteAsync<float>(noise, rows.Select(row => row.Noise).ToArray());
        await group.WriteAsync(state, rows.Select(row => row.State).ToArray());
    }
}

// Asked anew for every pass; one row group is in memory at a time.
async IAsyncEnumerable<Reading> Read([EnumeratorCancellation] CancellationToken cancellationToken = default)
{
    await using var reader = await ParquetReader.CreateAsync(path, cancellationToken: cancellationToken);
    for (var i = 0; i < reader.RowGroupCount; i++)
    {
        using var group = reader.OpenRowGroupReader(i);
        var count = (int)group.RowCount;
        float[] speeds = new float[count], heats = new float[count], noises = new float[count];
        var states = new string?[count];
        await group.ReadAsync(speed, speeds.AsMemory(), cancellationToken: cancellationToken);
        await group.ReadAsync(heat, heats.AsMemory(), cancellationToken: cancellationToken);
        await group.ReadAsync(noise, noises.AsMemory(), cancellationToken: cancellationToken);
        await group.ReadAsync(state, states.AsMemory(), cancellationToken: cancellationToken);
        for (var row = 0; row < count; row++)
            yield return new Reading { Speed = speeds[row], Heat = heats[row], Noise = noises[row], State = states[row] ?? "" };
    }
}
var data = ssl.Data.LoadFromAsyncEnumerable(() => Read());

// Pretraining: rows beyond CacheLimit, here 16 KB so that a small file shows it, are streamed through a shuffle buffer.
using var encoder = ssl.Tabular.Scarf(new ScarfTrainer.Options
{
    InputColumnNames = ["Speed", "Heat", "Noise"],
    NumberOfEpochs = small ? 1 : 5,
    CacheLimit = 16 << 10,
    ShuffleBufferSize = 2_000,
    IncludeInputFeatures = false,
}).Fit(data);

// Use: the state from the embedding, by the nearest other rows.
var labeled = mlContext.Transforms.Conversion.MapValueToKey("State").Fit(data).Transform(mlContext.Data.TakeRows(data, 2_000));
var metrics = ssl.EvaluateRepresentation(encoder.Transform(labeled), "State");
Console.WriteLine($"state by the nearest rows: {metrics.NearestNeighborAccuracy:0.00}; always the more frequent one: {metrics.LargestClassShare:0.00}");
File.Delete(path);

// Expected output:
// state by the nearest rows: 0.95; always the more frequent one: 0.51

internal sealed class Reading
{
    public float Speed { get; set; }
    public float Heat { get; set; }
    public float Noise { get; set; }
    public string State { get; set; } = "";

    // In one state heat follows speed, in the other noise does.
    public static Reading Draw(Random random)
    {
        var (worn, speed) = (random.Next(2) == 1, random.NextSingle());
        float Follow() => speed + 0.1f * random.NextSingle();
        return new Reading { Speed = speed, Heat = worn ? random.NextSingle() : Follow(), Noise = worn ? Follow() : random.NextSingle(), State = worn ? "worn" : "new" };
    }
}
