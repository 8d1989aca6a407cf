using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// SubTab: a row is seen through overlapping subsets of its columns. From each of them all cells are told, and the subsets' projections of
/// a row attract each other.
/// </summary>
/// <remarks>
/// <para>
/// Ucar et al., "SubTab: Subsetting Features of Tabular Data for Self-Supervised Representation Learning", 2021 (arXiv:2110.04361): the sum
/// of reconstruction, contrast and distance. Deviations: columns outside a subset are hidden instead of being cut off, so that one encoder
/// reads any subset; the whole row is one more view, so that later a row is embedded in one pass and not as the mean over its subsets; one
/// pair of neighbouring views a step is contrasted for each view instead of all pairs. N rows, V views, D the embedding dimension.
/// </para>
/// </remarks>
public sealed class SubTab : PretrainingMethod, IReconstructsCells
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
    private readonly double _temperature;

    /// <summary>The method around an encoder.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The heads' weights come from <see cref="RandomStreams.Weights"/>, noise from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="numberOfSubsets">Subsets of the columns. At least 2.</param>
    /// <param name="overlap">Share of a subset's own columns that it has from the next one as well. From 0 to 1.</param>
    /// <param name="swapRate">Share of the cells replaced by those of other rows. From 0 to 1.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    public SubTab(TabularEncoder encoder, RandomStreams streams, int numberOfSubsets = 4, double overlap = 0.75, double swapRate = 0.15,
        double temperature = 0.1) : base(nameof(SubTab), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().AtLeast(numberOfSubsets, 2).InRange(overlap, 0, 1).Positive(temperature).ThrowIfAny();
        _encoder = encoder;
        _projection = new TableProjectionHead(encoder.EmbeddingDimension, streams);
        _head = CellHead.Create(encoder, streams);
        _streams = streams;
        _noise = new MarginalSwap(swapRate);
        _outside = Subsets(encoder.Layout.CellCount, numberOfSubsets, overlap);
        _temperature = temperature;
        RegisterComponents();
    }

    CellHead IReconstructsCells.Head => _head;

    double? IReconstructsCells.HiddenShare => 0.5;

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var rows = TableColumn.Of(columns);
        var noisy = _noise.Apply(rows, _streams.Views);
        TableBatch[] views = [noisy, .. _outside.Select(outside => Hide(noisy, outside))];
        var (embeddings, cells) = _head.Run(_encoder, TableBatch.Concatenate(views));               // [V N, D]
        var targets = TableBatch.Concatenate([.. Enumerable.Repeat(rows, views.Length)]);
        var reconstruction = _head.Loss(cells, targets, targets.Missing.logical_not(), targets.MissingCodes.logical_not());

        var projections = _projection.call(embeddings).chunk(views.Length);                         // [N, D], V times
        Tensor? contrast = null, distance = null;
        for (var i = 0; i < projections.Length; i++)
        {
            Tensor first = projections[i], second = projections[(i + 1) % projections.Length];
            var pair = InfoNceLoss.Compute(first, second, _temperature);
            var apart = (Contrastive.Normalize(first) - Contrastive.Normalize(second)).pow(Number(2)).sum(1).mean();
            contrast = contrast is null ? pair : contrast.add(pair, One);
            distance = distance is null ? apart : distance.add(apart, One);
        }
        contrast = contrast! / Number(projections.Length);
        distance = distance! / Number(projections.Length);
        return new StepLoss(reconstruction.add(contrast, One).add(distance, One),
            [("reconstruction", reconstruction.detach()), ("contrast", contrast.detach()), ("distance", distance.detach())],
            embeddings.detach().narrow(0, 0, rows.Count));
    }

    private static TableBatch Hide(TableBatch batch, bool[] outside)
    {
        long c = batch.Numbers.shape[1], k = batch.Codes.shape[1];
        var hidden = tensor(outside, device: batch.Numbers.device).unsqueeze(0).expand(batch.Count, c + k); // [N, C + K]
        return batch.Hide(hidden.narrow(1, 0, c), hidden.narrow(1, c, k));
    }

    // Runs of neighbouring columns, in a ring; true for the columns that are not in the subset. Every column is in one at least.
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
