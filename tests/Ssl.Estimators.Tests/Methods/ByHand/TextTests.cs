using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Objectives;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>The methods for text.</summary>
[TestClass]
public sealed class TextTests
{
    private const int Count = 5, Seed = 1;
    private const float Ratio = 0.4f;

    private static readonly TokenVocabulary s_vocabulary = TinyTextEncoder.Vocabulary;

    // van den Oord et al., 2018 (arXiv:1807.03748), equation 4, in both directions as Radford et al., 2021 (arXiv:2103.00020), figure 3;
    // a hard negative is one more term in the denominator of its own row, from the first side only.
    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(true, true)]
    [ByHand(typeof(PairedContrastiveTrainer.Method))]
    public void PairsFindEachOther(bool hasView, bool hasNegatives)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(Seed);
        var view = new RecordedTextView(2, s_vocabulary);
        var encoder = new TinyTextEncoder();
        using var method = new PairedContrastiveTrainer.Method(encoder, streams,
            new() { Temperature = 0.3f, NegativeColumnName = hasNegatives ? "Negative" : null }, hasView ? view : null);
        TokenBatch[] sides = [.. Enumerable.Range(0, hasNegatives ? 3 : 2).Select(side => Texts(10 + side))];
        var loss = method.Loss(sides);
        Assert.HasCount(hasView ? sides.Length : 0, view.Returned, "each side through the view once");
        double[][][] z = [.. sides.Select((side, i) => Embedded(encoder, hasView ? view.Returned[i] : side.Texts()))];
        Numbers.AreEqual(hasNegatives ? ContrastiveNaive.InfoNce(z[0], z[1], z[2], 0.3) : ContrastiveNaive.InfoNce(z[0], z[1], 0.3),
            loss.Total);
    }

    // Gao, Yao, Chen, 2021 (arXiv:2104.08821), equation 4, in both directions, behind a projection.
    [TestMethod]
    [ByHand(typeof(SimCseTrainer.Method))]
    public void SimCseFindsTheOtherViewOfAText()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(Seed);
        var view = new RecordedTextView(2, s_vocabulary);
        var encoder = new TinyTextEncoder();
        using var method = new SimCseTrainer.Method(encoder, streams, new() { Temperature = 0.3f }, view);
        var texts = Texts(10);
        var loss = method.Loss([texts]);
        IsTwoDrawsOf(texts, view);
        Numbers.AreEqual(Contrast(method, encoder, view.Returned.Single()), loss.Total);
    }

    // The view of the options: tokens deleted at TokenDeletion, drawn for every one of the 2 N texts on its own; the highest draw stays.
    [TestMethod]
    public void SimCsesOwnViewDeletesTheShareOfTheOptions()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var tokenizer = WordPieceTokenizer.Train(["one two three four five six seven eight nine ten", "one two three four five six seven",
            "eight nine ten"]);
        var options = new SimCseTrainer.Options { TokenDeletion = 0.6f, Temperature = 0.3f };
        var encoder = new TinyTextEncoder(tokenizer.VocabularySize);
        using var method = new SimCseTrainer.Method(encoder, streams, options, options.CreateView(tokenizer));
        var texts = TokenTexts.Random(Count, 9, tokenizer.Vocabulary, seed: 10, specialTokens: true);
        var loss = method.Loss([texts]);
        long[][] both = [.. texts.Texts(), .. texts.Texts()];
        long[][] shortened = Shortened(both, texts.Ids.shape[1], 0.6, same.Views);
        Assert.IsLessThan(both.Sum(text => text.Length), shortened.Sum(text => text.Length));
        Numbers.AreEqual(Contrast(method, encoder, shortened), loss.Total);
    }

    // Devlin et al., 2019 (arXiv:1810.04805), section 3.1 and appendix A.1: the mean cross entropy of the chosen tokens, of which 80 %
    // are masked, 10 % replaced and 10 % kept.
    [TestMethod]
    [ByHand(typeof(MaskedLanguageModelTrainer.Method))]
    public void TheMaskedLanguageModelTellsTheChosenTokens()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = new TinyTextEncoder();
        using var method = new MaskedLanguageModelTrainer.Method(encoder, s_vocabulary, streams, new() { MaskRatio = Ratio });
        for (var step = 0; step < 4; step++)
        {
            var texts = Texts(20 + step);
            var loss = method.Loss([texts]);
            Numbers.AreEqual(Prediction(method, encoder, texts, same), loss.Total, $"loss of step {step}");
        }
    }

    // The weighted sum of the two.
    [TestMethod]
    [DataRow(0.5f, 3f)]
    [DataRow(0f, 3f)]
    [DataRow(0.5f, 0f)]
    [ByHand(typeof(ContrastiveMaskedTrainer.Method))]
    public void TheHybridAddsContrastAndPrediction(float contrastiveWeight, float maskedWeight)
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var view = new RecordedTextView(2, s_vocabulary);
        var encoder = new TinyTextEncoder();
        using var method = new ContrastiveMaskedTrainer.Method(encoder, s_vocabulary, streams, new()
        {
            Temperature = 0.3f, MaskRatio = Ratio, ContrastiveWeight = contrastiveWeight, MaskedWeight = maskedWeight,
        }, view);
        var texts = Texts(10);
        var loss = method.Loss([texts]);
        double contrast = 0, masked = 0;
        if (contrastiveWeight > 0)
        {
            IsTwoDrawsOf(texts, view);
            contrast = Contrast(method, encoder, view.Returned.Single());
            Numbers.AreEqual(contrast, loss, "contrastive");
        }
        if (maskedWeight > 0)
        {
            masked = Prediction(method, encoder, texts, same); // of the texts as they came, not of a view
            Numbers.AreEqual(masked, loss, "masked");
        }
        Numbers.AreEqual(contrastiveWeight * contrast + maskedWeight * masked, loss.Total);
    }

    // Wang, Reimers, Gurevych, 2021 (arXiv:2104.06979), section 3: the mean over all tokens of -log p(token | the tokens before, the vector of
    // the damaged text).
    [TestMethod]
    [DataRow(0f)]
    [DataRow(0.6f)]
    [ByHand(typeof(TsdaeTrainer.Method))]
    public void TsdaeSaysTheWholeTextAgain(float deletion)
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = new TinyTextEncoder();
        using var method = new TsdaeTrainer.Method(encoder, s_vocabulary, streams, new() { TokenDeletion = deletion });
        for (var step = 0; step < 3; step++)
        {
            var texts = Texts(30 + step);
            var loss = method.Loss([texts]);
            long[][] whole = texts.Texts(), left = deletion == 0 ? whole : Shortened(whole, texts.Ids.shape[1], deletion, same.Views);
            Assert.AreEqual(deletion > 0, left.Sum(text => text.Length) < whole.Sum(text => text.Length));
            Numbers.AreEqual(Retold(method, encoder, left, whole), loss.Total, $"loss of step {step}");
            Numbers.AreEqual([.. Embedded(encoder, left).SelectMany(row => row)], loss.Embeddings!, "embeddings of the damaged texts");
        }
    }

    // Lewis et al., 2020 (arXiv:1910.13461), section 2.2, with the bridge of TSDAE: what the view gives is embedded, the text as it came is told.
    [TestMethod]
    [ByHand(typeof(SentencePermutationTrainer.Method))]
    public void SentencePermutationSaysTheTextAgainInItsOrder()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(Seed);
        var view = new RecordedTextView(2, s_vocabulary);
        var encoder = new TinyTextEncoder();
        using var method = new SentencePermutationTrainer.Method(encoder, streams, new(), view);
        var texts = Texts(40);
        var loss = method.Loss([texts]);
        Numbers.AreEqual(Retold(method, encoder, view.Returned.Single(), texts.Texts()), loss.Total);
    }

    // The view that the trainer makes: sentences of the tokenizer's marks change places as wholes.
    [TestMethod]
    public void SentencePermutationShufflesWholeSentences()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(Seed);
        var tokenizer = WordPieceTokenizer.Train(["one two. three four! five six? seven.", "one two. three four! five six? seven."],
            new WordPieceTokenizer.Options { MinimumCount = 1 });
        var view = SentencePermutationTrainer.CreateView(tokenizer);
        int[] text = tokenizer.Encode("one two. three four! five six? seven.", addSpecialTokens: true);
        var batch = TokenTexts.Of([.. Enumerable.Repeat(Array.ConvertAll(text, id => (long)id), 20)]);
        string[] shuffled = [.. view.Apply(batch, streams.Views).Texts().Select(ids => tokenizer.Decode(Array.ConvertAll(ids, id => (int)id)))];
        string[] sentences = ["one two.", "three four!", "five six?", "seven."];
        Assert.IsTrue(shuffled.All(one => sentences.All(one.Replace(" .", ".", StringComparison.Ordinal).Replace(" !", "!", StringComparison.Ordinal)
            .Replace(" ?", "?", StringComparison.Ordinal).Contains)), shuffled[0]);
        Assert.IsGreaterThan(10, shuffled.Distinct().Count());
    }

    // What the encoder and its view give, text by text and without padding: the decoder's vector at every place but the last, the scores of its
    // head, and the cross entropy of the token behind.
    private static double Retold(PretrainingMethod method, TinyTextEncoder encoder, long[][] seen, long[][] whole)
    {
        using var noGrad = no_grad();
        var decoder = Steps.Child<SentenceDecoder>(method, "decoder");
        var head = Steps.Child<MaskedTokenHead>(method, "predictions");
        List<double> losses = [];
        for (var i = 0; i < whole.Length; i++)
        {
            var sentence = Numbers.ToTensor([Embedded(encoder, [seen[i]])[0]]);
            var vectors = decoder.call(sentence, TokenTexts.Of([whole[i][..^1]]).Ids, encoder.TokenEmbeddings).squeeze(0);
            double[][] scores = Numbers.Rows(head.call(vectors, encoder.TokenEmbeddings));
            losses.AddRange(scores.Select((row, place) => Numbers.CrossEntropy(row, (int)whole[i][place + 1])));
        }
        return losses.Average();
    }

    // A draw for every place; a word below the rate is deleted, but for the one of a text with the highest draw.
    private static long[][] Shortened(long[][] texts, long length, double rate, Generator generator)
    {
        double[][] draws = Numbers.Rows(Draws.Uniform([texts.Length, length], CPU, generator));
        return [.. texts.Select((text, row) =>
        {
            int[] words = [.. Enumerable.Range(0, text.Length).Where(place => text[place] >= s_vocabulary.SpecialCount)];
            int spared = words.MaxBy(place => draws[row][place]);
            return text.Where((_, place) => !words.Contains(place) || place == spared || draws[row][place] >= rate).ToArray();
        })];
    }

    private static TokenBatch Texts(int seed) => TokenTexts.Random(Count, 9, s_vocabulary, seed, specialTokens: true);

    private static double[][] Embedded(TinyTextEncoder encoder, long[][] texts)
    {
        using var noGrad = no_grad();
        return Numbers.Rows(encoder.call(TokenTexts.Of(texts)));
    }

    // Both copies of all texts in one call, and not the same change twice.
    private static void IsTwoDrawsOf(TokenBatch texts, RecordedTextView view)
    {
        long[][] given = texts.Texts(), returned = view.Returned.Single();
        Assert.HasCount(2 * Count, returned);
        var twins = 0;
        for (var i = 0; i < Count; i++)
        {
            Assert.HasCount(given[i].Length, returned[i]);
            Assert.HasCount(given[i].Length, returned[Count + i]);
            twins += returned[i].SequenceEqual(returned[Count + i]) ? 1 : 0;
        }
        Assert.IsLessThan(Count, twins);
    }

    // InfoNCE between the first and the second half of the texts.
    private static double Contrast(PretrainingMethod method, TinyTextEncoder encoder, long[][] texts)
    {
        var projection = Steps.Child<ProjectionHead>(method, "projection");
        double[][][] z = Numbers.Parts(Steps.Call(projection, Numbers.ToTensor(Embedded(encoder, texts))), 2);
        return ContrastiveNaive.InfoNce(z[0], z[1], 0.3);
    }

    private static double Prediction(PretrainingMethod method, TinyTextEncoder encoder, TokenBatch texts, RandomStreams streams)
    {
        using var noGrad = no_grad();
        var (masked, chosen, truth) = MaskedImageTextTests.MaskedWords(texts, Ratio, streams);
        var tokens = encoder.EncodeTokens(masked);
        double[][] vectors = [.. Numbers.Cubes(tokens).SelectMany(text => text)];
        double[][] chosenVectors = [.. chosen.Select(place => vectors[place])];
        var head = Steps.Child<MaskedTokenHead>(method, "predictions");
        double[][] scores = Numbers.Rows(head.call(Numbers.ToTensor(chosenVectors), encoder.TokenEmbeddings));
        return scores.Select((row, i) => Numbers.CrossEntropy(row, (int)truth[i])).Average();
    }
}
