using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>
/// Methods that predict a made-up class. Every image has nine cells of their own brightness, so the patches that a method cut say by
/// themselves which cells they are from, and so what the right class is.
/// </summary>
[TestClass]
public sealed class PretextTaskTests
{
    private const int Count = 40, Cells = 9, Middle = 4;

    // Doersch, Gupta, Efros, 2015 (arXiv:1505.05192), section 3: the middle patch first, then one of its eight neighbors, counted from
    // the top left; cross entropy of which.
    [TestMethod]
    [ByHand(typeof(RelativePositionTrainer.Method))]
    public void RelativePositionTellsTheSecondPatchsPlace()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new RelativePositionTrainer.Method(encoder, streams, new() { View = view });
        var loss = method.Loss([CellImages()]);
        Assert.AreEqual(2, view.Calls);
        Assert.IsTrue(CellsOf(view.Given(0)).All(cell => cell == Middle), "the first patch is the middle one");
        int[] cells = CellsOf(view.Given(1));
        Assert.DoesNotContain(Middle, cells);
        Assert.AreEqual(Cells - 1, cells.Distinct().Count(), "all places");
        int[] places = [.. cells.Select(cell => cell > Middle ? cell - 1 : cell)];
        IsClassified(method, encoder, loss, places, () =>
            [.. Embedded(encoder, view, 0).Zip(Embedded(encoder, view, 1), (middle, other) => (double[])[.. middle, .. other])]);
    }

    // Isola et al., 2015 (arXiv:1511.06811), section 3: patches of different cells of one image (class 1), and of two images (class 0).
    [TestMethod]
    [ByHand(typeof(PatchPairsTrainer.Method))]
    public void PatchPairsTellsWhetherTwoPatchesAreOfOneImage()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new PatchPairsTrainer.Method(encoder, streams, new() { View = view });
        var loss = method.Loss([CellImages()]);
        Assert.AreEqual(2, view.Calls);
        int[] first = CellsOf(view.Given(0)), second = CellsOf(view.Given(1));
        Assert.IsTrue(first.Zip(second).All(pair => pair.First != pair.Second), "two cells of an image");
        Assert.AreEqual(Cells, first.Distinct().Count(), "all cells");
        int[] classes = [.. Enumerable.Repeat(1, Count), .. Enumerable.Repeat(0, Count)];
        IsClassified(method, encoder, loss, classes, () =>
        {
            double[][] a = Embedded(encoder, view, 0), b = Embedded(encoder, view, 1);
            // With the second patch of its own image, then with that of the image before it in the batch.
            return [.. a.Select((one, i) => Compared(one, b[i])), .. a.Select((one, i) => Compared(one, b[(i + Count - 1) % Count]))];
        });

        static double[] Compared(double[] a, double[] b)
            => [.. a.Zip(b, (x, y) => Math.Abs(x - y)), .. a.Zip(b, (x, y) => x * y)];
    }

    // Noroozi and Favaro, 2016 (arXiv:1603.09246), section 3: cross entropy of which permutation of a fixed set the tiles were shuffled by.
    [TestMethod]
    [ByHand(typeof(JigsawTrainer.Method))]
    public void JigsawTellsTheOrderOfTheTiles()
    {
        const int permutations = 6;
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new JigsawTrainer.Method(encoder, streams, new() { View = view, NumberOfPermutations = permutations });
        var loss = method.Loss([CellImages()]);
        Assert.AreEqual(1, view.Calls);
        var orders = JigsawTrainer.Method.Permutations(permutations);
        int[][] tiles = [.. CellsOf(view.Given(0)).Chunk(Count)]; // nine tiles of N images
        int[] drawn = [.. Enumerable.Range(0, Count)
            .Select(image => Enumerable.Range(0, permutations).Single(k => orders[k].SequenceEqual(tiles.Select(tile => tile[image]))))];
        Assert.AreEqual(permutations, drawn.Distinct().Count(), "all orders");
        IsClassified(method, encoder, loss, drawn, () =>
        {
            double[][][] embedded = [.. Embedded(encoder, view, 0).Chunk(Count)];
            return [.. Enumerable.Range(0, Count).Select(image => embedded.SelectMany(tile => tile[image]).ToArray())];
        }, classCount: permutations);
    }

    // Gidaris, Singh, Komodakis, 2018 (arXiv:1803.07728), equations 1 and 2: the mean over all four turns of every image.
    [TestMethod]
    [ByHand(typeof(RotationPredictionTrainer.Method))]
    public void RotationPredictionTellsAllFourTurnsOfEveryImage()
    {
        const int side = TinyImageEncoder.Side;
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new RotationPredictionTrainer.Method(encoder, streams, new() { View = view });
        var loss = method.Loss([TinyImageEncoder.Images(Count)]);
        Assert.AreEqual(1, view.Calls);
        int[] turns = [.. Enumerable.Range(0, 4).SelectMany(turn => Enumerable.Repeat(turn, Count))];
        IsClassified(method, encoder, loss, turns, () =>
        {
            double[][] images = [.. Numbers.Values(view.Returned(0)).Chunk(side * side)];
            List<double[]> turned = [];
            for (var turn = 0; turn < 4; turn++)
            {
                turned.AddRange(images);
                images = [.. images.Select(QuarterTurn)];
            }
            return Numbers.Rows(encoder.Embed(Numbers.ToTensor(turned).view(-1, 1, side, side)));
        });

        // Counter-clockwise: what stood in the last column stands in the first row.
        static double[] QuarterTurn(double[] image) => [.. Enumerable.Range(0, side * side)
            .Select(i => (Row: i / side, Column: i % side)).Select(at => image[at.Column * side + side - 1 - at.Row])];
    }

    // The mean cross entropy of what the head says of features, and the share that it tells right.
    private static void IsClassified(PretrainingMethod method, TinyImageEncoder encoder, StepLoss loss, int[] classes,
        Func<double[][]> features, int? classCount = null)
    {
        double[][] scores = Scores();
        if (classCount is { } count)
            Assert.HasCount(count, scores[0]);
        Numbers.AreEqual(ByHand(), loss.Total);
        double right = scores.Zip(classes, (row, c) => Array.IndexOf(row, row.Max()) == c ? 1.0 : 0).Average();
        Assert.AreEqual(right, loss.Terms.Single(term => term.Name == "accuracy").Value.item<float>(), 1e-6, "accuracy");
        loss.Total.backward();
        Numbers.IsTheSlope(encoder.Weight, ByHand);

        double[][] Scores()
            => Numbers.Rows(Steps.Call(Steps.Child<PredictionHead>(method, "prediction"), Numbers.ToTensor(features())));

        double ByHand() => Scores().Zip(classes, Numbers.CrossEntropy).Average();
    }

    private static double[][] Embedded(TinyImageEncoder encoder, RecordedView view, int call)
        => Numbers.Rows(encoder.Embed(view.Returned(call)));

    // Nine cells of 4 x 4 pixels from dark to bright; each image a little brighter than the one before.
    private static ImageBatch CellImages()
    {
        const int side = 12;
        var pixels = new float[Count * side * side];
        for (var i = 0; i < pixels.Length; i++)
        {
            int row = i / side % side, column = i % side;
            pixels[i] = 0.1f * (row / 4 * 3 + column / 4) + Brighter(i / (side * side));
        }
        return new ImageBatch(tensor(pixels, [Count, 1, side, side]));
    }

    private static float Brighter(int image) => 0.002f * image;

    // The cell that each patch is from; patches of the N images stand one after the other, perhaps several times.
    private static int[] CellsOf(Tensor patches)
    {
        double[][] pixels = [.. Numbers.Values(patches).Chunk((int)(patches.shape[2] * patches.shape[3]))];
        int[] cells = [.. pixels.Select((patch, i) => (int)Math.Round((patch.Average() - Brighter(i % Count)) / 0.1))];
        Assert.IsTrue(cells.All(cell => cell is >= 0 and < Cells));
        return cells;
    }
}
