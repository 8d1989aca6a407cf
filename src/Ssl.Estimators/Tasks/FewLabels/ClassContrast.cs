using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// Trains an encoder on labeled rows, or its upper half where it is large: those of a class shall lie together and apart from the others.
/// </summary>
/// <remarks>
/// The step that makes few labels enough in SetFit (Tunstall et al., 2022, arXiv:2209.11055), with the loss of Khosla et al. (2020,
/// arXiv:2004.11362), which sees all pairs of a batch at once.
/// </remarks>
internal sealed class ClassContrast : PretrainingMethod
{
    private const double Temperature = 0.07;

    // Of weights beside word tables. A network that is larger has learned from more than the rows at hand, and is not to forget it.
    private const long SmallNetwork = 5_000_000;

    [ComponentName(Name = "encoder")]
    private readonly Encoder _encoder;

    /// <param name="encoder">A copy; owned from here on.</param>
    public ClassContrast(Encoder encoder) : base(nameof(ClassContrast), encoder)
    {
        _encoder = encoder;
        RegisterComponents();
        var tables = encoder.modules().OfType<EmbeddingTable>().Sum(table => table.Weight.numel());
        if (encoder.parameters().Sum(parameter => parameter.numel()) - tables <= SmallNetwork)
            return;
        LearningRate = 1e-4;
        Tune(new EncoderTuning(TrainableBlocks: new EncoderBlocks(encoder).Count / 2));
    }

    /// <summary>The peak learning rate that suits the network.</summary>
    public double LearningRate { get; } = 1e-3;

    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        if (columns is not [var inputs, LabelBatch labels])
            throw new ArgumentException($"The contrast of classes takes a batch of inputs and a {nameof(LabelBatch)}.", nameof(columns));
        return new StepLoss(SupervisedContrastiveLoss.Compute(_encoder.call(inputs), labels.Values, Temperature), []);
    }
}

/// <summary>Batches in which every class has rows enough to be compared: many classes with two rows each, or a few with more.</summary>
/// <param name="rows">All rows.</param>
/// <param name="labeled">Numbers of the rows to use.</param>
/// <param name="labels">The class of each of them.</param>
/// <param name="random">Draws classes and rows.</param>
/// <param name="batchSize">Rows a step, where the classes have as many.</param>
/// <param name="steps">Batches in all.</param>
internal sealed class ClassBatches(RowStore rows, int[] labeled, float[] labels, Random random, int batchSize, int steps) : IBatchSource
{
    /// <summary>Rows a step, where there is time.</summary>
    public const int LargestBatch = 64;

    public long? RowCount => (long)steps * batchSize;

    public long? BatchesPerEpoch => steps;

    public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
    {
        Deck<int>[] classes = [.. Enumerable.Range(0, labeled.Length).GroupBy(i => labels[i]).Select(group => new Deck<int>([.. group], random))];
        var order = new Deck<Deck<int>>(classes, random);
        var taken = Math.Min(classes.Length, batchSize / 2);
        var batch = new List<int>();
        for (var step = 0; step < steps; step++)
        {
            batch.Clear();
            foreach (var members in order.Take(taken))
                batch.AddRange(members.Take(Math.Min(batchSize / taken, members.Count)));
            yield return [rows.ToBatch([.. batch.Select(i => labeled[i])]), new LabelBatch(tensor(batch.Select(i => labels[i]).ToArray()))];
        }
    }

    // Cards that are dealt in a random order, and shuffled when they run out.
    private sealed class Deck<T>(T[] cards, Random random)
    {
        private int _next = cards.Length;

        public int Count => cards.Length;

        public T[] Take(int count)
        {
            if (_next + count > cards.Length)
            {
                random.Shuffle(cards);
                _next = 0;
            }
            _next += count;
            return cards[(_next - count).._next];
        }
    }
}
