using System.Globalization;
using System.Runtime.CompilerServices;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.FreshProcess;

/// <summary>What stays in memory, and what writes where it must not.</summary>
internal static class MemoryTasks
{
    private static readonly TokenVocabulary s_vocabulary = new(2000, 0, 1, 2, 3, 4, 5);

    /// <summary>Encoders with a table of 50 MB that nobody disposes of: the growth of the resident memory in MB.</summary>
    public static void DroppedEncoders(int count)
    {
        using var streams = new RandomStreams(1);
        Make(2, streams);
        var before = ResidentMegabytes();
        Make(count, streams);
        Console.WriteLine($"growth: {ResidentMegabytes() - before}");
    }

    /// <summary>Training steps of one kind of data: the growth of the resident memory between step 200 and the end in MB.</summary>
    public static void Steps(string kind, int steps)
    {
        using var streams = new RandomStreams(1);
        using var method = Method(kind, streams);
        var source = new Repeated(kind, steps);
        PretrainingLoop.Run(method, source, new TrainingSettings { NumberOfEpochs = 1, BatchSize = 16 }, streams, CPU);
        Console.WriteLine($"growth: {ResidentMegabytes() - source.Before}");
    }

    /// <summary>A residual network whose shortcuts have few channels, on one thread.</summary>
    public static void TinyResNetOnOneThread()
    {
        set_num_threads(1);
        using var streams = new RandomStreams(1);
        using var encoder = new ResNetEncoderFactory(new ImageShape(3, 32, 32), 18, 4, ImageStem.Small).Create(streams);
        var optimizer = optim.SGD(encoder.parameters(), 0.01);
        for (var step = 0; step < 30; step++)
        {
            using var scope = NewDisposeScope();
            using var batch = Images(16);
            optimizer.zero_grad();
            encoder.call(batch).square().mean().backward();
            optimizer.step();
        }
        Console.WriteLine($"finite: {encoder.parameters().All(p => p.isfinite().all().item<bool>())}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Make(int count, RandomStreams streams)
    {
        using var skip = Initialization.Skip();
        for (var i = 0; i < count; i++)
        {
            MakeOne(streams);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeOne(RandomStreams streams)
    {
        var vocabulary = s_vocabulary with { Size = 102_400 };
        var encoder = TextEncoders.Bag(embeddingDimension: 16, tokenDimension: 128, hiddenDimension: 16).Create(vocabulary, streams);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        encoder.call(new TokenBatch(ones(2, 4, dtype: ScalarType.Int64), ones(2, 4, dtype: ScalarType.Bool)));
    }

    private static PretrainingMethod Method(string kind, RandomStreams streams) => kind switch
    {
        "text" => new SimCseTrainer.Method(TextEncoders.Transformer(1, 32, 2, maximumTokens: 16).Create(s_vocabulary, streams), streams,
            new()),
        "table" => new ScarfTrainer.Method(TabularEncoders.Mlp(2, 32).Create(Repeated.Layout, streams), streams, new()),
        "image" => new SimClrTrainer.Method(ImageEncoders.SmallConvNet(imageSize: 16, channels: 3, numberOfStages: 2,
            width: 8).Create(streams), streams, new()),
        "series" => new Ts2VecTrainer.Method(TimeSeriesEncoders.DilatedConvolution(16, 16, 3).Create(new SeriesLayout(2, 48), streams),
            streams, new()),
        _ => throw new ArgumentException($"There is no kind '{kind}'.", nameof(kind)),
    };

    private static ImageBatch Images(int count) => new(rand(count, 3, 32, 32));

    private static long ResidentMegabytes()
    {
        var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) >> 10;
    }

    // Random batches of one kind.
    private sealed class Repeated(string kind, int steps) : IBatchSource
    {
        private const int Rows = 16, Settled = 200;

        public static TableLayout Layout { get; } = new(["a", "b"], ["c"], [6], [[-2, 0, 2], [-1, 0, 1]]);

        public long Before { get; private set; }

        public long? RowCount => (long)Rows * steps;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
        {
            for (var step = 0; step < steps; step++)
            {
                if (step == Settled)
                    Before = ResidentMegabytes();
                yield return [Make()];
            }
        }

        private Batch Make() => kind switch
        {
            "text" => new TokenBatch(randint(5, 2000, [Rows, 12], dtype: ScalarType.Int64), ones(Rows, 12, dtype: ScalarType.Bool)),
            "table" => new TableBatch(randn(Rows, 2), zeros(Rows, 2, dtype: ScalarType.Bool),
                randint(TableLayout.SpecialCount, 6, [Rows, 1], dtype: ScalarType.Int64)),
            "image" => new ImageBatch(rand(Rows, 3, 16, 16)),
            _ => new SeriesBatch(randn(Rows, 2, 48), ones(Rows, 48, dtype: ScalarType.Bool), ones(Rows, 48, dtype: ScalarType.Bool)),
        };
    }
}
