using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretrains one encoder of images and texts together: hidden words are told with the help of the image, hidden patches with the help of the words,
/// and whether a text belongs to an image.
/// </summary>
/// <remarks>
/// Kim et al., "ViLT", 2021 (arXiv:2102.03334): masked words and image-text matching, where half of the texts are another image's; Singh et al.,
/// "FLAVA", 2022 (arXiv:2112.04482): an encoder of each kind before the one of both, and masked patches. Deviations: pixels of hidden patches are told,
/// as in SimMIM, not codes of a tokenizer; a text that does not belong is the one of the batch's next row. <c>ReconstructionErrors</c> of the fitted encoder
/// is the probability that a row's text is another image's. N rows, P patches, M of them hidden, L places of a text.
/// </remarks>
/// <seealso cref="ClipTrainer"/>
public sealed class MaskedImageTextTrainer : ImageTextPretrainingTrainer
{
    private readonly Options _options;

    internal MaskedImageTextTrainer(MLContext mlContext, Options options) : base(mlContext, options)
    {
        _options = (Options)Settings;
        if (_options.ImageEncoder is { EncodesPatches: false } encoder)
        {
            throw new ArgumentOutOfRangeException(nameof(_options.ImageEncoder), $"ImageEncoder must be one of patches for {nameof(MaskedImageTextTrainer)}, such as "
                + $"{nameof(ImageEncoders)}.{nameof(ImageEncoders.VisionTransformer)}, got '{encoder.Kind}', which sees images whole.");
        }
    }

    /// <summary>Settings of <see cref="MaskedImageTextTrainer"/>.</summary>
    public sealed class Options() : ImageTextPretrainingOptions(batchSize: 64, numberOfEpochs: 30, learningRate: 1e-3, weightDecay: 0.05)
    {
        /// <summary>Length of an embedding, and of the vectors of the transformer over both. A multiple of <see cref="NumberOfHeads"/>; at least 1.</summary>
        /// <value>The default value is 128.</value>
        [OptionRange(Minimum = 1)]
        public int Dimension { get; set; } = 128;

        /// <summary>Blocks of the transformer over both. At least 1.</summary>
        /// <value>The default value is 2.</value>
        [OptionRange(Minimum = 1)]
        public int NumberOfLayers { get; set; } = 2;

        /// <summary>Its attention heads. At least 1.</summary>
        /// <value>The default value is 4.</value>
        [OptionRange(Minimum = 1)]
        public int NumberOfHeads { get; set; } = 4;

        /// <summary>Share that it drops in training. In [0, 1).</summary>
        /// <value>The default value is 0.1.</value>
        [OptionRange(Minimum = 0, Below = 1)]
        public double Dropout { get; set; } = 0.1;

        /// <summary>Share of the tokens that are chosen for prediction; of these 80 % are masked, 10 % replaced, 10 % kept. In (0, 1).</summary>
        /// <value>The default value is 0.15.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float MaskRatio { get; set; } = 0.15f;

        /// <summary>Share of the patches that are hidden, at least one, not all. In (0, 1).</summary>
        /// <value>The default value is 0.5.</value>
        [OptionRange(Above = 0, Below = 1)]
        public float PatchMaskRatio { get; set; } = 0.5f;

        /// <summary>Weight of the term of hidden words. At least 0; not all three weights 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float MaskedTextWeight { get; set; } = 1;

        /// <summary>Weight of the term of hidden patches. At least 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float MaskedPatchesWeight { get; set; } = 1;

        /// <summary>Weight of the term that tells whether a text belongs to an image. At least 0.</summary>
        /// <value>The default value is 1.</value>
        [OptionRange(Minimum = 0)]
        public float MatchingWeight { get; set; } = 1;

        /// <inheritdoc/>
        protected override void Validate(OptionFaults faults)
        {
            faults.Require(NumberOfHeads < 1 || Dimension % NumberOfHeads == 0, nameof(Dimension), $"must be a multiple of NumberOfHeads {NumberOfHeads}", Dimension);
            faults.Require(MaskedTextWeight > 0 || MaskedPatchesWeight > 0 || MatchingWeight > 0, nameof(MaskedTextWeight),
                "must be greater than 0 where the other two weights are 0", MaskedTextWeight);
        }
    }

    /// <inheritdoc/>
    protected override int EmbeddingDimension => _options.Dimension;

    private protected override (ImageEncoderFactory Images, TextEncoderFactory Texts, ImageTextNetwork Network) Encoders(ImageShape shape)
        => (_options.ImageEncoder ?? ImagePretrainingTrainer.SmallTransformer(shape, numberOfLayers: 2, patchesPerSide: 4), _options.TextEncoder ?? TextEncoders.Transformer(numberOfLayers: 1),
            new FusionNetwork(_options.NumberOfLayers, _options.Dimension, _options.NumberOfHeads, _options.Dropout));

    /// <inheritdoc/>
    protected override PretrainingMethod MethodFor(RowFormat format, Encoder encoder, RandomStreams streams)
        => CreateMethod((FusionEncoder)encoder, ((ImageTextRowFormat)format).Texts.Tokenizer.Vocabulary, streams);

    private PretrainingMethod CreateMethod(FusionEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams)
        => new Method(encoder, vocabulary, streams, _options);

    // Words with the image's help, patches with the words' help, and which of both belong together.
    internal sealed class Method : ImageTextMethod
    {
        [ComponentName(Name = "encoder")]
        private readonly FusionEncoder _encoder;

        [ComponentName(Name = "mask_token")]
        private readonly Parameter _maskToken;

        [ComponentName(Name = "patch_output")]
        private readonly LinearLayer _patchOutput;

        private readonly TokenMasker _masker;
        private readonly RandomStreams _streams;
        private readonly ImageView _view;
        private readonly Options _options;

        public Method(FusionEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, Options options)
            : base("MaskedImageText", encoder, options, (encoder.Images, "image."), (encoder.Texts, "text."))
        {
            MaskedLanguageModelTrainer.Method.RequireContext(encoder.Texts);
            (_encoder, _streams, _options) = (encoder, streams, options);
            _view = options.View ?? new RandomAffine();
            _masker = new TokenMasker(vocabulary, options.MaskRatio);
            _maskToken = nn.Parameter(zeros(encoder.Images.TokenDimension, dtype: ScalarType.Float32));
            Initialization.Normal(_maskToken, 0.02, streams.Weights);
            _patchOutput = Initialization.NormalLinear(encoder.EmbeddingDimension, encoder.Images.PatchLength, streams.Weights);
            RegisterComponents();
        }

        /// <inheritdoc/>
        public override StepLoss Loss(IReadOnlyList<Batch> columns)
        {
            var batch = Column<ImageTextBatch>(columns);
            var (images, texts) = (_encoder.Images, batch.Texts);
            var patches = images.Patchify(images.Standardize(_view.Apply(batch.Images, _streams.Views)));   // [N, P, numbers of a patch]
            var embedded = images.EmbedPatches(patches);                                                // [N, P, its dimension]
            var seen = images.EncodePatches(embedded);
            var tokens = _encoder.Texts.EncodeTokens(texts);                                            // [N, L, its dimension]
            var (words, accuracy) = Words(seen, texts);
            var hidden = Patches(patches, embedded, tokens, texts.Mask);
            var (matching, matched, vectors) = Matching(seen, tokens, texts.Mask);
            var total = words.mul(Number(_options.MaskedTextWeight)).add(hidden.mul(Number(_options.MaskedPatchesWeight)), One)
                .add(matching.mul(Number(_options.MatchingWeight)), One);
            return new StepLoss(total, [("words", words.detach()), ("accuracy", accuracy), ("patches", hidden.detach()), ("matching", matching.detach()),
                ("matching accuracy", matched)], vectors.detach());
        }

        // Hidden words, with the whole image.
        private (Tensor Loss, Tensor Accuracy) Words(Tensor seen, TokenBatch texts)
            => MaskedLanguageModelTrainer.Method.Predict(_masker, texts, _streams, masked =>
                _encoder.Words(_encoder.Fuse(seen, _encoder.Texts.EncodeTokens(masked.Batch), texts.Mask).Tokens, masked.Positions));

        // Hidden patches, with all words.
        private Tensor Patches(Tensor patches, Tensor embedded, Tensor tokens, Tensor textMask)
        {
            var images = _encoder.Images;
            var mask = PatchMask.Draw(patches.shape[0], images.NumberOfPatches, _options.PatchMaskRatio, _streams.Masks, patches.device);
            var partly = images.EncodePatches(mask.Replace(embedded, _maskToken.add(images.Positions, One)));
            var fused = PatchMask.Take(_encoder.Fuse(partly, tokens, textMask).Patches, mask.Hidden);   // [N, M, D]
            return PatchReconstructionLoss.Absolute(_patchOutput.Exact(fused), PatchMask.Take(patches, mask.Hidden));
        }

        // Half of the rows get the next row's text, and it is told which.
        private (Tensor Loss, Tensor Accuracy, Tensor Vectors) Matching(Tensor seen, Tensor tokens, Tensor textMask)
        {
            long count = seen.shape[0];
            var isOwn = Draws.Uniform([count], seen.device, _streams.Masks).lt(Number(0.5));            // [N]
            var rows = arange(Number(0L), Number(count), One, dtype: ScalarType.Int64, device: seen.device);
            var source = where(isOwn, rows, Draws.RowsBefore(count, -1, seen.device));
            var vectors = _encoder.Fuse(seen, tokens.index_select(0, source), textMask.index_select(0, source)).Class;  // [N, D]
            var logits = _encoder.Matches(vectors);
            var loss = Ranks.Mean(nn.functional.binary_cross_entropy_with_logits(logits, isOwn.to(ScalarType.Float32), reduction: nn.Reduction.None));
            return (loss, logits.detach().gt(Number(0)).eq(isOwn).to(ScalarType.Float32).mean(), vectors);
        }
    }
}
