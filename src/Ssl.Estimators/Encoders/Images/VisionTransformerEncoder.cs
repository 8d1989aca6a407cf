using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A vision transformer (Dosovitskiy et al., 2021, arXiv:2010.11929); parameters are named as in timm.</summary>
/// <remarks>
/// N images, P patches, D the dimension. Deviation: positions start as sines and cosines of row and column (as in MAE) and are learned
/// from there; a short training does not find them from noise.
/// </remarks>
internal sealed class VisionTransformerEncoder : PatchEncoder
{
    [ComponentName(Name = "cls_token")]
    private readonly Parameter _classToken;

    [ComponentName(Name = "dist_token")]
    private readonly Parameter? _distillationToken;

    [ComponentName(Name = "pos_embed")]
    private readonly Parameter _positions;

    [ComponentName(Name = "patch_embed")]
    private readonly PatchProjection _projection;

    [ComponentName(Name = "blocks")]
    private readonly ModuleList<VisionBlock> _blocks;

    [ComponentName(Name = "norm")]
    private readonly LayerNormalization _norm;

    private readonly ImagePooling _pooling;
    private readonly int _numberOfLayers;

    // Tokens before the patches.
    private readonly int _prefix;

    public VisionTransformerEncoder(VisionTransformerEncoderFactory sizes, ImageNormalization normalization, RandomStreams streams)
        : base(nameof(VisionTransformerEncoder), sizes, sizes.PatchSize, normalization)
    {
        EmbeddingDimension = sizes.EmbeddingDimension;
        (_pooling, _numberOfLayers, _prefix) = (sizes.Pooling, sizes.NumberOfLayers, sizes.HasDistillationToken ? 2 : 1);
        _classToken = Initialization.Weights(1, 1, EmbeddingDimension);
        Initialization.Normal(_classToken, 0.02, streams.Weights);
        if (sizes.HasDistillationToken)
        {
            _distillationToken = Initialization.Weights(1, 1, EmbeddingDimension);
            Initialization.Normal(_distillationToken, 0.02, streams.Weights);
        }
        Initialization.Take(Rows, Columns, EmbeddingDimension);
        using (var none = zeros(1, _prefix, EmbeddingDimension, dtype: ScalarType.Float32))
        using (var grid = PositionGrid.SinesAndCosines(Rows, Columns, EmbeddingDimension))
            _positions = nn.Parameter(cat([none, grid], 1));                                        // [1, 1 or 2 + P, D]
        _projection = new PatchProjection(sizes.Shape.Channels, EmbeddingDimension, sizes.PatchSize, streams);
        _blocks = VisionBlock.Stack(sizes.NumberOfLayers, EmbeddingDimension, sizes.NumberOfHeads, sizes.HiddenDimension,
            sizes.LayerNormEpsilon, streams);
        _norm = Initialization.Norm(EmbeddingDimension, sizes.LayerNormEpsilon);
        RegisterComponents();
    }

    public override int EmbeddingDimension { get; }

    public override int TokenDimension => EmbeddingDimension;

    public override bool TakesAnySize => Resizes;

    // What stands before the first block counts with it, the last norm with the last.
    public override IReadOnlyList<string> Blocks => [.. Enumerable.Range(0, _numberOfLayers).Select(layer => $"blocks.{layer}")];

    public override Tensor Positions => _positions.narrow(1, _prefix, NumberOfPatches);

    protected override Tensor EncodePixels(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var tokens = Run(EmbedPatches(Patchify(pixels)));                                           // [N, 1 or 2 + P, D]
        var pooled = _pooling == ImagePooling.Class ? tokens.select(1, 0) : tokens.narrow(1, _prefix, NumberOfPatches).mean([1L]);
        return pooled.MoveToOuterDisposeScope();                                                    // [N, D]
    }

    public override Tensor EmbedPatches(Tensor patches, Tensor? places = null)
    {
        using var scope = NewDisposeScope();
        var positions = Positions;                                   // [1, P, D]
        if (places is not null)
            positions = positions.squeeze(0).index_select(0, places.flatten()).view(places.shape[0], places.shape[1], EmbeddingDimension);
        return _projection.call(patches).add(positions, One).MoveToOuterDisposeScope();                  // [N, V, D]
    }

    public override Tensor EncodePatches(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Run(tokens).narrow(1, _prefix, tokens.shape[1]).MoveToOuterDisposeScope();
    }

    // [N, V, D] to [N, 1 or 2 + V, D], the class token first.
    private Tensor Run(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        Tensor first = _distillationToken is null ? _classToken : cat([_classToken, _distillationToken], 1);
        first = first.add(_positions.narrow(1, 0, _prefix), One).expand(tokens.shape[0], _prefix, EmbeddingDimension);
        tokens = cat([first, tokens], 1);
        tokens = MixedPrecision.Round(tokens);
        foreach (var block in _blocks)
            tokens = block.call(tokens);
        return MixedPrecision.Widen(_norm.call(tokens)).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// One vector for each patch: a convolution whose stride is its side, computed as a product on patches that are cut already.
/// </summary>
internal sealed class PatchProjection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "proj")]
    private readonly Conv2d _projection;

    public PatchProjection(int channels, int dimension, int patchSize, RandomStreams streams) : base(nameof(PatchProjection))
    {
        _projection = Initialization.PatchConvolution(channels, dimension, patchSize);
        Initialization.Normal(_projection.weight, 1 / Math.Sqrt(channels * patchSize * patchSize), streams.Weights);
        Initialization.Zeros(_projection.bias!);
        RegisterComponents();
    }

    public override Tensor forward(Tensor patches)                                                  // [N, V, C p p] to [N, V, D]
    {
        using var scope = NewDisposeScope();
        var weight = MixedPrecision.Round(_projection.weight).view(_projection.weight.shape[0], -1);    // [D, C p p]
        return MixedPrecision.Linear(patches, weight, _projection.bias).MoveToOuterDisposeScope();
    }
}
