using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Objectives;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>The methods for tables. Draws come from streams of the same seed.</summary>
[TestClass]
public sealed class TableTests
{
    private const int Count = 6, Seed = 1;

    // Bahri et al., 2022 (arXiv:2106.15147), algorithm 1, in both directions: a row against its copy with cells from the marginals.
    [TestMethod]
    [ByHand(typeof(ScarfTrainer.Method))]
    public void ScarfFindsTheCorruptedCopyOfARow()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = new TinyTableEncoder(TableRows.Layout);
        using var method = new ScarfTrainer.Method(encoder, streams, new() { CorruptionRate = 0.4f, Temperature = 0.3f });
        for (var step = 0; step < 2; step++)
        {
            var rows = TableRows.Random(Count, seed: 10 + step);
            var loss = method.Loss([rows.ToBatch()]);
            var swapped = rows.Swapped(0.4f, same.Views);
            Numbers.AreEqual(Contrast(method, encoder, rows, swapped), loss.Total, $"loss of step {step}");
        }
    }

    [TestMethod]
    public void ScarfTakesAViewOfTheOptionsInPlaceOfSwaps()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(Seed);
        var encoder = new TinyTableEncoder(TableRows.Layout);
        var rows = TableRows.Random(Count, seed: 10);
        using var method = new ScarfTrainer.Method(encoder, streams, new() { View = new FirstColumnHidden(), Temperature = 0.3f });
        var loss = method.Loss([rows.ToBatch()]);
        Numbers.AreEqual(Contrast(method, encoder, rows, rows.WithHidden((_, cell) => cell == 0)), loss.Total);
    }

    // Vincent et al., 2008, with swap noise: the known cells of the clean row are told from the noisy one.
    [TestMethod]
    [ByHand(typeof(DenoisingAutoencoderTrainer.Method))]
    public void TheDenoisingAutoencoderTellsTheCleanRow()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = new TinyTableEncoder(TableRows.Layout);
        using var method = new DenoisingAutoencoderTrainer.Method(encoder, streams, new() { SwapRate = 0.45f });
        for (var step = 0; step < 2; step++)
        {
            var rows = TableRows.Random(Count, seed: 10 + step);
            var loss = method.Loss([rows.ToBatch()]);
            var told = Told(method, encoder, rows.Swapped(0.45f, same.Views));
            Numbers.AreEqual(rows.MeanError(told, rows.Known()), loss.Total, $"loss of step {step}");
        }
    }

    // Yoon et al., "VIME", 2020, section 4.1: binary cross entropy of which cells were changed, plus alpha times the reconstruction.
    [TestMethod]
    [ByHand(typeof(VimeTrainer.Method))]
    public void VimeTellsWhichCellsWereChangedAndWhatTheyWere()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = new TinyTableEncoder(TableRows.Layout);
        using var method = new VimeTrainer.Method(encoder, streams, new() { CorruptionRate = 0.4f, FeatureWeight = 3 });
        var rows = TableRows.Random(Count, seed: 10);
        var loss = method.Loss([rows.ToBatch()]);
        var swapped = rows.Swapped(0.4f, same.Views);
        using var noGrad = no_grad();
        var embeddings = encoder.call(swapped.ToBatch());
        double[][] scores = Numbers.Rows(Steps.Child<LinearLayer>(method, "mask").call(embeddings));
        double mask = 0;
        var changed = 0;
        for (var row = 0; row < Count; row++)
        {
            for (var cell = 0; cell < TableRows.Cells; cell++)
            {
                // -log of the sigmoid of the score, or of what is left to 1.
                double score = scores[row][cell];
                bool isChanged = !rows.IsSame(swapped, row, cell);
                mask += Math.Log(1 + Math.Exp(isChanged ? -score : score)) / (Count * TableRows.Cells);
                changed += isChanged ? 1 : 0;
            }
        }
        Assert.IsTrue(changed is > 5 and < 31, $"{changed} changed cells");
        double features = rows.MeanError(Told(method, encoder, swapped), rows.Known());
        Numbers.AreEqual(mask, loss, "mask");
        Numbers.AreEqual(features, loss, "features");
        Numbers.AreEqual(mask + 3 * features, loss.Total);
    }

    // Ucar et al., 2021 (arXiv:2110.04361), section 2: reconstruction of the whole row, contrast and distance between projections; here the
    // whole row is one more view, neighbors in the ring of views are compared, and all three are means.
    [TestMethod]
    [ByHand(typeof(SubTabTrainer.Method))]
    public void SubTabComparesSubsetsOfTheColumns()
    {
        // Three subsets of six columns: two of its own each, and half of that from the next one.
        int[][] subsets = [[0, 1, 2], [2, 3, 4], [4, 5, 0]];
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = new TinyTableEncoder(TableRows.Layout);
        using var method = new SubTabTrainer.Method(encoder, streams,
            new() { NumberOfSubsets = 3, Overlap = 0.5f, SwapRate = 0.4f, Temperature = 0.3f });
        var rows = TableRows.Random(Count, seed: 10);
        var loss = method.Loss([rows.ToBatch()]);
        var noisy = rows.Swapped(0.4f, same.Views);
        TableRows[] views = [noisy, .. subsets.Select(subset => noisy.WithHidden((_, cell) => !subset.Contains(cell)))];
        double reconstruction = views.Average(view => rows.MeanError(Told(method, encoder, view), rows.Known()));
        double[][][] z = [.. views.Select(view => Projected(method, encoder, view))];
        (double[][], double[][])[] neighbors = [(z[0], z[1]), (z[1], z[2]), (z[2], z[3]), (z[3], z[0])];
        double contrast = neighbors.Average(pair => ContrastiveNaive.InfoNce(pair.Item1, pair.Item2, 0.3));
        double distance = neighbors.Average(pair => pair.Item1
            .Zip(pair.Item2, (a, b) => Numbers.SquaredDistance(Numbers.Unit(a), Numbers.Unit(b))).Average());
        Numbers.AreEqual(reconstruction, loss, "reconstruction");
        Numbers.AreEqual(contrast, loss, "contrast");
        Numbers.AreEqual(distance, loss, "distance");
        Numbers.AreEqual(reconstruction + contrast + distance, loss.Total);
    }

    // Gorishniy et al., 2021 (arXiv:2106.11959) and Rubachev et al., 2022 (arXiv:2207.03208): the mean error of the hidden cells, told
    // from the row's vector or, by a transformer over columns, each from its own; the typical errors of the columns follow by a
    // hundredth.
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    [ByHand(typeof(MaskedCellsTrainer.Method))]
    public void HiddenCellsAreTold(bool fromTheirOwnVectors)
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = fromTheirOwnVectors
            ? TabularEncoders.ColumnTransformer(1, 8, 2, dropout: 0).Create(TableRows.Layout, streams)
            : new TinyTableEncoder(TableRows.Layout);
        using var method = new MaskedCellsTrainer.Method(encoder, streams, new() { MaskRatio = 0.5f });
        double[] typical = [.. Enumerable.Repeat(1.0, TableRows.Cells)];
        for (var step = 0; step < 2; step++)
        {
            var rows = TableRows.Random(Count, seed: 10 + step);
            var loss = method.Loss([rows.ToBatch()]);
            bool[][] hidden = rows.Masked(0.5f, same.Masks);
            var told = Told(method, encoder, rows.WithHidden((row, cell) => hidden[row][cell]));
            Numbers.AreEqual(rows.MeanError(told, hidden), loss.Total, $"loss of step {step}");
            for (var cell = 0; cell < TableRows.Cells; cell++)
            {
                double[] errors = [.. Enumerable.Range(0, Count).Where(row => hidden[row][cell])
                    .Select(row => rows.Error(told, row, cell))];
                typical[cell] = errors.Length == 0 ? typical[cell] : 0.99 * typical[cell] + 0.01 * errors.Average();
            }
            Numbers.AreEqual(typical, method.state_dict()["cells.typical_errors"], $"typical errors after step {step}");
        }
    }

    // The weighted sum of SCARF's loss and that of masked cells, both of the clean rows.
    [TestMethod]
    [DataRow(0.5f, 3f)]
    [DataRow(0f, 3f)]
    [DataRow(0.5f, 0f)]
    [ByHand(typeof(ContrastiveMaskedCellsTrainer.Method))]
    public void TheHybridAddsContrastAndHiddenCells(float contrastiveWeight, float maskedWeight)
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = new TinyTableEncoder(TableRows.Layout);
        using var method = new ContrastiveMaskedCellsTrainer.Method(encoder, streams, new()
        {
            CorruptionRate = 0.4f, Temperature = 0.3f, MaskRatio = 0.5f, ContrastiveWeight = contrastiveWeight, MaskedWeight = maskedWeight,
        });
        var rows = TableRows.Random(Count, seed: 10);
        var loss = method.Loss([rows.ToBatch()]);
        double contrast = 0, masked = 0;
        if (contrastiveWeight > 0)
        {
            contrast = Contrast(method, encoder, rows, rows.Swapped(0.4f, same.Views));
            Numbers.AreEqual(contrast, loss, "contrastive");
        }
        if (maskedWeight > 0)
        {
            bool[][] hidden = rows.Masked(0.5f, same.Masks);
            masked = rows.MeanError(Told(method, encoder, rows.WithHidden((row, cell) => hidden[row][cell])), hidden);
            Numbers.AreEqual(masked, loss, "masked");
        }
        Numbers.AreEqual(contrastiveWeight * contrast + maskedWeight * masked, loss.Total);
    }

    private static double Contrast(PretrainingMethod method, TabularEncoder encoder, TableRows rows, TableRows copy)
        => ContrastiveNaive.InfoNce(Projected(method, encoder, rows), Projected(method, encoder, copy), 0.3);

    private static double[][] Projected(PretrainingMethod method, TabularEncoder encoder, TableRows rows)
    {
        using var noGrad = no_grad();
        return Numbers.Rows(Steps.Child<TableProjectionHead>(method, "projection").call(encoder.call(rows.ToBatch())));
    }

    private static CellPredictions Told(PretrainingMethod method, TabularEncoder encoder, TableRows rows)
    {
        using var noGrad = no_grad();
        return Steps.Child<CellHead>(method, "cells").Run(encoder, rows.ToBatch()).Cells;
    }

    private sealed class FirstColumnHidden : TableView
    {
        public override TableBatch Apply(TableBatch batch, Generator generator)
            => new TableRows(batch).WithHidden((_, cell) => cell == 0).ToBatch();
    }
}
