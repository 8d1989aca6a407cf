using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Views;
using Ssl.Estimators.Training;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

[TestClass]
public sealed class ImageMethodTests
{
    private const int Side = 8;

    private static ImageEncoder Net(RandomStreams streams) => ImageEncoders.SmallConvNet(Side, 1, 2, 8).Create(streams);

    private static ImageEncoder Patches(RandomStreams streams) => ImageEncoders.VisionTransformer(Side, 2, 1, 1, 16, 2).Create(streams);

    private static ImageBatch Images(int count, int seed = 1) => new(ImageSamples.Random(count, 1, Side, seed));

    private static ImageView Learnable(double maximumNoise)
        => ImageViews.Compose(new LearnableCrop(Side, Side), new LearnableColorJitter(maximumNoise: maximumNoise));

    private static MultiCrop Crops()
        => new(new RandomResizedCrop(Side, Side, 0.4), 2, new RandomResizedCrop(Side / 2, Side / 2, 0.1, 0.4), 3);

    private static IEnumerable<Func<RandomStreams, PretrainingMethod>> Methods()
    {
        yield return s => new SimClrTrainer.Method(Net(s), s, new() { ProjectionDimension = 8 });
        yield return s => new SimClrTrainer.Method(Net(s), s, new() { View = Learnable(1), ProjectionDimension = 8 });
        yield return s => new DclTrainer.Method(Net(s), s, new() { ProjectionDimension = 8 });
        yield return s => new MoCoTrainer.Method(Net(s), Net(s), s, new() { ProjectionDimension = 8, QueueSize = 50 });
        yield return s => new MoCoV3Trainer.Method(Net(s), Net(s), s, new() { ProjectionDimension = 8, HiddenDimension = 16 });
        yield return s => new ByolTrainer.Method(Net(s), Net(s), s, new() { ProjectionDimension = 8, HiddenDimension = 16 });
        yield return s => new SimSiamTrainer.Method(Net(s), s, new() { ProjectionDimension = 16 });
        yield return s => new BarlowTwinsTrainer.Method(Net(s), s, new() { ProjectionDimension = 16 });
        yield return s => new VicRegTrainer.Method(Net(s), s, new() { ProjectionDimension = 16 });
        yield return s => new LeJepaTrainer.Method(Net(s), s, new() { ProjectionDimension = 8, HiddenDimension = 16 });
        yield return s => new LeJepaTrainer.Method(Net(s), s, new() { Crops = Crops(), ProjectionDimension = 8, HiddenDimension = 16 });
        yield return s => new MaskedAutoencoderTrainer.Method(Patches(s), s, new() { DecoderDimension = 16 });
        yield return s => new SimMimTrainer.Method(Patches(s), s, new());
        yield return s => new NnclrTrainer.Method(Net(s), s, new() { ProjectionDimension = 8, HiddenDimension = 16, SupportSize = 50 });
        yield return s => new SwavTrainer.Method(Net(s), s, new() { ProjectionDimension = 8, NumberOfPrototypes = 6 });
        yield return s => new SwavTrainer.Method(Net(s), s, new() { Crops = Crops(), ProjectionDimension = 8, NumberOfPrototypes = 6 });
        yield return s => new DinoTrainer.Method(Net(s), Net(s), s, new() { NumberOfPrototypes = 12, HiddenDimension = 16 });
        yield return s => new DinoTrainer.Method(Net(s), Net(s), s,
            new() { Crops = Crops(), NumberOfPrototypes = 12, HiddenDimension = 16 });
        yield return s => new RotationPredictionTrainer.Method(Net(s), s, new());
        yield return s => new RelativePositionTrainer.Method(Net(s), s, new());
        yield return s => new JigsawTrainer.Method(Net(s), s, new() { NumberOfPermutations = 5 });
        yield return s => new PatchPairsTrainer.Method(Net(s), s, new());
        yield return s => new ContrastiveMaskedPatchesTrainer.Method(Patches(s), s, new() { ProjectionDimension = 8 });
    }

    [TestMethod]
    public void EveryMethodReachesWhatItTrainsAndNothingElse()
    {
        foreach (var create in Methods())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var method = create(streams);
            var loss = method.Loss([Images(24)]);
            Assert.AreEqual(0, loss.Total.dim());
            Assert.IsFalse(loss.Terms.Any(term => term.Value.requires_grad), method.GetName());
            loss.Total.backward();
            foreach (var (name, parameter) in method.named_parameters())
            {
                // A masked autoencoder does not use what its class token gives; its weights take part all the same.
                bool reached = parameter.grad is { } grad && grad.abs().sum().item<float>() > 0;
                Assert.AreEqual(parameter.requires_grad, reached, $"{method.GetName()}: {name}");
            }
            if (loss.Embeddings is { } embeddings)
                Assert.AreEqual(24, embeddings.shape[0], method.GetName());
        }
    }

    [TestMethod]
    public void StepsFollowTheSeed()
    {
        foreach (var create in Methods())
        {
            using var scope = NewDisposeScope();
            float[] Losses(long seed)
            {
                using var streams = new RandomStreams(seed);
                using var method = create(streams);
                return [.. Enumerable.Range(0, 3).Select(_ => method.Loss([Images(16)]).Total.item<float>())];
            }
            float[] losses = Losses(1);
            CollectionAssert.AreEqual(losses, Losses(1));
            CollectionAssert.AreNotEqual(losses, Losses(2));
            Assert.AreNotEqual(losses[0], losses[1], "every step draws anew");
        }
    }

    [TestMethod]
    public void AViewThatChangesNothingGivesSimClrTheLossOfEqualPairs()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var method = new SimClrTrainer.Method(Net(streams), streams, new() { View = new Nothing(), Temperature = 1e6f });
        // At a very high temperature all of the 2 N - 1 others are alike.
        Assert.AreEqual(Math.Log(2 * 10 - 1), method.Loss([Images(10)]).Total.item<float>(), 1e-3);
    }

    [TestMethod]
    public void TargetsFollowAndTheirMomentumRises()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using ImageEncoder encoder = Net(streams), target = Net(streams);
        using var method = new ByolTrainer.Method(encoder, target, streams,
            new() { ProjectionDimension = 8, HiddenDimension = 16, Momentum = 0.9f });
        var before = encoder.parameters().First().clone();
        Assert.IsTrue(ImageSamples.Same(before, target.parameters().First()), "the target begins as a copy");
        using (no_grad())
            encoder.parameters().First().add_(1);
        method.OnStepCompleted(0);
        Assert.AreEqual(0.1f, (target.parameters().First() - before).mean().item<float>(), 1e-5);
        method.OnStepCompleted(1);
        Assert.AreEqual(0.1f, (target.parameters().First() - before).mean().item<float>(), 1e-5, "momentum 1 at the end");
        Assert.IsFalse(target.parameters().Any(p => p.requires_grad));
    }

    [TestMethod]
    public void KeysEnterTheQueueAfterTheLoss()
    {
        foreach (int size in (int[])[4, 10, 25])
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            var queue = new VectorQueue(size, 3, streams);
            var first = queue.Vectors.clone();
            var keys = randn(10, 3, generator: streams.Views);
            queue.Next(keys);
            Assert.IsTrue(ImageSamples.Same(first, queue.Vectors), "not before the step is over");
            queue.Enqueue();
            int fresh = Math.Min(size, 10);
            var expected = Contrastive.Normalize(keys).narrow(0, 0, fresh);
            Assert.IsTrue(ImageSamples.Same(expected, queue.Vectors.narrow(0, 0, fresh)));
            if (size > fresh)
                Assert.IsTrue(ImageSamples.Same(first.narrow(0, 0, size - fresh), queue.Vectors.narrow(0, fresh, size - fresh)),
                    "the oldest dropped out");
            queue.Enqueue();
            Assert.IsTrue(ImageSamples.Same(expected, queue.Vectors.narrow(0, 0, fresh)), "enqueued once");
        }
    }

    [TestMethod]
    public void MasksHideTheStatedShareOfEveryImage()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        foreach (var (ratio, hidden) in ((double, int)[])[(0.75, 12), (0.001, 1), (0.999, 15), (0.5, 8)])
        {
            var mask = PatchMask.Draw(200, 16, ratio, generator, CPU);
            CollectionAssert.AreEqual(new long[] { 200, hidden }, mask.Hidden.shape);
            var all = cat([mask.Visible, mask.Hidden], 1).sort(1).Item1;
            Assert.IsTrue(ImageSamples.Same(all, arange(16).expand(200, 16)), "every place once");
        }
        var counts = nn.functional.one_hot(PatchMask.Draw(4_000, 16, 0.25, generator, CPU).Hidden, 16).sum(new long[] { 0, 1 });
        Assert.IsLessThan(150, (counts - 1_000).abs().max().item<long>(), "all places alike");
        foreach (double ratio in (double[])[0, 1, double.NaN])
            Assert.Throws<ArgumentOutOfRangeException>(() => PatchMask.Draw(2, 16, ratio, generator, CPU));
    }

    [TestMethod]
    public void TheMaskedEncoderSeesVisiblePatchesOnly()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = (PatchEncoder)Patches(streams);
        var images = Images(3);
        var mask = PatchMask.Draw(3, encoder.NumberOfPatches, 0.5, streams.Masks, CPU);
        Tensor Encode(Tensor pixels)
            => encoder.EncodePatches(encoder.EmbedPatches(PatchMask.Take(encoder.Patchify(pixels), mask.Visible), mask.Visible));
        var patches = encoder.Patchify(images.Pixels);
        var noise = patches.clone().scatter_(1, mask.Hidden.unsqueeze(2).expand(-1, -1, encoder.PatchLength), ones_like(patches));
        var changed = noise.view(3, 4, 4, 1, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(3, 1, Side, Side);
        Assert.IsFalse(ImageSamples.Same(images.Pixels, changed));
        Assert.IsTrue(ImageSamples.Same(Encode(images.Pixels), Encode(changed)));
    }

    [TestMethod]
    public void SimSiamCollapsesWithoutItsStopAndTheWatchSaysSo()
    {
        foreach (bool stops in (bool[])[true, false])
        {
            using var streams = new RandomStreams(1);
            using var method = new SimSiamTrainer.Method(Net(streams), streams,
                new() { View = ImageViews.Gray(new ImageShape(1, Side, Side)), ProjectionDimension = 32 }) { StopsGradient = stops };
            var warnings = new List<string>();
            var settings = new TrainingSettings { NumberOfEpochs = 1, BatchSize = 32, LearningRate = 5e-2 };
            PretrainingLoop.Run(method, new ImageSource(300, 32), settings, streams, CPU, new TrainingReporter(Warning: warnings.Add));
            Assert.AreEqual(!stops, warnings.Any(w => w.Contains("collapsing", StringComparison.Ordinal)),
                $"stop-gradient {stops}: {string.Join('\n', warnings)}");
        }
    }

    [TestMethod]
    public void QuarterTurnsAreCounterClockwise()
    {
        using var scope = NewDisposeScope();
        var image = tensor(new float[] { 1, 2, 3, 4 }).view(1, 1, 2, 2);                            // 1 2 over 3 4
        ImageSamples.AssertClose([1, 2, 3, 4, 2, 4, 1, 3, 4, 3, 2, 1, 3, 1, 4, 2], RotationPredictionTrainer.Method.Turned(image), 0);
    }

    [TestMethod]
    public void PatchesAreCutFromTheirCells()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        // Nine cells of 4 x 4 pixels, each of its own brightness: a patch has its cell's.
        var cells = arange(9, dtype: ScalarType.Float32).div(10).view(1, 1, 3, 3).repeat_interleave(4, 2).repeat_interleave(4, 3);
        var wanted = arange(9, dtype: ScalarType.Int64);
        var patches = new PatchPairCrop(5, 5, new Nothing()).Cut(cells.expand(9, 1, 12, 12), wanted, generator);
        ImageSamples.AssertClose([0, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f], patches.mean(new long[] { 1, 2, 3 }), 0.02);
    }

    [TestMethod]
    public void PermutationsOfTheJigsawAreFarApartAndAlwaysTheSame()
    {
        var (orders, again) = (JigsawTrainer.Method.Permutations(64), JigsawTrainer.Method.Permutations(64));
        Assert.HasCount(64, orders);
        foreach (var order in orders)
            CollectionAssert.AreEqual(Enumerable.Range(0, 9).ToArray(), order.Order().ToArray());
        for (var i = 0; i < orders.Count; i++)
        {
            CollectionAssert.AreEqual(orders[i], again[i]);
            for (var k = 0; k < i; k++)
                Assert.IsGreaterThanOrEqualTo(5, orders[i].Zip(orders[k]).Count(pair => pair.First != pair.Second), $"{i} and {k}");
        }
    }

    [TestMethod]
    public void TheHybridIsTheWeightedSumOfItsTerms()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var method = new ContrastiveMaskedPatchesTrainer.Method(Patches(streams), streams,
            new() { ContrastiveWeight = 0.5f, MaskedWeight = 2, ProjectionDimension = 8 });
        var loss = method.Loss([Images(10)]);
        var terms = loss.Terms.ToDictionary(term => term.Name, term => term.Value.item<float>());
        Assert.AreEqual(0.5 * terms["contrastive"] + 2 * terms["masked"], loss.Total.item<float>(), 1e-4);
        using var masked = new ContrastiveMaskedPatchesTrainer.Method(Patches(streams), streams,
            new() { ContrastiveWeight = 0, ProjectionDimension = 8 });
        Assert.IsNull(masked.Loss([Images(10)]).Embeddings);
    }

    [TestMethod]
    public void WrongArgumentsAreRefused()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var net = Net(streams);
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(()
            => new MaskedAutoencoderTrainer.Method(net, streams, new())).Message,
            "ImageEncoders.VisionTransformer");
        Assert.Throws<ArgumentException>(() => new ByolTrainer.Method(net, ImageEncoders.SmallConvNet(Side, 1, 2, 4).Create(streams),
            streams, new()));
        var method = new SimClrTrainer.Method(net, streams, new());
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => method.Loss([Images(3), Images(3)])).Message,
            "trains on 1 column, got 2");
    }

    private sealed class Nothing : ImageView
    {
        public override Tensor Apply(Tensor images, Generator generator) => images.clone();
    }

    private sealed class ImageSource(int batches, int batchSize) : IBatchSource
    {
        public long? RowCount => (long)batches * batchSize;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
            => Enumerable.Range(0, batches).Select(i => (IReadOnlyList<Batch>)[Images(batchSize, i)]);
    }
}
