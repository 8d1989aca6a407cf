using System.Runtime.InteropServices;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Latent semantic analysis of tokens: their TF-IDF, projected on the directions in which the texts that it was learned from differ most
/// (Deerwester et al., "Indexing by Latent Semantic Analysis", 1990). What the words of a text say without a network.
/// </summary>
/// <remarks>N texts, L places, W tokens that count, D the embedding dimension. A text without any of them is zeros.</remarks>
internal sealed class LatentSemanticTextEncoder : TextEncoder
{
    /// <summary>The longest embedding.</summary>
    public const int LargestDimension = 512;

    // Of a corpus of any size; and a token of one text alone says nothing of others.
    private const int MostWords = 20_000, FewestTexts = 2;

    // Randomized subspace iteration (Halko, Martinsson and Tropp, 2011, algorithm 4.4): so many further directions, so often multiplied.
    private const int FurtherDirections = 10, PowerIterations = 3;

    private const string Places = "places", Rarity = "rarity", Axes = "directions";

    public LatentSemanticTextEncoder(LatentSemanticTextEncoderFactory sizes, TokenVocabulary vocabulary) : base(nameof(LatentSemanticTextEncoder))
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        Initialization.Take(sizes.NumberOfWords + 1L, EmbeddingDimension + 1L);
        // Of every id of the vocabulary its place among the words that count, from 1; 0 for those that do not.
        register_buffer(Places, zeros(vocabulary.Size, ScalarType.Int64, device: CPU));
        // The words' rarity, [W + 1], and their directions, [W + 1, D]; zeros at 0.
        register_buffer(Rarity, zeros(sizes.NumberOfWords + 1, ScalarType.Float32, device: CPU));
        register_buffer(Axes, zeros(sizes.NumberOfWords + 1, EmbeddingDimension, ScalarType.Float32, device: CPU));
    }

    public override int EmbeddingDimension { get; }

    public override int TokenDimension => EmbeddingDimension;

    public override bool IsContextual => false;

    public override Tensor TokenEmbeddings => throw new NotSupportedException("It counts tokens and has no vectors of them.");

    public override Tensor EncodeTokens(TokenBatch batch) => throw new NotSupportedException("It counts tokens and has no vectors of them.");

    /// <summary>Learns it of texts; null where no token stands in two of them.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="vocabulary">Of their tokens.</param>
    /// <param name="maximumTokens">Tokens of a text that count.</param>
    /// <param name="usesSpecialTokens">Whether the texts stand between special tokens.</param>
    /// <param name="seed">Of the first directions.</param>
    public static (LatentSemanticTextEncoderFactory Sizes, LatentSemanticTextEncoder Network)? Learn(IReadOnlyList<int[]> texts,
        TokenVocabulary vocabulary, int maximumTokens, bool usesSpecialTokens, long seed)
    {
        var frequency = new int[vocabulary.Size];
        foreach (var text in texts)
        {
            foreach (var token in text.Distinct())
                frequency[token]++;
        }
        int[] words = [.. Enumerable.Range(vocabulary.SpecialCount, vocabulary.Size - vocabulary.SpecialCount).Where(token => frequency[token] >= FewestTexts)
            .OrderByDescending(token => frequency[token]).ThenBy(token => token).Take(MostWords).Order()];
        if (words.Length == 0)
            return null;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var sizes = new LatentSemanticTextEncoderFactory(Math.Min(LargestDimension, Math.Min(words.Length, texts.Count)), words.Length, maximumTokens, usesSpecialTokens);
        var network = new LatentSemanticTextEncoder(sizes, vocabulary);
        var places = MemoryMarshal.Cast<byte, long>(network.get_buffer(Places)!.bytes);
        var rarity = MemoryMarshal.Cast<byte, float>(network.get_buffer(Rarity)!.bytes);
        for (var i = 0; i < words.Length; i++)
        {
            places[words[i]] = i + 1;
            rarity[i + 1] = TfIdf.Rarity(texts.Count, frequency[words[i]]);
        }
        using var matrix = Matrix(texts, places, rarity);
        network.get_buffer(Axes)!.narrow(0, 1, words.Length).copy_(Directions(matrix, sizes.EmbeddingDimension, seed));
        foreach (var buffer in network.buffers())
            buffer.DetachFromDisposeScope();
        return (sizes, network);
    }

    // A word that stands in c places has its TF-IDF shared among them: no row of all words is written out.
    protected override Tensor Encode(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var words = get_buffer(Places)!.index_select(0, batch.Ids.flatten()).view(batch.Ids.shape).mul(batch.Mask);          // [N, L], 0 in the padding
        var counts = words.unsqueeze(1).eq(words.unsqueeze(2)).sum(2L).to(ScalarType.Float32);                              // [N, L]
        var tfIdf = counts.log().add(One, One).mul(get_buffer(Rarity)!.index_select(0, words.flatten()).view(words.shape));
        var shares = tfIdf.div(counts);
        var vectors = get_buffer(Axes)!.index_select(0, words.flatten()).view(batch.Count, -1, EmbeddingDimension);         // [N, L, D]
        var length = tfIdf.mul(shares).sum(1L, keepdim: true).sqrt().clamp_min(Number(1e-12f));                             // [N, 1]
        return shares.unsqueeze(1).bmm(vectors).squeeze(1).div(length).MoveToOuterDisposeScope();
    }

    // TF-IDF, the texts of length 1: sparse [N, W].
    private static Tensor Matrix(IReadOnlyList<int[]> texts, ReadOnlySpan<long> places, ReadOnlySpan<float> rarity)
    {
        var (rows, columns, values) = (new List<long>(), new List<long>(), new List<float>());
        foreach (var (row, text) in texts.Index())
        {
            var first = values.Count;
            foreach (var (token, count) in text.CountBy(token => token))
            {
                if (places[token] is not (> 0 and var place))
                    continue;
                rows.Add(row);
                columns.Add(place - 1);
                values.Add(TfIdf.Weight(count, rarity[(int)place]));
            }
            var weights = CollectionsMarshal.AsSpan(values)[first..];
            var length = MathF.Sqrt(TensorPrimitives.SumOfSquares(weights));
            TensorPrimitives.Divide(weights, length, weights);
        }
        long[] indices = [.. rows, .. columns];
        return sparse_coo_tensor(tensor(indices, [2, rows.Count], device: CPU), tensor(values.ToArray(), ScalarType.Float32, device: CPU), [texts.Count, rarity.Length - 1]);
    }

    // The first right singular vectors, [W, D].
    private static Tensor Directions(Tensor matrix, int dimension, long seed)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(seed);
        var (rows, words) = (matrix.shape[0], matrix.shape[1]);
        var start = zeros(words, Math.Min(dimension + FurtherDirections, Math.Min(rows, words)), ScalarType.Float32, device: CPU);
        Initialization.Normal(start, 1, streams.Weights);
        var transposed = matrix.t();
        var basis = linalg.qr(matrix.mm(start)).Q;                                                                          // [N, D']
        for (var i = 0; i < PowerIterations; i++)
            basis = linalg.qr(matrix.mm(linalg.qr(transposed.mm(basis)).Q)).Q;
        var right = linalg.svd(transposed.mm(basis), fullMatrices: false).U;                                                // [W, D']
        return right.narrow(1, 0, dimension).MoveToOuterDisposeScope();
    }
}
