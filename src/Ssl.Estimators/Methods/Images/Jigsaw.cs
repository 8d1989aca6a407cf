using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Nine tiles of an image are shuffled by one of K known permutations, and which one it was is told from all of them.</summary>
/// <remarks>
/// Noroozi and Favaro, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles", 2016 (arXiv:1603.09246). Against
/// shortcuts there are gaps between the tiles, shifts of each, and colour changes of each. Deviations: tiles are brought to the encoder's
/// size; of the permutations each is the one of 500 drawn candidates that differs most from those chosen before, where the paper looks at
/// all. A step encodes nine tiles an image. N images, D the embedding dimension.
/// </remarks>
public sealed class Jigsaw : PretrainingMethod
{
    /// <summary>The most permutations that can be told apart; the paper's most.</summary>
    internal const int MaximumPermutations = 1000;

    private const int Tiles = 9, Candidates = 500;

    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "prediction")]
    private readonly PredictionHead _prediction;

    private readonly RandomStreams _streams;
    private readonly PatchPairCrop _crop;
    private readonly long[] _permutations;
    private readonly int _count;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head comes from <see cref="RandomStreams.Weights"/>, views from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Drawn for every tile on its own; <see langword="null"/> changes colours and takes them away from half of the
    /// tiles.</param>
    /// <param name="numberOfPermutations">K, from 2 to 1,000.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range.</exception>
    public Jigsaw(ImageEncoder encoder, RandomStreams streams, ImageView? view = null, int numberOfPermutations = 64)
        : base(nameof(Jigsaw), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().InRange(numberOfPermutations, 2, MaximumPermutations).ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _count = numberOfPermutations;
        _permutations = [.. Permutations(numberOfPermutations).SelectMany(order => order.Select(cell => (long)cell))];
        _crop = new PatchPairCrop(encoder.Shape.Height, encoder.Shape.Width, view ?? PatchPairCrop.Colors());
        _prediction = new PredictionHead(Tiles * encoder.EmbeddingDimension, encoder.EmbeddingDimension, numberOfPermutations, streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var batch = ImageColumn.Of(columns);
        var images = batch.ToSingle();
        var permutations = tensor(_permutations, device: images.device).view(_count, Tiles);        // [K, 9]
        var drawn = PatchPairCrop.Draw(batch.Count, _count, images.device, _streams.Views);         // [N]
        var cells = permutations.index_select(0, drawn).t().reshape(-1);                            // [9N], tile after tile
        var all = cat([.. Enumerable.Repeat(images, Tiles)], 0);                                    // [9N, C, H, W]
        var embeddings = _encoder.call(new ImageBatch(_crop.Cut(all, cells, _streams.Views)));      // [9N, D]
        var tiles = embeddings.chunk(Tiles);
        return PretextTask.Classify(_prediction.call(cat(tiles, 1)), drawn, tiles[0]);
    }

    /// <summary>Different orders of the nine cells, the same ones every time; each is far from those before it.</summary>
    internal static IReadOnlyList<int[]> Permutations(int count)
    {
        // Part of the task, not of the run: a resumed training must find the same classes.
        var random = new Random(1);
        var chosen = new List<int[]>();
        while (chosen.Count < count)
        {
            var next = Enumerable.Range(0, Candidates).Select(_ =>
            {
                var order = Enumerable.Range(0, Tiles).ToArray();
                random.Shuffle(order);
                return order;
            }).MaxBy(order => chosen.Count == 0 ? 0 : chosen.Min(other => Distance(order, other)))!;
            if (chosen.All(other => Distance(next, other) > 0))
                chosen.Add(next);
        }
        return chosen;
    }

    // A plain loop: a thousand permutations take a quarter of a billion comparisons.
    private static int Distance(int[] first, int[] second)
    {
        var different = 0;
        for (var i = 0; i < Tiles; i++)
            different += first[i] == second[i] ? 0 : 1;
        return different;
    }
}
