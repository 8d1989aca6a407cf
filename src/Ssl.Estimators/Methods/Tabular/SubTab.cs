using Microsoft.ML;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains on table rows with SubTab: a row is seen through overlapping subsets of its columns, from each of which the whole row is told.
/// </summary>
/// <remarks>
/// Ucar et al., "SubTab", 2021 (arXiv:2110.04361): reconstruction, contrast and distance between the subsets' projections, with swap
/// noise. Deviations: columns outside a subset are hidden instead of being cut off, so that one encoder reads any subset; the whole row
/// is one more view, so that later a row is embedded in one pass and not as the mean over its subsets; one pair of neighboring views a
/// step is contrasted for each view instead of all pairs. N rows, V views, D the embedding dimension.
/// </remarks>
/// <seealso cref="ScarfTrainer"/>
public sealed class SubTabTrainer : TabularPretrainingTrainer
{
    internal SubTabTrainer(MLContext mlContext, Options options) : base(mlContext, options, TabularEncoders.Mlp())
    {
    }

    /// <summary>Settings of <see cref="SubTabTrainer"/>.</summary>
    public sealed class Options : TabularPretrainingOptions
    {
        /// <summary>Subsets of the columns. At least 2.</summary>
        /// <value>The default value is 4.</value>
        [OptionRange(Minimum = 2)]
        public int NumberOfSubsets { get; set; } = 4;

        /// <summary>Share of a subset's own columns that it has from the next one as well. In [0, 1].</summary>
        /// <value>The default value is 0.75.</value>
        [OptionRange(Minimum = 0, Maximum = 1)]
        public float Overlap { get; set; } = 0.75f;

        /// <summary>Share of the cells that are replaced by those of other rows. In [0, 1).</summary>
        /// <value>The default value is 0.15.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public float SwapRate { get; set; } = 0.15f;

        /// <summary>Divides cosine similarities. Greater than 0.</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Above = 0)]
        public float Temperature { get; set; } = 0.1f;

        /// <inheritdoc cref="ScarfTrainer.Options.EncoderBatchSize"/>
        [OptionRange(Minimum = 1)]
        public int? EncoderBatchSize { get; set; }

        /// <inheritdoc/>
        protected internal override int MinimumBatchSize => 2;
    }

    /// <inheritdoc/>
    protected override PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams)
        => new Method(encoder, streams, (Options)Settings);

    // SubTab: a row is seen through overlapping subsets of its columns. From each of them all cells are told, and the subsets'
    // projections of a row attract each other.
    internal sealed class Method : PretrainingMethod, IReconstructsCells
    {
        [ComponentName(Name = "encoder")]
        private readonly TabularEncoder _encoder;

        [ComponentName(Name = "projection")]
        private readonly TableProjectionHead _projection;

        [ComponentName(Name = "cells")]
        private readonly CellHead _head;

        private readonly RandomStreams _streams;
        private readonly MarginalSwap _noise;
        private readonly bool[][] _outside;
        private readonly Options _options;

        public Method(TabularEncoder encoder, RandomStreams streams, Options options) : base("SubTab", encoder)
        {
            _options = options;
            _encoder = encoder;
            _projection = new TableProjectionHead(encoder.EmbeddingDimension, streams);
            _head = CellHead.Create(encoder, streams);
            _streams = streams;
            _noise = new MarginalSwap(options.SwapRate);
            _outside = Subsets(encoder.Layout.CellCount, options.NumberOfSubsets, options.Overlap);
            RegisterComponents();
        }

        CellHead IReconstructsCells.Head => _head;

        double? IReconstructsCells.HiddenShare => 0.5;

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var rows = Column<TableBatch>(columns);
            var noisy = _noise.Apply(rows, _streams.Views);
            int views = 1 + _outside.Length;
            return GradientCache.Compute(rows.Count, _options.EncoderBatchSize ?? rows.Count, _streams, Embed, Compare);

            // What is told of the rows, and [N, D] for each view.
            Tensor[] Embed(long first, long count)
            {
                var (seen, own) = (noisy.Part(first, count), rows.Part(first, count));
                var (embeddings, cells) = _head.Run(_encoder, TableBatch.Concatenate([seen, .. _outside.Select(outside => Hide(seen, outside))]));   // [V N, D]
                var targets = TableBatch.Concatenate([.. Enumerable.Repeat(own, views)]);
                return [.. CellSums.Of(cells, targets, targets.Missing.logical_not(), targets.MissingCodes.logical_not()).Tensors(), .. embeddings.chunk(views)];
            }

            StepLoss Compare(Tensor[] tensors)
            {
                var reconstruction = _head.Loss(CellSums.Of(tensors));
                var embeddings = tensors[^views..];
                var projections = _projection.call(cat(embeddings)).chunk(views);                       // [N, D], V times
                Tensor? contrast = null, distance = null;
                for (var i = 0; i < projections.Length; i++)
                {
                    Tensor first = projections[i], second = projections[(i + 1) % projections.Length];
                    var pair = InfoNceLoss.Compute(first, second, _options.Temperature);
                    var apart = Ranks.Mean((Contrastive.Normalize(first) - Contrastive.Normalize(second)).pow(Number(2)).sum(1));
                    contrast = contrast?.add(pair, One) ?? pair;
                    distance = distance?.add(apart, One) ?? apart;
                }
                contrast = contrast! / Number(projections.Length);
                distance = distance! / Number(projections.Length);
                return new StepLoss(reconstruction.add(contrast, One).add(distance, One),
                    [("reconstruction", reconstruction.detach()), ("contrast", contrast.detach()), ("distance", distance.detach())], embeddings[0].detach());
            }
        }

        private static TableBatch Hide(TableBatch batch, bool[] outside)
        {
            long c = batch.Numbers.shape[1], k = batch.Codes.shape[1];
            var hidden = Constants.On(batch.Numbers.device, outside).unsqueeze(0).expand(batch.Count, c + k); // [N, C + K]
            return batch.Hide(hidden.narrow(1, 0, c), hidden.narrow(1, c, k));
        }

        // Runs of neighboring columns, in a ring; true for the columns that are not in the subset. Every column is in one at least.
        internal static bool[][] Subsets(int cells, int count, double overlap)
        {
            var subsets = new bool[count][];
            double own = (double)cells / count;
            for (var i = 0; i < count; i++)
            {
                int start = (int)Math.Floor(i * own), end = (int)Math.Ceiling((i + 1) * own + overlap * own);
                subsets[i] = new bool[cells];
                Array.Fill(subsets[i], true);
                for (var cell = start; cell < Math.Min(end, start + cells); cell++)
                    subsets[i][cell % cells] = false;
            }
            return subsets;
        }
    }
}
