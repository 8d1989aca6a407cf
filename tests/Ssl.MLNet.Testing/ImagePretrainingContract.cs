using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Testing;

/// <summary>A small image: bright in one of its corners.</summary>
public sealed class ImageRow : ContractRow
{
    [VectorType(2, 8, 8)]
    public byte[] Image { get; set; } = new byte[128];
}

/// <summary>The contract of a method for images.</summary>
public abstract class ImagePretrainingContract : PretrainingContract<ImageRow>
{
    protected static readonly ImageEncoderFactory Net = ImageEncoders.SmallConvNet(imageSize: 8, channels: 2, numberOfStages: 2, width: 8);

    protected static readonly ImageEncoderFactory Transformer = TransformerOf(numberOfLayers: 1);

    /// <summary>For <see cref="PretrainingContract{TRow}.OptionsWithoutEffect"/> where the encoder is a <see cref="Transformer"/>.</summary>
    protected static readonly IReadOnlyDictionary<string, string> WithoutBatchNorms
        = new Dictionary<string, string> { ["RecomputesBatchStatistics"] = "a transformer has no batch norms" };

    protected override IReadOnlyList<string> TrainingColumns => ["Image"];

    protected override IReadOnlyCollection<string> Prepared => [.. base.Prepared, "FrozenBlocks"];

    // Two blocks, of which one can rest.
    protected override void Prepare(string option, PretrainingOptions options)
    {
        base.Prepare(option, options);
        if (option == "FrozenBlocks" && options is ImagePretrainingOptions { Encoder: { EncodesPatches: true } } images)
            images.Encoder = TransformerOf(numberOfLayers: 2);
    }

    private static ImageEncoderFactory TransformerOf(int numberOfLayers)
        => ImageEncoders.VisionTransformer(8, 2, 2, numberOfLayers, dimension: 16, numberOfHeads: 2);

    /// <summary>The options of a method, small.</summary>
    protected static TOptions Small<TOptions>(Action<PretrainingOptions>? change, ImageEncoderFactory? encoder = null)
        where TOptions : ImagePretrainingOptions, new()
    {
        var options = new TOptions { Encoder = encoder ?? Net, BatchSize = 16, NumberOfEpochs = 2, LearningRate = 1e-3 };
        change?.Invoke(options);
        return options;
    }

    protected override List<ImageRow> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (kind, image) = (random.Next(4), new byte[128]);
            for (var p = 0; p < image.Length; p++)
            {
                bool bright = (p % 8 < 4 ? 0 : 1) == kind % 2 && (p / 8 % 8 < 4 ? 0 : 1) == kind / 2;
                image[p] = (byte)(random.Next(60) + (bright ? 150 : 0));
            }
            return new ImageRow { Id = i, Label = $"corner {kind}", Numbers = [i, -i], Image = image };
        })];
    }

    // Every byte is a pixel: there is nothing to learn only where there are no rows.
    protected override (IReadOnlyList<ImageRow> Rows, string Word) Unusable => ([], "not numbers");

    protected override IReadOnlyList<ImageRow> Odd =>
        [new ImageRow(), new ImageRow { Image = [.. Enumerable.Repeat((byte)255, 128)] },
            new ImageRow { Image = [.. Enumerable.Range(0, 128).Select(i => (byte)(i * 77))] }];

    protected override (string Column, string Expected, string Got) Wrong
        => ("Label", "Image, or a vector of Byte, Single or another number of [2, 8, 8]", "String");
}
