using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Patches of an image and tokens of its text, each seen by an encoder of its own first, then together by one transformer. A row's embedding is the
/// vector of a class token before both.
/// </summary>
/// <remarks>
/// The shape of Singh et al., "FLAVA: A Foundational Language And Vision Alignment Model", 2022 (arXiv:2112.04482). N rows, P patches, L places of a
/// text, D the dimension. The heads are kept with the encoder: with them it tells hidden words, and how well a text fits its image.
/// </remarks>
internal sealed class FusionEncoder : Encoder<ImageTextBatch>, IReconstructsRows
{
    private static readonly string[] s_joints = ["image_projection", "text_projection", "cls_token"], s_heads = ["text_output", "predictions", "matching"];

    [ComponentName(Name = "image")]
    private readonly PatchEncoder _images;

    [ComponentName(Name = "text")]
    private readonly TextEncoder _texts;

    [ComponentName(Name = "image_projection")]
    private readonly LinearLayer _imageProjection;

    [ComponentName(Name = "text_projection")]
    private readonly LinearLayer _textProjection;

    [ComponentName(Name = "cls_token")]
    private readonly Parameter _classToken;

    [ComponentName(Name = "encoder")]
    private readonly TransformerStack _stack;

    [ComponentName(Name = "text_output")]
    private readonly LinearLayer _textOutput;

    [ComponentName(Name = "predictions")]
    private readonly MaskedTokenHead _predictions;

    [ComponentName(Name = "matching")]
    private readonly LinearLayer _matching;

    public FusionEncoder(PatchEncoder images, TextEncoder texts, FusionNetwork sizes, RandomStreams streams) : base(nameof(FusionEncoder))
    {
        (_images, _texts, EmbeddingDimension) = (images, texts, sizes.Dimension);
        // Their biases also say which of both kinds a vector is of.
        _imageProjection = Initialization.NormalLinear(images.TokenDimension, sizes.Dimension, streams.Weights);
        _textProjection = Initialization.NormalLinear(texts.TokenDimension, sizes.Dimension, streams.Weights);
        _classToken = Initialization.Weights(1, 1, sizes.Dimension);
        Initialization.Normal(_classToken, 0.02, streams.Weights);
        _stack = new TransformerStack(sizes.NumberOfLayers, sizes.Dimension, sizes.NumberOfHeads, 4 * sizes.Dimension, sizes.Dropout, streams);
        _textOutput = Initialization.NormalLinear(sizes.Dimension, texts.TokenDimension, streams.Weights);
        _predictions = new MaskedTokenHead(texts.TokenDimension, texts.TokenEmbeddings.shape[0], streams);
        _matching = Initialization.NormalLinear(sizes.Dimension, 1, streams.Weights);
        RegisterComponents();
    }

    /// <summary>Sees the patches of images first.</summary>
    public PatchEncoder Images => _images;

    /// <summary>Sees the tokens of texts first.</summary>
    public TextEncoder Texts => _texts;

    public override int EmbeddingDimension { get; }

    public bool Reconstructs => true;

    public override IReadOnlyList<string> Blocks => [.. BlockGroups.Select(group => string.Join(" and ", group))];

    // Those of the two encoders side by side, counted from where they meet, then those of the transformer over both.
    internal override IReadOnlyList<IReadOnlyList<string>> BlockGroups
    {
        get
        {
            string[] layers = [.. Enumerable.Range(0, _stack.NumberOfLayers).Select(layer => $"encoder.layer.{layer}")];
            return [.. SideBySide.Blocks(_images, _texts),
                .. layers.Select((layer, i) => (string[])[layer, .. i == 0 ? s_joints : [], .. i == layers.Length - 1 ? s_heads : []])];
        }
    }

    protected override Tensor Encode(ImageTextBatch batch)
    {
        using var scope = NewDisposeScope();
        var patches = _images.EncodePatches(_images.EmbedPatches(_images.Patchify(_images.Standardize(batch.Images))));
        return Fuse(patches, _texts.EncodeTokens(batch.Texts), batch.Texts.Mask).Class.MoveToOuterDisposeScope();
    }

    /// <summary>Sees both together.</summary>
    /// <param name="patches">What the encoder of images gave, [N, P, its dimension].</param>
    /// <param name="tokens">What the encoder of texts gave, [N, L, its dimension].</param>
    /// <param name="mask">Bool [N, L], true where there is a token.</param>
    /// <returns>The class token's vectors [N, D], those of the patches [N, P, D] and of the tokens [N, L, D].</returns>
    public (Tensor Class, Tensor Patches, Tensor Tokens) Fuse(Tensor patches, Tensor tokens, Tensor mask)
    {
        long n = patches.shape[0], places = patches.shape[1], length = tokens.shape[1];
        var all = cat([_classToken.expand(n, 1, EmbeddingDimension), MixedPrecision.Widen(_imageProjection.call(patches)),
            MixedPrecision.Widen(_textProjection.call(tokens))], 1);                                // [N, 1 + P + L, D]
        var seen = cat([ones(n, 1 + places, dtype: ScalarType.Bool, device: mask.device), mask], 1);
        var fused = _stack.call(all, seen);
        return (fused.select(1, 0), fused.narrow(1, 1, places), fused.narrow(1, 1 + places, length));
    }

    /// <summary>Scores of all tokens at chosen places.</summary>
    /// <param name="tokens">Fused vectors of tokens, [N, L, D].</param>
    /// <param name="positions">The places, int64 [M], counted through [N x L].</param>
    /// <returns>[M, vocabulary].</returns>
    public Tensor Words(Tensor tokens, Tensor positions)
    {
        var chosen = tokens.reshape(-1, EmbeddingDimension).index_select(0, positions);
        return _predictions.call(MixedPrecision.Widen(_textOutput.call(chosen)), _texts.TokenEmbeddings);
    }

    /// <summary>How sure it is that texts belong to their images, as log-odds.</summary>
    /// <param name="vectors">Of the class token, [N, D].</param>
    /// <returns>[N].</returns>
    public Tensor Matches(Tensor vectors) => _matching.Exact(vectors).squeeze(1);

    /// <summary>The probability that the text is another image's.</summary>
    public Tensor Errors(Batch batch)
    {
        using var scope = NewDisposeScope();
        return Matches(call(batch)).neg().sigmoid().MoveToOuterDisposeScope();
    }
}

/// <summary>Blocks of two encoders that stand side by side.</summary>
internal static class SideBySide
{
    /// <summary>Those next to the output of both are one, and so on towards their inputs.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Blocks(Encoder image, Encoder text)
    {
        var (images, texts) = (image.Blocks, text.Blocks);
        var count = Math.Max(images.Count, texts.Count);
        return [.. Enumerable.Range(0, count).Select(i => (string[])[
            .. At(images, i - (count - images.Count)).Select(name => $"image.{name}"), .. At(texts, i - (count - texts.Count)).Select(name => $"text.{name}")])];
    }

    private static IEnumerable<string> At(IReadOnlyList<string> blocks, int index) => index >= 0 ? [blocks[index]] : [];
}
