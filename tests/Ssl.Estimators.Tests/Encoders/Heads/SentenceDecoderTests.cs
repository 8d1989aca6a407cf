using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Methods.ByHand;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders.Heads;

/// <summary>What a place of the decoder knows: the tokens up to its own, in their order, and the vector of the text.</summary>
[TestClass]
public sealed class SentenceDecoderTests
{
    private const int Length = 7;

    private static readonly long[] s_text = [2, 11, 7, 15, 9, 12, 3];

    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    public void APlaceKnowsNothingOfTheTokensBehindIt(int layers)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (decoder, encoder) = Make(layers, streams);
        double[][] whole = Decode(decoder, encoder, Sentence(1), s_text);
        for (var end = 1; end <= Length; end++)
        {
            // Cut off there, or with other tokens from there on.
            double[][] cut = Decode(decoder, encoder, Sentence(1), s_text[..end]);
            double[][] other = Decode(decoder, encoder, Sentence(1), [.. s_text[..end], .. Enumerable.Repeat(18L, Length - end)]);
            for (var place = 0; place < end; place++)
            {
                AreNear(whole[place], cut[place], true);
                AreNear(whole[place], other[place], true);
            }
            if (end < Length)
                AreNear(whole[end], other[end], false);
        }
    }

    [TestMethod]
    public void EveryPlaceKnowsTheVectorAndTheOrderOfWhatWasBefore()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (decoder, encoder) = Make(1, streams);
        double[][] whole = Decode(decoder, encoder, Sentence(1), s_text);
        double[][] other = Decode(decoder, encoder, Sentence(2), s_text);
        for (var place = 0; place < Length; place++)
            AreNear(whole[place], other[place], false);
        // The second and third token exchanged: all places from there on differ, the same set of tokens before them or not.
        double[][] exchanged = Decode(decoder, encoder, Sentence(1), [2, 7, 11, .. s_text[3..]]);
        AreNear(whole[0], exchanged[0], true);
        for (var place = 1; place < Length; place++)
            AreNear(whole[place], exchanged[place], false);
    }

    // One block over two places by hand, from its weights: softmax over the places up to the own one.
    [TestMethod]
    public void ABlockIsItsLoops()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (decoder, encoder) = Make(1, streams);
        using var noGrad = no_grad();
        double[][] Matrix(string name) => Numbers.Rows(Steps.Weight(decoder, name));
        double[][] table = Numbers.Rows(encoder.TokenEmbeddings);
        int width = encoder.TokenDimension, half = width / 2;
        double[] bridge = Times(Matrix("bridge.weight"), Numbers.Values(Sentence(1)));
        double[][] tokens = [.. s_text.Select((id, place) => Normed([.. Normed(table[id]).Select((value, i) => value + bridge[i]
            + (i < half ? Math.Sin(place * Math.Pow(10_000, -i / (double)half)) : Math.Cos(place * Math.Pow(10_000, -(i - half) / (double)half))))]))];
        double[][] all = [.. tokens.Select(token => Times(Matrix("stack.layer.0.attention.query_key_value.weight"), Normed(token)))];
        double[][] expected = [.. tokens.Select((token, place) =>
        {
            double[] shares = Numbers.Softmax([.. all[..(place + 1)].Select(other => Numbers.Dot(all[place][..width], other[width..(2 * width)]) / Math.Sqrt(width))]);
            double[] context = [.. Enumerable.Range(0, width).Select(i => shares.Select((share, other) => share * all[other][2 * width + i]).Sum())];
            double[] attended = Plus(token, Times(Matrix("stack.layer.0.attention.output.weight"), context));
            double[] hidden = Numbers.Values(nn.functional.gelu(Numbers.ToTensor([Times(Matrix("stack.layer.0.intermediate.weight"), Normed(attended))])));
            return Normed(Plus(attended, Times(Matrix("stack.layer.0.output.weight"), hidden)));
        })];
        double[][] actual = Decode(decoder, encoder, Sentence(1), s_text);
        for (var place = 0; place < Length; place++)
            AreNear(expected[place], actual[place], true);

        static double[] Times(double[][] matrix, double[] vector) => [.. matrix.Select(row => Numbers.Dot(row, vector))];
        static double[] Plus(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
        static double[] Normed(double[] vector)
        {
            double mean = vector.Average(), deviation = Math.Sqrt(vector.Average(value => (value - mean) * (value - mean)) + 1e-5);
            return [.. vector.Select(value => (value - mean) / deviation)];
        }
    }

    private static (SentenceDecoder Decoder, TinyTextEncoder Encoder) Make(int layers, RandomStreams streams)
    {
        var encoder = new TinyTextEncoder();
        return (new SentenceDecoder(encoder, layers, streams), encoder);
    }

    private static Tensor Sentence(int seed) => Fixed.Values(seed, -0.5, 1, 6);

    private static double[][] Decode(SentenceDecoder decoder, TinyTextEncoder encoder, Tensor sentence, long[] ids)
    {
        using var noGrad = no_grad();
        return Numbers.Cubes(decoder.call(sentence, tensor(ids).unsqueeze(0), encoder.TokenEmbeddings))[0];
    }

    private static void AreNear(double[] expected, double[] actual, bool near)
    {
        double difference = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.AreEqual(near, difference < 1e-5, $"they differ by {difference}");
    }
}
