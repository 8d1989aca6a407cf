using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Objectives;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Methods that hide patches of images: 9 patches of 2 x 2 pixels, of which a ratio of .4 hides 4.</summary>
[TestClass]
public sealed class MaskedImageTests
{
    private const int Count = 4, Side = TinyImageEncoder.Side, Patch = 2, Grid = Side / Patch, Hidden = 4, Seed = 1;
    private const float Ratio = 0.4f;

    // He et al., 2022 (arXiv:2111.06377), section 3: the mean squared error of the hidden patches only, each less its own mean and
    // divided by its own deviation where that is asked for (the authors' code: unbiased, 1e-6 beside the variance).
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    [ByHand(typeof(MaskedAutoencoderTrainer.Method))]
    public void TheMaskedAutoencoderRebuildsHiddenPatchesFromVisibleOnes(bool normalizes)
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var view = new RecordedView(2);
        using var encoder = Transformer(streams);
        using var method = new MaskedAutoencoderTrainer.Method(encoder, streams, new()
        {
            View = view, MaskRatio = Ratio, NormalizesPatches = normalizes, DecoderDimension = 8, DecoderLayers = 2, DecoderHeads = 2,
        });
        for (var step = 0; step < 2; step++)
        {
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]);
            Assert.AreEqual(step + 1, view.Calls);
            var (visible, hidden) = Mask(same);
            double[][][] patches = Patches(view.Returned(step));
            Numbers.AreEqual(Rebuilding(encoder, method, patches, visible, hidden, normalizes), loss.Total, $"loss of step {step}");
        }
    }

    // Xie et al., 2022 (arXiv:2111.09886), equation 1: the mean absolute error of the hidden pixels; hidden patches are seen as one
    // vector that is learned, with their position.
    [TestMethod]
    [ByHand(typeof(SimMimTrainer.Method))]
    public void SimMimRebuildsHiddenPatchesFromALearnedVector()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var view = new RecordedView(2);
        using var encoder = Transformer(streams);
        using var method = new SimMimTrainer.Method(encoder, streams, new() { View = view, MaskRatio = Ratio });
        using (no_grad())
            Steps.Weight(method, "mask_token").mul_(20); // of a size that it matters
        for (var step = 0; step < 2; step++)
        {
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]);
            Assert.AreEqual(step + 1, view.Calls);
            var (_, hidden) = Mask(same);
            double[][][] patches = Patches(view.Returned(step));
            using var noGrad = no_grad();
            double[][][] tokens = Numbers.Cubes(encoder.EmbedPatches(Numbers.ToTensor(patches)));
            double[] learned = Numbers.Values(Steps.Weight(method, "mask_token"));
            double[][] positions = Numbers.Cubes(encoder.Positions)[0];
            for (var image = 0; image < Count; image++)
            {
                foreach (int place in hidden[image])
                    tokens[image][place] = [.. learned.Zip(positions[place], (a, b) => a + b)];
            }
            double[][][] encoded = Numbers.Cubes(encoder.EncodePatches(Numbers.ToTensor(tokens)));
            double[][] rebuilt = Numbers.Rows(Steps.Child<LinearLayer>(method, "output").call(Numbers.ToTensor(At(encoded, hidden))));
            double expected = rebuilt.Zip(At(patches, hidden), (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Average()).Average();
            Numbers.AreEqual(expected, loss.Total, $"loss of step {step}");
        }
    }

    // The weighted sum of NT-Xent (arXiv:2002.05709, equation 1) between two views, and of the masked autoencoder's error on a third
    // view: crop and flip, drawn from the same stream.
    [TestMethod]
    [DataRow(0.5f, 3f)]
    [DataRow(0f, 3f)]
    [DataRow(0.5f, 0f)]
    [ByHand(typeof(ContrastiveMaskedPatchesTrainer.Method))]
    public void TheHybridAddsContrastAndRebuilding(float contrastiveWeight, float maskedWeight)
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var view = new RecordedView(2);
        using var encoder = Transformer(streams);
        using var method = new ContrastiveMaskedPatchesTrainer.Method(encoder, streams, new()
        {
            View = view, MaskRatio = Ratio, Temperature = 0.3f, ContrastiveWeight = contrastiveWeight, MaskedWeight = maskedWeight,
            ProjectionDimension = 4,
        });
        var images = TinyImageEncoder.Images(Count);
        var loss = method.Loss([images]);
        double contrast = 0, masked = 0;
        Assert.AreEqual(contrastiveWeight > 0 ? 2 : 0, view.Calls);
        if (contrastiveWeight > 0)
        {
            using var noGrad = no_grad();
            var embeddings = encoder.call(new ImageBatch(view.Returned([0, 1])));
            double[][][] z = Numbers.Parts(Steps.Child<ProjectionMlp>(method, "projection").call(embeddings), 2);
            contrast = ContrastiveNaive.NtXent(z[0], z[1], 0.3);
            Numbers.AreEqual(contrast, loss, "contrastive");
        }
        if (maskedWeight > 0)
        {
            var (visible, hidden) = Mask(same);
            double[][][] patches = Patches(ImageViews.CropAndFlip(encoder.Shape).Apply(images.Pixels, same.Views));
            masked = Rebuilding(encoder, method, patches, visible, hidden, normalizes: true);
            Numbers.AreEqual(masked, loss, "masked");
        }
        Numbers.AreEqual(contrastiveWeight * contrast + maskedWeight * masked, loss.Total);
    }

    private static PatchEncoder Transformer(RandomStreams streams)
        => (PatchEncoder)ImageEncoders.VisionTransformer(Side, Patch, 1, numberOfLayers: 1, dimension: 8, numberOfHeads: 2).Create(streams);

    // The places of each image in the order of a draw each: the first ones stay visible.
    private static (int[][] Visible, int[][] Hidden) Mask(RandomStreams streams)
    {
        double[][] draws = Numbers.Rows(Draws.Uniform([Count, Grid * Grid], CPU, streams.Masks));
        int[][] order = [.. draws.Select(row => Enumerable.Range(0, row.Length).OrderBy(place => row[place]).ToArray())];
        return ([.. order.Select(places => places[..^Hidden])], [.. order.Select(places => places[^Hidden..])]);
    }

    // The patches of each image from the top left, row by row, of pixels less .5 and divided by .25, as the encoder sees them.
    private static double[][][] Patches(Tensor images)
    {
        double[][] pixels = [.. Numbers.Values(images).Chunk(Side * Side)];
        return [.. pixels.Select(image => Enumerable.Range(0, Grid * Grid).Select(place =>
        {
            int top = place / Grid * Patch, left = place % Grid * Patch;
            return Enumerable.Range(0, Patch * Patch)
                .Select(i => (image[(top + i / Patch) * Side + left + i % Patch] - 0.5) / 0.25).ToArray();
        }).ToArray())];
    }

    private static double[][] At(double[][][] cubes, int[][] places)
        => [.. cubes.SelectMany((rows, image) => places[image].Select(place => rows[place]))];

    private static double Rebuilding(PatchEncoder encoder, PretrainingMethod method, double[][][] patches, int[][] visible,
        int[][] hidden, bool normalizes)
    {
        using var noGrad = no_grad();
        var seen = Numbers.ToTensor(At(patches, visible)).view(Count, -1, Patch * Patch);
        var vectors = encoder.EncodePatches(encoder.EmbedPatches(seen, Places(visible)));
        var decoder = Steps.Child<PatchDecoder>(method, "decoder");
        double[][] rebuilt = [.. Numbers.Cubes(decoder.call(vectors, Places(visible), Places(hidden))).SelectMany(image => image)];
        double[][] targets = [.. At(patches, hidden).Select(patch => normalizes ? Standardized(patch) : patch)];
        return rebuilt.Zip(targets, (a, b) => Numbers.SquaredDistance(a, b) / (Patch * Patch)).Average();
    }

    private static double[] Standardized(double[] patch)
    {
        double mean = patch.Average(), variance = patch.Sum(value => (value - mean) * (value - mean)) / (patch.Length - 1);
        return [.. patch.Select(value => (value - mean) / Math.Sqrt(variance + 1e-6))];
    }

    private static Tensor Places(int[][] places)
    {
        long[] all = [.. places.SelectMany(row => row).Select(place => (long)place)];
        return tensor(all, [places.Length, places[0].Length]);
    }
}
