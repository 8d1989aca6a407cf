using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tests.Methods.ByHand;
using Ssl.Estimators.Tests.Views;
using Ssl.Estimators.Training;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ImageText;

/// <summary>What the methods on images with texts read and take where nothing is said, and what a locked encoder is.</summary>
[TestClass]
public sealed class ImageTextPretrainingTrainerTests
{
    private sealed class Row
    {
        [VectorType(1, 8, 8)]
        public byte[] Image { get; set; } = [];

        public string Text { get; set; } = "";

        public float Number { get; set; }
    }

    private readonly MLContext _mlContext = TestDevice.Context(1);

    private IDataView View() => _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 12).Select(i => new Row
    {
        Image = [.. Enumerable.Range(0, 64).Select(pixel => (byte)(pixel * (i + 1) % 256))], Text = i == 3 ? "a red square seldom" : "a red square",
    }).ToArray());

    private EncoderTransformer Clip(Action<ClipTrainer.Options>? change = null)
    {
        var options = new ClipTrainer.Options { NumberOfEpochs = 0, Seed = 1, ProjectionDimension = 8 };
        change?.Invoke(options);
        return _mlContext.SelfSupervised().ImageText.Clip(options).Fit(View());
    }

    private static ImageTextRowFormat FormatOf(EncoderTransformer model) => (ImageTextRowFormat)model.Model.Format;

    [TestMethod]
    public void Columns_of_another_kind_are_named()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Clip(options => options.TextColumnName = "Number"));
        StringAssert.Contains(fault.Message, "'Number'");
        StringAssert.Contains(fault.Message, "Load or convert it as text first");
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Clip(options => options.ImageColumnName = "Number"));
        StringAssert.Contains(fault.Message, "'Number'");
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Clip(options => options.PixelMaximum = 2));
        StringAssert.Contains(fault.Message, "PixelMaximum must be 255");
    }

    [TestMethod]
    public void Tokens_are_made_as_the_options_say_or_are_those_given()
    {
        static bool Knows(EncoderTransformer model, string word) => ((WordPieceTokenizer)FormatOf(model).Texts.Tokenizer).Tokens.Contains(word);
        using var plain = Clip();
        Assert.IsTrue(Knows(plain, "square") && !Knows(plain, "seldom"));
        using var all = Clip(options => options.MinimumTokenCount = 1);
        Assert.IsTrue(Knows(all, "seldom"));
        var own = FormatOf(all).Texts.Tokenizer;
        using var given = Clip(options => options.Tokenizer = own);
        Assert.AreSame(own, FormatOf(given).Texts.Tokenizer);
    }

    [TestMethod]
    public void A_started_text_encoder_brings_its_tokenizer_and_its_cut()
    {
        var texts = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(_ => new Row { Text = "green circle" }).ToArray());
        using var first = _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(8, 8, 8), NumberOfEpochs = 0, Seed = 1, Truncation = TextTruncation.HeadAndTail,
        }).Fit(texts);
        using var model = Clip(options => options.TextEncoder = first.ToTextEncoderFactory());
        Assert.AreSame(((TextRowFormat)first.Model.Format).Tokenizer, FormatOf(model).Texts.Tokenizer);
        Assert.AreEqual(TextTruncation.HeadAndTail, FormatOf(model).Texts.Truncation);
    }

    /// <summary>One vector holds both, so that it is twice as long as the space that they share.</summary>
    [TestMethod]
    public void Encoders_of_the_options_are_taken()
    {
        using var usual = Clip();
        Assert.AreEqual(16, usual.EmbeddingDimension);
        Assert.AreEqual(16, ((VectorDataViewType)usual.GetOutputSchema(View().Schema)["Features"].Type).Size);
        Assert.AreEqual(16, Reflected.Property(_mlContext.SelfSupervised().ImageText.Clip(new ClipTrainer.Options { ProjectionDimension = 8 }), typeof(PretrainingTrainer), "EmbeddingDimension"));
        using var own = Clip(options => (options.ImageEncoder, options.TextEncoder)
            = (ImageEncoders.VisionTransformer(8, 2, 1, numberOfLayers: 1, dimension: 8, numberOfHeads: 2), TextEncoders.Transformer(1, 8, 2, maximumTokens: 8)));
        Assert.IsTrue(((TwoTowerEncoder)own.Model.Network).Images.Encoder is PatchEncoder && ((TwoTowerEncoder)usual.Model.Network).Images.Encoder is not PatchEncoder);
        Assert.IsTrue(((TwoTowerEncoder)own.Model.Network).Texts.Encoder.IsContextual && !((TwoTowerEncoder)usual.Model.Network).Texts.Encoder.IsContextual);

        EncoderTransformer Fusion(MaskedImageTextTrainer.Options options)
        {
            (options.NumberOfEpochs, options.Seed, options.Dimension, options.NumberOfHeads, options.NumberOfLayers) = (0, 1, 12, 2, 1);
            return _mlContext.SelfSupervised().ImageText.MaskedImageText(options).Fit(View());
        }
        using var fused = Fusion(new());
        Assert.AreEqual(12, fused.EmbeddingDimension);
        using var ownFused = Fusion(new()
        {
            ImageEncoder = ImageEncoders.VisionTransformer(8, 4, 1, numberOfLayers: 1, dimension: 20, numberOfHeads: 2), TextEncoder = TextEncoders.Transformer(1, 24, 2, maximumTokens: 8),
        });
        Assert.AreEqual((20, 24), (((FusionEncoder)ownFused.Model.Network).Images.TokenDimension, ((FusionEncoder)ownFused.Model.Network).Texts.TokenDimension));
        Assert.AreNotEqual(20, ((FusionEncoder)fused.Model.Network).Images.TokenDimension);
        Assert.AreNotEqual(24, ((FusionEncoder)fused.Model.Network).Texts.TokenDimension);
    }

    [TestMethod]
    public void Words_need_a_context_to_be_told_from()
    {
        using var streams = new RandomStreams(1);
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _mlContext.SelfSupervised().ImageText.MaskedImageText(new MaskedImageTextTrainer.Options
        {
            TextEncoder = TextEncoders.Bag(8, 8, 8), Dimension = 12, NumberOfHeads = 2, NumberOfEpochs = 0,
        }).Fit(View()));
        StringAssert.Contains(fault.Message, "Masked tokens can only be predicted from their context");
    }

    private static (TwoTowerEncoder Towers, PretrainingMethod Method) Make(RandomStreams streams, Action<ClipTrainer.Options> change)
    {
        var options = new ClipTrainer.Options { ProjectionDimension = 8 };
        change(options);
        var towers = (TwoTowerEncoder)AllMethods.Encoders["image-text.towers"](streams);
        return (towers, new ClipTrainer.Method(towers, TinyTextEncoder.Vocabulary, streams, options));
    }

    /// <summary>A locked encoder keeps its weights and drops nothing; the projection above it learns (Zhai et al., "LiT", 2022).</summary>
    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(true, true)]
    public void A_locked_encoder_rests(bool locksImages, bool locksTexts)
    {
        using var streams = new RandomStreams(1);
        var (towers, method) = Make(streams, options => (options.LocksImageEncoder, options.LocksTextEncoder) = (locksImages, locksTexts));
        using (method)
        {
            method.Tune(EncoderTuning.Full);
            foreach (var (name, parameter) in towers.named_parameters())
            {
                var isLocked = locksImages && name.StartsWith("image.encoder.", StringComparison.Ordinal) || locksTexts && name.StartsWith("text.encoder.", StringComparison.Ordinal);
                Assert.AreEqual(!isLocked, parameter.requires_grad, name);
            }
            method.train();
            method.OnEpochStarting(0);
            Assert.AreEqual(!locksImages, towers.Images.Encoder.training);
            Assert.AreEqual(!locksTexts, towers.Texts.Encoder.training);
        }
    }

    /// <summary>Words of a text are dropped as a view of it, unless the option says none.</summary>
    [TestMethod]
    public void Words_are_dropped_from_texts()
    {
        using var scope = NewDisposeScope();
        float Loss(float deletion)
        {
            using var streams = new RandomStreams(1);
            var (_, method) = Make(streams, options => (options.TokenDeletion, options.View) = (deletion, new Unchanged()));
            using (method)
            {
                method.eval();
                using var noGrad = no_grad();
                return method.Loss([new ImageTextBatch(new ImageBatch(arange(6 * 3 * 144, dtype: ScalarType.Float32).remainder(97).div(97).view(6, 3, 12, 12)),
                    TokenTexts.Random(6, 8, TinyTextEncoder.Vocabulary, seed: 4, specialTokens: false))]).Total.item<float>();
            }
        }
        Assert.AreEqual(Loss(0), Loss(0));
        Assert.AreNotEqual(Loss(0), Loss(0.5f));
        Assert.AreEqual(0.3, ((TokenDeletion)Deletion(0.3f)!).Rate, 1e-6);
        Assert.IsNull(Deletion(0));

        static object? Deletion(float rate)
        {
            using var streams = new RandomStreams(1);
            var (_, method) = Make(streams, options => options.TokenDeletion = rate);
            using (method)
                return Reflected.Field(method, "_deletion");
        }
    }

    /// <summary>Zhai et al., 2023 (arXiv:2303.15343), section 3.2: the logarithm of the factor and the shift where training begins.</summary>
    [TestMethod]
    public void Sig_lip_begins_where_its_options_say()
    {
        using var streams = new RandomStreams(1);
        var towers = (TwoTowerEncoder)AllMethods.Encoders["image-text.towers"](streams);
        using var method = new SigLipTrainer.Method(towers, TinyTextEncoder.Vocabulary, streams, new() { InitialTemperature = 0.2f, InitialBias = -7 });
        Assert.AreEqual(Math.Log(5), towers.LogitScale.item<float>(), 1e-5);
        Assert.AreEqual(-7, towers.LogitBias.item<float>(), 1e-6);
    }

    [TestMethod]
    public void The_mask_token_of_patches_starts_small()
    {
        using var streams = new RandomStreams(1);
        var fusion = (FusionEncoder)AllMethods.Encoders["image-text.fusion"](streams);
        using var method = new MaskedImageTextTrainer.Method(fusion, TinyTextEncoder.Vocabulary, streams, new());
        var values = method.state_dict()["mask_token"].data<float>().ToArray();
        Assert.AreEqual(0.02, Math.Sqrt(values.Average(value => value * value)), 0.012);
    }
}
