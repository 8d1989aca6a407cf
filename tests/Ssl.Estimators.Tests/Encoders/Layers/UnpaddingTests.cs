using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders.Layers;

/// <summary>Sequences of very different lengths in one batch give what each gives alone, where there is no padding.</summary>
[TestClass]
public sealed class UnpaddingTests
{
    private const int Dimension = 8, Longest = 13;

    // Ends of prefixes; one of the sequences has holes, one no token.
    private static readonly int[] s_lengths = [13, 2, 7, 1, 3, 0, 2];

    private static bool Has(int sequence, int place) => place < s_lengths[sequence] && !(sequence == 2 && place is 1 or 4);

    private static Tensor Mask() => tensor(Enumerable.Range(0, s_lengths.Length).SelectMany(i => Enumerable.Range(0, Longest).Select(place => Has(i, place))).ToArray())
        .view(s_lengths.Length, Longest);

    private static long[] Places(int sequence) => [.. Enumerable.Range(0, Longest).Where(place => Has(sequence, place)).Select(place => (long)place)];

    [TestMethod]
    public void A_transformer_computes_every_sequence_as_if_it_were_alone()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var stack = new TransformerStack(2, Dimension, 2, 16, 0, streams);
        Compare((tokens, mask) => stack.call(tokens, mask), stack.parameters());
    }

    [TestMethod]
    public void So_does_a_network_of_BERT_s_kind()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var layers = new BertLayers(new BertSizes { Words = 9, NumberOfLayers = 2, Dimension = Dimension, NumberOfHeads = 2, FeedForwardDimension = 16,
            Positions = Longest, MaximumTokens = Longest, Dropout = 0 }, streams);
        Compare((tokens, mask) => layers.call(tokens, mask), layers.parameters());
    }

    private static void Compare(Func<Tensor, Tensor?, Tensor> run, IEnumerable<TorchSharp.Modules.Parameter> parameters)
    {
        using var random = new Generator(3);
        var tokens = randn([s_lengths.Length, Longest, Dimension], generator: random);
        var weights = randn([s_lengths.Length, Longest, Dimension], generator: random);
        var together = run(tokens, Mask());
        together.mul(weights).sum().backward();
        var gradients = parameters.Select(parameter => parameter.grad!.clone()).ToArray();
        foreach (var parameter in parameters)
            parameter.grad!.zero_();
        for (var i = 0; i < s_lengths.Length; i++)
        {
            var places = tensor(Places(i));
            using (no_grad())
                Assert.AreEqual(0, together[i][tensor(Enumerable.Range(0, Longest).Select(place => !Has(i, place)).ToArray())].abs().sum().item<float>());
            if (places.shape[0] == 0)
                continue;
            var alone = run(tokens[i].index_select(0, places).unsqueeze(0), null).squeeze(0);
            TestTensors.AreClose(alone, together[i].index_select(0, places), 1e-5f);
            alone.mul(weights[i].index_select(0, places)).sum().backward();
        }
        foreach (var (found, alone) in gradients.Zip(parameters))
            TestTensors.AreClose(alone.grad!, found, 1e-4f);
    }

    [TestMethod]
    public void Padding_that_is_hardly_any_stays()
    {
        using var scope = NewDisposeScope();
        var mask = ones(10, 10, ScalarType.Bool);
        Assert.IsNull(Unpadding.Of(null));
        Assert.IsNull(Unpadding.Of(mask));
        mask[0, 9] = tensor(false);
        Assert.IsNull(Unpadding.Of(mask));
        mask.narrow(1, 8, 2).zero_();
        Assert.IsNotNull(Unpadding.Of(mask));
    }
}
