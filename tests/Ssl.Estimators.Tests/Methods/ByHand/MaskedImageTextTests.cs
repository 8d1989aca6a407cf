using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>One encoder of images and texts together: 9 patches of 2 x 2 pixels, of which a ratio of .4 hides 4, and texts of up to 7 tokens.</summary>
[TestClass]
public sealed class MaskedImageTextTests
{
    private const int Count = 5, Side = TinyImageEncoder.Side, Patch = 2, Grid = Side / Patch, Hidden = 4;
    private const float Ratio = 0.4f;

    private static readonly TokenVocabulary s_vocabulary = TinyTextEncoder.Vocabulary;

    // Kim et al., 2021 (arXiv:2102.03334), section 3.2, and Singh et al., 2022 (arXiv:2112.04482), section 3.3: hidden words with the whole image, hidden
    // patches with the whole text, and whether the text is the image's own, where half of the rows have another's.
    [TestMethod]
    [DataRow(1f, 1f, 1f)]
    [DataRow(0.5f, 0f, 3f)]
    [DataRow(0f, 2f, 0f)]
    [ByHand(typeof(MaskedImageTextTrainer.Method))]
    public void WordsPatchesAndMatchesAreToldTogether(float words, float patches, float matching)
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(1), same = new(1);
        var view = new RecordedView(2);
        using var encoder = Fusion(streams);
        using var method = new MaskedImageTextTrainer.Method(encoder, s_vocabulary, streams, new()
        {
            View = view, MaskRatio = Ratio, PatchMaskRatio = Ratio, MaskedTextWeight = words, MaskedPatchesWeight = patches, MatchingWeight = matching,
        });
        using (no_grad())
            Steps.Weight(method, "mask_token").mul_(20);        // of a size that it matters
        var belong = new List<bool>();
        for (var step = 0; step < 3; step++)
        {
            var batch = new ImageTextBatch(TinyImageEncoder.Images(Count, seed: 30 + step), TokenTexts.Random(Count, 7, s_vocabulary, seed: step, specialTokens: true));
            var loss = method.Loss([batch]);
            using var noGrad = no_grad();
            var pixels = encoder.Images.Patchify(encoder.Images.Standardize(new ImageBatch(view.Returned(step))));
            var whole = encoder.Images.EncodePatches(encoder.Images.EmbedPatches(pixels));
            var (masked, chosen, truth) = MaskedWords(batch.Texts, Ratio, same);
            double[][] fused = [.. Numbers.Cubes(encoder.Fuse(whole, encoder.Texts.EncodeTokens(masked), masked.Mask).Tokens).SelectMany(text => text)];
            var outputs = Steps.Child<LinearLayer>(encoder, "text_output").call(Numbers.ToTensor([.. chosen.Select(place => fused[place])]));
            double[][] scores = Numbers.Rows(Steps.Child<MaskedTokenHead>(encoder, "predictions").call(outputs, encoder.Texts.TokenEmbeddings));
            double ofWords = scores.Select((row, i) => Numbers.CrossEntropy(row, (int)truth[i])).Average();
            Numbers.AreEqual(ofWords, loss, "words");

            double[][] draws = Numbers.Rows(Draws.Uniform([Count, Grid * Grid], CPU, same.Masks));
            int[][] hidden = [.. draws.Select(row => Enumerable.Range(0, row.Length).OrderBy(place => row[place]).ToArray()[^Hidden..])];
            double ofPatches = Rebuilding(encoder, method, pixels, batch.Texts, hidden);
            Numbers.AreEqual(ofPatches, loss, "patches");

            bool[] own = [.. Numbers.Values(Draws.Uniform([Count], CPU, same.Masks)).Select(draw => draw < 0.5)];
            belong.AddRange(own);
            double ofMatches = Enumerable.Range(0, Count).Average(row =>
            {
                // Every row alone: its image with its own text, or with that of the row after it.
                int text = own[row] ? row : (row + 1) % Count;
                var tokens = encoder.Texts.EncodeTokens(batch.Texts);
                var vector = encoder.Fuse(whole.narrow(0, row, 1), tokens.narrow(0, text, 1), batch.Texts.Mask.narrow(0, text, 1)).Class;
                double logit = Numbers.Values(Steps.Child<LinearLayer>(encoder, "matching").call(vector))[0];
                return Math.Log(1 + Math.Exp(own[row] ? -logit : logit));
            });
            Numbers.AreEqual(ofMatches, loss, "matching");
            Numbers.AreEqual(words * ofWords + patches * ofPatches + matching * ofMatches, loss.Total);
        }
        Assert.IsTrue(belong.Any(own => own) && belong.Any(own => !own), "some texts are the images' own, and some are not");
    }

    [TestMethod]
    public void WhatAFusedVectorSaysDoesNotDependOnPadding()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = Fusion(streams);
        encoder.eval();
        using var noGrad = no_grad();
        var images = TinyImageEncoder.Images(2);
        var padded = TokenTexts.Of([7, 8, 9], [7, 8, 9, 10, 11, 12]);
        var alone = encoder.call(new ImageTextBatch(new ImageBatch(images.Pixels.narrow(0, 0, 1)), TokenTexts.Of([7, 8, 9])));
        var among = encoder.call(new ImageTextBatch(images, padded));
        double[] expected = Numbers.Values(alone), actual = Numbers.Rows(among)[0];
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], 1e-5);
        double error = Numbers.Values(encoder.Errors(new ImageTextBatch(images, padded)))[0];
        Assert.AreEqual(1 / (1 + Math.Exp(Numbers.Values(encoder.Matches(among))[0])), error, 1e-6);
    }

    [TestMethod]
    public void BlocksGoFromTheTwoEncodersToTheOneOfBoth()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = Fusion(streams);
        var blocks = new EncoderBlocks(encoder);
        Assert.HasCount(3, encoder.Blocks);
        Assert.AreEqual(0, blocks["image.blocks.0.norm1.weight"]);
        Assert.AreEqual(0, blocks["text.table"]);
        Assert.AreEqual(1, blocks["encoder.layer.0.attention_norm.weight"]);
        Assert.AreEqual(1, blocks["cls_token"]);
        Assert.AreEqual(1, blocks["text_projection.weight"]);
        Assert.AreEqual(2, blocks["matching.weight"]);
        Assert.AreEqual(2, blocks["predictions.transform.weight"]);
    }

    // The texts as they are seen, the places that were chosen, and what stood there.
    internal static (TokenBatch Masked, int[] Chosen, long[] Truth) MaskedWords(TokenBatch texts, float ratio, RandomStreams streams)
    {
        long[] ids = [.. texts.Ids.contiguous().data<long>()];
        bool[] inside = [.. texts.Mask.contiguous().data<bool>()];
        // A draw for every place; a word is chosen below the ratio, and the lowest draw among the words in any case.
        double[] draws = Numbers.Values(Draws.Uniform(texts.Ids.shape, CPU, streams.Masks));
        int[] words = [.. Enumerable.Range(0, ids.Length).Where(place => inside[place] && ids[place] >= s_vocabulary.SpecialCount)];
        int lowest = words.MinBy(place => draws[place]);
        int[] chosen = [.. words.Where(place => place == lowest || draws[place] < ratio)];
        double[] kinds = Numbers.Values(Draws.Uniform(texts.Ids.shape, CPU, streams.Masks));
        long[] others = [.. Draws.Integers(s_vocabulary.SpecialCount, s_vocabulary.Size, texts.Ids.shape, CPU, streams.Masks).data<long>()];
        long[] seen = [.. ids];
        for (var i = 0; i < chosen.Length; i++)
            seen[chosen[i]] = kinds[chosen[i]] < 0.8 ? s_vocabulary.MaskId : kinds[chosen[i]] < 0.9 ? others[chosen[i]] : ids[chosen[i]];
        return (new TokenBatch(tensor(seen, texts.Ids.shape), texts.Mask.clone()), chosen, [.. chosen.Select(place => ids[place])]);
    }

    private static double Rebuilding(FusionEncoder encoder, PretrainingMethod method, Tensor pixels, TokenBatch texts, int[][] hidden)
    {
        double[][][] tokens = Numbers.Cubes(encoder.Images.EmbedPatches(pixels)), patches = Numbers.Cubes(pixels);
        double[] learned = Numbers.Values(Steps.Weight(method, "mask_token"));
        double[][] positions = Numbers.Cubes(encoder.Images.Positions)[0];
        for (var image = 0; image < Count; image++)
        {
            foreach (int place in hidden[image])
                tokens[image][place] = [.. learned.Zip(positions[place], (a, b) => a + b)];
        }
        var partly = encoder.Images.EncodePatches(Numbers.ToTensor(tokens));
        double[][][] fused = Numbers.Cubes(encoder.Fuse(partly, encoder.Texts.EncodeTokens(texts), texts.Mask).Patches);
        double[][] rebuilt = Numbers.Rows(Steps.Child<LinearLayer>(method, "patch_output").call(Numbers.ToTensor(
            [.. hidden.SelectMany((places, image) => places.Select(place => fused[image][place]))])));
        double[][] targets = [.. hidden.SelectMany((places, image) => places.Select(place => patches[image][place]))];
        return rebuilt.Zip(targets, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Average()).Average();
    }

    private static FusionEncoder Fusion(RandomStreams streams) => new(
        (PatchEncoder)ImageEncoders.VisionTransformer(Side, Patch, 1, numberOfLayers: 1, dimension: 8, numberOfHeads: 2).Create(streams), new TinyTextEncoder(),
        new FusionNetwork(2, 8, 2, 0), streams);
}
