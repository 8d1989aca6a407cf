using System.Diagnostics;
using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.FreshProcess;

/// <summary>
/// A few steps of every method of a contract assembly: by the processes of a launcher, each with its share of the rows, or by one process with
/// all of them, which draws for every row what the process of the row would. Both must end with the same weights.
/// </summary>
internal static class RankTasks
{
    private const int Rows = 32;

    // One step, and some, in which queues, moving averages and the optimizer's state count.
    private static readonly int[] s_steps = [1, 3];

    /// <summary>Trains every method, and writes the weights that each process has at the end.</summary>
    /// <param name="contracts">File of the assembly.</param>
    /// <param name="folder">Gets a file for each method and process.</param>
    /// <param name="ranks">For how many processes one stands; 0 where a launcher started them.</param>
    /// <param name="only">Name of the only method; null for all.</param>
    public static void Train(string contracts, string folder, int ranks, string? only)
    {
        set_num_threads(1);
        var group = ranks == 0 ? ProcessGroup.Start() : null;
        foreach (var type in ContractAccess.Of(Assembly.LoadFrom(contracts))
            .Where(type => only is null || type.Name == only).OrderBy(type => type.Name, StringComparer.Ordinal))
        {
            var clock = Stopwatch.StartNew();
            try
            {
                if (group is null)
                    Write(Path.Combine(folder, $"{type.Name}-before"), Before(type));
                foreach (var steps in s_steps)
                {
                    var state = group is null ? Alone(type, ranks, steps) : Together(type, group, steps);
                    Write(Path.Combine(folder, $"{type.Name}-{steps}-{(group is null ? "alone" : group.Rank)}"), state);
                }
                Console.WriteLine($"{type.Name}: {clock.ElapsedMilliseconds} ms");
            }
            catch (Exception fault)
            {
                Console.WriteLine($"{type.Name}: {fault}");
            }
        }
        group?.Dispose();
    }

    private static Dictionary<string, float[]> Before(Type type)
    {
        using var streams = new RandomStreams(7);
        using var run = Prepare(type, streams);
        return StateOf(run.Method);
    }

    private static Dictionary<string, float[]> Together(Type type, ProcessGroup group, int steps)
    {
        using var streams = new RandomStreams(7);
        using var run = Prepare(type, streams);
        PretrainingLoop.Run(run.Method, new InOrder(run.Source, [.. Enumerable.Range(0, Rows / group.Count)], null), Settings(group, steps), streams, CPU);
        return StateOf(run.Method);
    }

    private static Dictionary<string, float[]> Alone(Type type, int ranks, int steps)
    {
        RandomStreams[] all = [.. Enumerable.Range(0, ranks).Select(_ => new RandomStreams(7))];
        using var run = Prepare(type, all[0]);
        // The rows of the first process, those of the second, and so on.
        int[] order = [.. Enumerable.Range(0, ranks).SelectMany(rank => Enumerable.Range(0, Rows / ranks).Select(i => i * ranks + rank))];
        try
        {
            PretrainingLoop.Run(run.Method, new InOrder(run.Source, order, epoch =>
            {
                for (var rank = 0; rank < ranks; rank++)
                    all[rank].BeginEpoch(epoch, rank);
                Draws.OfRanks = new DrawsOfRanks(all, Rows);
            }), Settings(null, steps), all[0], CPU);
        }
        finally
        {
            Draws.OfRanks = null;
        }
        return StateOf(run.Method);
    }

    // Steps in proportion to gradients: where AdamW divides by their size, a rounding of nearly nothing becomes a step as long as any.
    private static TrainingSettings Settings(ProcessGroup? group, int steps) => new()
    {
        NumberOfEpochs = steps, BatchSize = Rows, LearningRate = 1, Epsilon = 1, WarmupFraction = 0, WeightDecay = 0, GradientClipNorm = 1, Processes = group,
    };

    private static PretrainingRun Prepare(Type type, RandomStreams streams)
    {
        var (contract, mlContext) = (Activator.CreateInstance(type)!, new MLContext(5));
        Action<PretrainingOptions> change = options =>
        {
            options.BatchSize = Rows;
            // In ColorJitter the order of the changes depends on a row's place in the batch, which differs between one process and several.
            if (options is ImagePretrainingOptions { View: null, Encoder: { } encoder } images)
                images.View = ImageViews.CropAndFlip(encoder.Shape);
        };
        var trainer = ContractAccess.Call<PretrainingTrainer>(contract, "Create", mlContext, change);
        using var channel = ((IChannelProvider)mlContext).Start("ranks");
        return ContractAccess.Call<PretrainingRun>(trainer, "Prepare", ContractAccess.Call<IDataView>(contract, "View", mlContext, Rows, 1), streams, channel);
    }

    private static Dictionary<string, float[]> StateOf(PretrainingMethod method)
    {
        using var scope = NewDisposeScope();
        return method.state_dict().Where(item => item.Value.is_floating_point())
            .ToDictionary(item => item.Key, item => item.Value.contiguous().data<float>().ToArray());
    }

    private static void Write(string path, Dictionary<string, float[]> state)
    {
        using var writer = new BinaryWriter(File.Create(path));
        foreach (var (name, values) in state)
        {
            writer.Write(name);
            writer.Write(values.Length);
            foreach (var value in values)
                writer.Write(value);
        }
    }

    // All rows as one batch, always in the same order.
    private sealed class InOrder(BatchSource source, int[] order, Action<int>? begin) : IBatchSource
    {
        public long? RowCount => order.Length;

        public long? BatchesPerEpoch => 1;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
        {
            begin?.Invoke(epoch);
            return ContractAccess.Call<IEnumerable<IReadOnlyList<Batch>>>(source, "ToBatches", (ArraySegment<int>[])[order], null);
        }
    }

    // The first dimension of what is drawn are the rows, once or several times behind each other: the part of each process from its own stream.
    private sealed class DrawsOfRanks(RandomStreams[] streams, long rows) : IDrawsOfRanks
    {
        private readonly long _own = rows / streams.Length;

        public Tensor ByRows(long[] shape, Generator generator, Func<long[], Generator, Tensor> draw)
            => Join(shape, rank => draw([shape[0] / streams.Length, .. shape[1..]], Of(generator, rank)));

        public Tensor Rows(long count, long[] shape, Generator? generator, Func<long, long[], Generator?, Tensor> draw)
        {
            long own = count / streams.Length;
            return Join(shape, rank =>
            {
                // The i-th row of a process, in the j-th repetition, is the i-th of its part of the j-th.
                var drawn = draw(own, [shape[0] / streams.Length, .. shape[1..]], generator is null ? null : Of(generator, rank));
                var repetition = drawn.div(_own, RoundingMode.floor);
                return drawn + repetition * (rows - _own) + rank * _own;
            });
        }

        public Tensor Common(Generator generator, Func<Generator, Tensor> draw)
        {
            var first = draw(generator);
            for (var rank = 1; rank < streams.Length; rank++)
                draw(Of(generator, rank)).Dispose();
            return first;
        }

        private Tensor Join(long[] shape, Func<int, Tensor> part)
        {
            if (shape[0] % rows != 0)
                throw new InvalidOperationException($"The first dimension of [{string.Join(", ", shape)}] are not the {rows} rows.");
            long times = shape[0] / rows;
            return cat([.. Enumerable.Range(0, streams.Length).Select(rank => part(rank).view([times, _own, .. shape[1..]]))], 1).reshape(shape);
        }

        private Generator Of(Generator generator, int rank) => ReferenceEquals(generator, streams[0].Views) ? streams[rank].Views
            : ReferenceEquals(generator, streams[0].Masks) ? streams[rank].Masks : ReferenceEquals(generator, streams[0].Dropout) ? streams[rank].Dropout
            : throw new InvalidOperationException("Something is drawn from the weights' stream in a step.");
    }
}
