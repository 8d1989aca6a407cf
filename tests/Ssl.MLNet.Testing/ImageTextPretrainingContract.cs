using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Testing;

/// <summary>A small image that is bright in one of its corners, with a sentence on a subject that goes with the corner.</summary>
public sealed class ImageTextRow : ContractRow
{
    [VectorType(2, 8, 8)]
    public byte[] Image { get; set; } = new byte[128];

    public string Text { get; set; } = "";
}

/// <summary>The contract of a method for images with texts.</summary>
public abstract class ImageTextPretrainingContract : PretrainingContract<ImageTextRow>
{
    private static readonly string[] s_imageTypes = ["Image, or a vector of Byte, Single or another number of [2, 8, 8]", "String"];

    protected override IReadOnlyList<string> TrainingColumns => ["Image", "Text"];

    // An encoder of texts that was trained before, for the methods that start from one.
    private EncoderTransformer? _texts;

    /// <summary>The encoder of texts, small.</summary>
    protected virtual TextEncoderFactory Texts => TextEncoders.Bag(16, 16, 16);

    protected override IReadOnlyDictionary<string, string> OptionsWithoutEffect { get; } = new Dictionary<string, string>
    {
        ["ImageColumnName"] = "another column is other data",
        ["TextColumnName"] = "another column is other data",
    };

    protected override IReadOnlyCollection<string> Prepared => [.. base.Prepared, "StartedEncoderLearningRate"];

    protected override void Prepare(string option, PretrainingOptions options)
    {
        base.Prepare(option, options);
        if (option == "StartedEncoderLearningRate")
        {
            var mlContext = TestDevice.Context(1);
            _texts ??= mlContext.SelfSupervised().Text.SimCse("Features", "Text", Texts, 16, 1).Fit(ContractData.View(mlContext));
            ((ImageTextPretrainingOptions)options).TextEncoder = _texts;
        }
    }

    /// <summary>The options of a method, small.</summary>
    protected TOptions Small<TOptions>(Action<PretrainingOptions>? change) where TOptions : TwoTowerOptions, new()
    {
        var options = new TOptions
        {
            ImageEncoder = ImageEncoders.SmallConvNet(imageSize: 8, channels: 2, numberOfStages: 2, width: 8),
            TextEncoder = Texts,
            ProjectionDimension = 8,
            BatchSize = 16,
            NumberOfEpochs = 2,
            LearningRate = 1e-3,
        };
        change?.Invoke(options);
        return options;
    }

    protected override List<ImageTextRow> Rows(int count, int seed = 1)
    {
        var (random, texts) = (new Random(seed), ContractData.Rows(count, seed));
        return [.. texts.Select(text =>
        {
            var (corner, image) = (text.Id % 4, new byte[128]);
            for (var p = 0; p < image.Length; p++)
            {
                bool bright = (p % 8 < 4 ? 0 : 1) == corner % 2 && (p / 8 % 8 < 4 ? 0 : 1) == corner / 2;
                image[p] = (byte)(random.Next(60) + (bright ? 150 : 0));
            }
            return new ImageTextRow { Id = text.Id, Label = text.Label, Numbers = text.Numbers, Text = text.Text, Image = image };
        })];
    }

    protected override (IReadOnlyList<ImageTextRow> Rows, string Word) Unusable
        => ([.. Enumerable.Range(0, 4).Select(i => new ImageTextRow { Id = i, Text = i % 2 == 0 ? "" : "  " })], "lacks an image in column 'Image' or a text in column 'Text'");

    protected override IReadOnlyList<ImageTextRow> Odd =>
        [new ImageTextRow(), new ImageTextRow { Image = [.. Enumerable.Repeat((byte)255, 128)], Text = "\u0001 \uD83D\uDE00" },
            new ImageTextRow { Image = [.. Enumerable.Range(0, 128).Select(i => (byte)(i * 77))], Text = new string('x', 5_000) }];

    protected override (string Column, string Expected, string Got) Wrong => ("Numbers", "", "");

    protected override (string Expected, string Got) WrongFor(string name) => name == "Image" ? (s_imageTypes[0], "Vector<Single, 2>") : (s_imageTypes[1], "Vector<Single>");
}
