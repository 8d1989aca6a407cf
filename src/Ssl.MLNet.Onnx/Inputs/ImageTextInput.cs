using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Networks;

namespace Ssl.MLNet.Onnx.Inputs;

/// <summary>A column of images and one of texts.</summary>
internal sealed class ImageTextInput(ImageTextRowFormat format) : ModelInput
{
    private readonly ImageInput _images = new(format.Images);
    private readonly TextInput _texts = new(format.Texts);

    public override string Preparation => $"{_images.Preparation}. {_texts.Preparation}";

    public override IReadOnlyList<(string Name, Action<Stream> Write)> Files => _texts.Files;

    public override OnnxValue Embed(NetworkWeights weights)
    {
        var bytes = _images.Bytes(weights.Graph);
        var (ids, mask) = _texts.Tokens(weights.Graph);
        var (images, texts) = (weights.Part("image"), weights.Part("text"));
        if (format.Network is FusionNetwork fusion)
            return Fuse(fusion, weights, ImageGraphs.Patches(format.Images.Factory, images, bytes), TextGraphs.Tokens(format.Texts.Factory, texts, ids, mask), mask);
        return OnnxValue.Concat(1, ImageGraphs.Encode(format.Images.Factory, images, bytes),
            TextGraphs.Encode(format.Texts.Factory, texts, ids, mask, format.Texts.Tokenizer.Vocabulary.SpecialCount));
    }

    // The class token's vector after a transformer over both.
    private static OnnxValue Fuse(FusionNetwork sizes, NetworkWeights weights, OnnxValue patches, OnnxValue tokens, OnnxValue mask)
    {
        var graph = weights.Graph;
        var first = weights.Value("cls_token").Expand(OnnxValue.Concat(0, mask.Length(0), graph.Integers(1, sizes.Dimension)));
        var all = OnnxValue.Concat(1, first, weights.Linear(patches, "image_projection"), weights.Linear(tokens, "text_projection"));    // [N, 1 + P + L, D]
        var places = OnnxValue.Concat(0, mask.Length(0), patches.Length(1) + graph.Integers(1));
        var seen = OnnxValue.Concat(1, graph.Integers(1).Expand(places) > graph.Integer(0), mask);
        return TransformerGraphs.Stack(weights.Part("encoder"), all, sizes.NumberOfLayers, sizes.NumberOfHeads, seen).Select(1, 0);
    }

    public override Dictionary<string, OrtValue> Values(IReadOnlyList<RawRow> rows, RowStore store)
    {
        using var batch = (ImageTextBatch)store.ToBatch(store.AllRows);
        var values = TextInput.Values(batch.Texts);
        foreach (var (name, value) in _images.Values(rows, store))
            values.Add(name, value);
        return values;
    }

    public override RawRow MadeUp(Random random) => _images.MadeUp(random) with { Texts = _texts.MadeUp(random).Texts };
}
