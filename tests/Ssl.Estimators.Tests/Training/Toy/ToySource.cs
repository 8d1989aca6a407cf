using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training.Toy;

/// <summary>Rows in memory, in a new order every epoch; all lie on a plane, so there is something to learn.</summary>
internal sealed class ToySource : IBatchSource
{
    private readonly float[][] _rows;
    private readonly RandomStreams _streams;
    private readonly int _batchSize;

    public ToySource(RandomStreams streams, int rows = 64, int batchSize = 16, int inputs = 6)
    {
        (_streams, _batchSize) = (streams, batchSize);
        var random = new Random(5);
        _rows = new float[rows][];
        for (int i = 0; i < rows; i++)
        {
            double a = random.NextDouble() * 2 - 1, b = random.NextDouble() * 2 - 1;
            _rows[i] = [.. Enumerable.Range(0, inputs).Select(j => (float)(a * Math.Sin(j) + b * Math.Cos(2 * j)))];
        }
    }

    public bool HidesRowCount { get; init; }

    public long? RowCount => HidesRowCount ? null : _rows.Length;

    /// <summary>Called before each batch with the epoch from 0 and the step from 1.</summary>
    public Action<int, int>? BeforeStep { get; init; }

    /// <summary>Every batch ever handed out.</summary>
    public List<Batch> Batches { get; } = [];

    public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
    {
        int[] order = [.. Enumerable.Range(0, _rows.Length)];
        _streams.Shuffle.Shuffle(order);
        int step = 0;
        foreach (int[] part in order.Chunk(_batchSize))
        {
            BeforeStep?.Invoke(epoch, ++step);
            float[] values = [.. part.SelectMany(row => _rows[row])];
            var batch = new VectorBatch(tensor(values, part.Length, _rows[0].Length));
            if (Batches.Count < 1000)
                Batches.Add(batch);
            yield return [batch];
        }
    }
}
