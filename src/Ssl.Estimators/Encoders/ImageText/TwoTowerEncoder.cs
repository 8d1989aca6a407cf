using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// An encoder of images and one of texts with one space for both: an image and its text lie close together there. A row's embedding is the
/// image's, then the text's.
/// </summary>
internal sealed class TwoTowerEncoder : Encoder<ImageTextBatch>
{
    private static readonly string[] s_logits = [nameof(logit_scale), nameof(logit_bias)];

    [ComponentName(Name = "image")]
    private readonly ProjectedImageEncoder _images;

    [ComponentName(Name = "text")]
    private readonly ProjectedTextEncoder _texts;

    // Named as CLIP's and SigLIP's own weights are.
    private readonly Parameter logit_scale, logit_bias;

    public TwoTowerEncoder(ProjectedImageEncoder images, ProjectedTextEncoder texts) : base(nameof(TwoTowerEncoder))
    {
        (_images, _texts) = (images, texts);
        (logit_scale, logit_bias) = (Initialization.Weights(), Initialization.Weights());
        RegisterComponents();
    }

    /// <summary>Embeds images.</summary>
    public ProjectedImageEncoder Images => _images;

    /// <summary>Embeds texts.</summary>
    public ProjectedTextEncoder Texts => _texts;

    /// <summary>Logarithm of what cosine similarities are multiplied by: a scalar.</summary>
    public Parameter LogitScale => logit_scale;

    /// <summary>Added to them then: a scalar, 0 where the method has none.</summary>
    public Parameter LogitBias => logit_bias;

    public override int EmbeddingDimension => _images.EmbeddingDimension + _texts.EmbeddingDimension;

    public override IReadOnlyList<string> Blocks => [.. BlockGroups.Select(group => string.Join(" and ", group))];

    internal override IReadOnlyList<IReadOnlyList<string>> BlockGroups
    {
        get
        {
            var groups = SideBySide.Blocks(_images, _texts);
            return [.. groups.SkipLast(1), [.. groups[^1], .. s_logits]];
        }
    }

    protected override Tensor Encode(ImageTextBatch batch) => Join(_images.call(batch.Images), _texts.call(batch.Texts));

    /// <summary>Embeddings of rows of those of their parts.</summary>
    /// <param name="images">[N, D].</param>
    /// <param name="texts">[N, D].</param>
    /// <returns>[N, 2D].</returns>
    public static Tensor Join(Tensor images, Tensor texts) => cat([images, texts], 1);
}
