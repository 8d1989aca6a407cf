using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders.Text;

/// <summary>Latent semantic analysis against TF-IDF written out, and a singular value decomposition of it.</summary>
[TestClass]
public sealed class LatentSemanticTextEncoderTests
{
    private static readonly TokenVocabulary s_vocabulary = new(40, 0, 1, 2, 3, 4, 5);

    // Tokens from 5 on; 38 stands in one text alone, 39 in none.
    private static int[][] Texts(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(i => (int[])
            [2, .. Enumerable.Range(0, 4 + random.Next(9)).Select(_ => 5 + (int)(33 * Math.Pow(random.NextDouble(), 2))), .. i == 3 ? [38] : Array.Empty<int>(), 3])];
    }

    private static double[] TfIdf(int[] text, int[][] all)
    {
        var weights = new double[s_vocabulary.Size];
        foreach (var group in text.GroupBy(token => token))
        {
            var texts = all.Count(other => other.Contains(group.Key));
            if (group.Key >= 5 && texts >= 2)
                weights[group.Key] = (1 + Math.Log(group.Count())) * (Math.Log((1.0 + all.Length) / (1 + texts)) + 1);
        }
        var length = Math.Sqrt(weights.Sum(weight => weight * weight));
        return [.. weights.Select(weight => length > 0 ? weight / length : 0)];
    }

    private static double Inner(IReadOnlyList<double> a, IReadOnlyList<double> b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[][] Embed(LatentSemanticTextEncoder network, int[][] texts)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var embeddings = network.call(TokenTexts.Of([.. texts.Select(text => text.Select(token => (long)token).ToArray())]));
        return [.. embeddings.to(ScalarType.Float64).data<double>().ToArray().Chunk(network.EmbeddingDimension)];
    }

    [TestMethod]
    public void WithAllDirectionsTextsLieAsTheirTfIdfDoes()
    {
        var texts = Texts(60);
        var (sizes, network) = LatentSemanticTextEncoder.Learn(texts, s_vocabulary, 64, true, 1)!.Value;
        using (network)
        {
            Assert.AreEqual(33, sizes.NumberOfWords);
            Assert.AreEqual(33, sizes.EmbeddingDimension);
            var embeddings = Embed(network, texts);
            double[][] expected = [.. texts.Select(text => TfIdf(text, texts))];
            for (var i = 0; i < texts.Length; i++)
            {
                for (var j = 0; j <= i; j++)
                    Assert.AreEqual(Inner(expected[i], expected[j]), Inner(embeddings[i], embeddings[j]), 1e-5);
            }
            // Order says nothing, and neither does a token that it does not know.
            var changed = Embed(network, [[.. texts[5].Reverse()], [.. texts[3].Where(token => token != 38)]]);
            for (var d = 0; d < sizes.EmbeddingDimension; d++)
            {
                Assert.AreEqual(embeddings[5][d], changed[0][d], 1e-6);
                Assert.AreEqual(embeddings[3][d], changed[1][d], 1e-6);
            }
            Assert.IsTrue(Array.TrueForAll(Embed(network, [[2, 38, 39, 3]])[0], value => value == 0));
        }
    }

    // Fewer texts than words: the directions are then as many as texts, and keep everything of them.
    [TestMethod]
    public void DirectionsAreOrthonormalAndTheFirstOnesKeepTheMost()
    {
        var texts = Texts(25);
        var (sizes, network) = LatentSemanticTextEncoder.Learn(texts, s_vocabulary, 64, true, 2)!.Value;
        using (network)
        using (var scope = NewDisposeScope())
        {
            Assert.AreEqual(25, sizes.EmbeddingDimension);
            var directions = network.state_dict()["directions"].to(ScalarType.Float64);
            Assert.IsTrue(directions.t().mm(directions).sub(eye(25, dtype: ScalarType.Float64)).abs().max().item<double>() < 1e-5);
            var matrix = tensor(texts.SelectMany(text => TfIdf(text, texts)).ToArray(), [25, s_vocabulary.Size]);
            var singular = linalg.svdvals(matrix).data<double>().ToArray();
            var embeddings = Embed(network, texts);
            for (var d = 0; d < 25; d++)
                Assert.AreEqual(singular[d], Math.Sqrt(embeddings.Sum(row => row[d] * row[d])), 1e-4);
        }
    }

    [TestMethod]
    public void TextsWithoutACommonWordSayNothing()
        => Assert.IsNull(LatentSemanticTextEncoder.Learn([[2, 6, 7, 3], [2, 8, 9, 9, 3]], s_vocabulary, 64, true, 1));

    [TestMethod]
    public void ItsDescriptionIsReadBack()
    {
        var read = (LatentSemanticTextEncoderFactory)EncoderFactory.FromJson(new LatentSemanticTextEncoderFactory(7, 30, 64, true).ToJson());
        Assert.AreEqual((7, 30, 64, true), (read.EmbeddingDimension, read.NumberOfWords, read.MaximumTokens, read.UsesSpecialTokens));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new LatentSemanticTextEncoderFactory(0, 0, 2, true));
        using var streams = new RandomStreams(1);
        using var network = read.Create(s_vocabulary, streams);
        Assert.ThrowsExactly<NotSupportedException>(() => network.TokenEmbeddings);
        // A damaged file may state any size.
        using var limit = Initialization.Limit(1_000);
        Assert.ThrowsExactly<FormatException>(() => new LatentSemanticTextEncoderFactory(512, 2_000_000_000, 64, true).Create(s_vocabulary, streams));
    }
}
