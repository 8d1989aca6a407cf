using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Views;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains an image encoder by predicting in which of some known orders nine tiles of an image were shuffled.
/// </summary>
/// <remarks>
/// Noroozi and Favaro, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles", 2016 (arXiv:1603.09246), with gaps,
/// shifts and color changes against shortcuts. A step encodes nine tiles an image, so it costs about nine times one of the encoder.
/// Deviations: tiles are brought to the encoder's size; of the permutations each is the one of 500 drawn candidates that differs most
/// from those chosen before, where the paper looks at all. A step encodes nine tiles an image. N images, D the embedding dimension.
/// </remarks>
/// <seealso cref="RelativePositionTrainer"/>
public sealed class JigsawTrainer : ImagePretrainingTrainer
{
    internal JigsawTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
    }

    /// <summary>Settings of <see cref="JigsawTrainer"/>.</summary>
    public sealed class Options() : ImagePretrainingOptions(batchSize: 64, numberOfEpochs: 10, learningRate: 2e-3, weightDecay: 1e-4)
    {
        /// <summary>Orders of the tiles that are told apart; more make the task harder. From 2 to 1,000.</summary>
        /// <value>The default value is 64.</value>
        [OptionRange(Minimum = 2, Maximum = Method.MaximumPermutations)]
        public int NumberOfPermutations { get; set; } = 64;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(ImageEncoder encoder, ImageEncoderFactory factory, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // Nine tiles of an image are shuffled by one of K known permutations, and which one it was is told from all of them.
    internal sealed class Method : PretrainingMethod
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
        private readonly Options _options;

        public Method(ImageEncoder encoder, RandomStreams streams, Options options) : base("Jigsaw", encoder)
        {
            _options = options;
            _encoder = encoder;
            _streams = streams;
            _permutations = [.. Permutations(options.NumberOfPermutations).SelectMany(order => order.Select(cell => (long)cell))];
            _crop = new PatchPairCrop(encoder.Shape.Height, encoder.Shape.Width, options.View ?? PatchPairCrop.Colors());
            _prediction = new PredictionHead(Tiles * encoder.EmbeddingDimension, encoder.EmbeddingDimension, options.NumberOfPermutations,
                streams);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var batch = Column<ImageBatch>(columns);
            var images = batch.ToSingle();
            var permutations = Constants.On(images.device, _permutations).view(_options.NumberOfPermutations, Tiles);        // [K, 9]
            var drawn = PatchPairCrop.Draw(batch.Count, _options.NumberOfPermutations, images.device, _streams.Views);         // [N]
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
}
