using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a residual network; made by <see cref="ImageEncoders"/>.</summary>
internal sealed class ResNetEncoderFactory : ImageEncoderFactory
{
    public const string KindName = "image.resnet";

    private const int Stages = 4;

    /// <summary>Blocks a stage, and whether they are bottlenecks, of the depths that have a name.</summary>
    private static readonly Dictionary<int, (int[] Blocks, bool IsBottleneck)> s_depths = new()
    {
        [18] = ([2, 2, 2, 2], false),
        [34] = ([3, 4, 6, 3], false),
        [50] = ([3, 4, 6, 3], true),
    };

    public ResNetEncoderFactory(ImageShape shape, int depth, int width, ImageStem stem)
        : this(shape, s_depths.GetValueOrDefault(depth).Blocks ?? [], s_depths.GetValueOrDefault(depth).IsBottleneck, width, stem,
            new OptionFaults().Require(s_depths.ContainsKey(depth), nameof(depth), "must be 18, 34 or 50", depth))
    {
    }

    /// <summary>A network of any depth.</summary>
    public ResNetEncoderFactory(ImageShape shape, int[] blocksPerStage, bool isBottleneck, int width, ImageStem stem)
        : this(shape, blocksPerStage, isBottleneck, width, stem, new OptionFaults().Require(blocksPerStage.Length == Stages
            && blocksPerStage.All(blocks => blocks >= 1), nameof(blocksPerStage), "must be four numbers of at least 1", string.Join(", ", blocksPerStage)))
    {
    }

    private ResNetEncoderFactory(ImageShape shape, int[] blocksPerStage, bool isBottleneck, int width, ImageStem stem, OptionFaults faults)
        : base(shape)
    {
        faults
            .AtLeast(width, 1)
            .Defined(stem)
            .ThrowIfAny();
        (BlocksPerStage, IsBottleneck, Width, Stem) = (blocksPerStage, isBottleneck, width, stem);
    }

    public override string Kind => KindName;

    /// <summary>Channels of the first stage; each later stage has twice as many.</summary>
    public int Width { get; }

    public ImageStem Stem { get; }

    public bool IsBottleneck { get; }

    /// <summary>Whether a bottleneck's stride is on its first convolution, as in the paper, not on the second, as in most files (v1.5).</summary>
    public bool StridesFirst { get; init; }

    /// <summary>Four numbers.</summary>
    public int[] BlocksPerStage { get; }

    public override int EmbeddingDimension => Width * 8 * (IsBottleneck ? 4 : 1);

    internal override bool RoundsToBFloat16 => true;

    public override ImageEncoder Create(RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(streams);
        return new ResNetEncoder(this, EffectiveNormalization, streams);
    }

    protected override void Describe(JsonObject json)
    {
        var named = s_depths.FirstOrDefault(depth => depth.Value.IsBottleneck == IsBottleneck && depth.Value.Blocks.AsSpan().SequenceEqual(BlocksPerStage));
        if (named.Key != 0)
        {
            json["depth"] = named.Key;
        }
        else
        {
            json["blocks"] = new JsonArray([.. BlocksPerStage.Select(count => (JsonNode)count)]);
            json["isBottleneck"] = IsBottleneck;
        }
        if (StridesFirst)
            json["stridesFirst"] = true;
        json["baseWidth"] = Width;
        json["stem"] = Stem.ToString();
    }

    public static ImageEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        string stem = reader.Text("stem");
        if (!Enum.TryParse(stem, out ImageStem parsed))
        {
            throw new FormatException($"The description of the encoder '{KindName}' has the unknown stem '{stem}'. "
                + $"Known: {string.Join(", ", Enum.GetNames<ImageStem>())}.");
        }
        var (shape, width, stridesFirst) = (ReadShape(json), reader.Integer("baseWidth"), json.ContainsKey("stridesFirst") && reader.Boolean("stridesFirst"));
        return WithNormalizationOf(json["blocks"] is JsonArray blocks
            ? new ResNetEncoderFactory(shape, [.. blocks.Select(count => (int)count!)], reader.Boolean("isBottleneck"), width, parsed)
                { StridesFirst = stridesFirst }
            : new ResNetEncoderFactory(shape, reader.Integer("depth"), width, parsed) { StridesFirst = stridesFirst }, json);
    }
}
