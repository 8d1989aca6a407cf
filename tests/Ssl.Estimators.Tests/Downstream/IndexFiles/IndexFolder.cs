namespace Ssl.Estimators.Tests.Downstream;

/// <summary>A folder for index files that goes with the test.</summary>
internal sealed class IndexFolder : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-index-").FullName;

    public string File(string name = "rows.index") => Path.Combine(_folder, name);

    public string[] Names => [.. Directory.EnumerateFiles(_folder).Select(file => Path.GetFileName(file))];

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

/// <summary>Vectors made up.</summary>
internal static class IndexVectors
{
    public static float[] Draw(Random random, int dimension) => [.. Enumerable.Range(0, dimension).Select(_ => random.NextSingle() * 2 - 1)];

    /// <summary>Around so many centers, as embeddings lie.</summary>
    public static float[][] Clustered(int count, int dimension, int centers, int seed, float spread = .6f)
    {
        var around = new Random(7);
        float[][] means = [.. Enumerable.Range(0, centers).Select(_ => Draw(around, dimension))];
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var mean = means[random.Next(centers)];
            return Draw(random, dimension).Zip(mean, (noise, value) => value + spread * noise).ToArray();
        })];
    }
}
