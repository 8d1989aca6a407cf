using Ssl.Estimators.Encoders;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Numbers that follow from a seed, the same on every machine.</summary>
internal static class Fixed
{
    /// <summary>Even between -1/2 and 1/2.</summary>
    public static Parameter Weight(int seed, params long[] shape)
    {
        using var values = Values(seed, -0.5, shape);
        return nn.Parameter(values.clone());
    }

    /// <summary>Even between a lowest number and that number plus 1.</summary>
    public static Tensor Values(int seed, double lowest, params long[] shape) => Values(new Random(seed), lowest, shape);

    /// <summary>Even between a lowest number and that number plus 1.</summary>
    public static Tensor Values(Random random, double lowest, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(random.NextDouble() + lowest);
        return tensor(values, shape);
    }
}

/// <summary>Images of any size: the means of a grid of 3 x 3 cells, times a matrix.</summary>
internal sealed class TinyImageEncoder : ImageEncoder
{
    public const int Side = 6;

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    public TinyImageEncoder(int seed = 1) : base(nameof(TinyImageEncoder), new ImageShape(1, Side, Side), ImageNormalization.Neutral(1))
    {
        _weight = Fixed.Weight(seed, 9, EmbeddingDimension);
        RegisterComponents();
    }

    public override int EmbeddingDimension => 5;

    public override bool TakesAnySize => true;

    public Tensor Weight => _weight;

    /// <summary>Embeddings of images without gradient, [N, 5].</summary>
    public Tensor Embed(Tensor pixels)
    {
        using var noGrad = no_grad();
        return call(new ImageBatch(pixels));
    }

    protected override Tensor EncodePixels(Tensor pixels)
        => nn.functional.adaptive_avg_pool2d(pixels, [3, 3]).flatten(1).mm(_weight);

    /// <summary>Some images of a seed.</summary>
    public static ImageBatch Images(int count, int seed = 3) => new(Fixed.Values(seed, 0, count, 1, Side, Side));
}

/// <summary>A token's vector is its entry of a table plus the mean over the text; a text's the mean over its tokens.</summary>
internal sealed class TinyTextEncoder : TextEncoder
{
    public static readonly TokenVocabulary Vocabulary = new(20, 0, 1, 2, 3, 4, 5);

    [ComponentName(Name = "table")]
    private readonly Parameter _table;

    public TinyTextEncoder(int tokens = 20) : base(nameof(TinyTextEncoder))
    {
        _table = Fixed.Weight(5, tokens, TokenDimension);
        RegisterComponents();
    }

    public override int EmbeddingDimension => 6;

    public override int TokenDimension => 6;

    public override Tensor TokenEmbeddings => _table;

    public override Tensor EncodeTokens(TokenBatch batch)
    {
        var own = _table.index_select(0, batch.Ids.flatten()).view(batch.Ids.shape[0], batch.Ids.shape[1], TokenDimension);
        return own + Mean(own, batch).unsqueeze(1);
    }

    protected override Tensor Encode(TokenBatch batch) => Mean(EncodeTokens(batch), batch);

    private static Tensor Mean(Tensor tokens, TokenBatch batch)
    {
        var inside = batch.Mask.unsqueeze(2).to(ScalarType.Float32);
        return (tokens * inside).sum(1) / inside.sum(1);
    }
}

/// <summary>Numbers, indicators of missing ones and one-hot categories, times a matrix, through a tanh.</summary>
internal sealed class TinyTableEncoder : TabularEncoder
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    public TinyTableEncoder(TableLayout layout) : base(nameof(TinyTableEncoder), layout)
    {
        _weight = Fixed.Weight(6, 2 * layout.NumericCount + layout.TotalCategories, EmbeddingDimension);
        RegisterComponents();
    }

    public override int EmbeddingDimension => 8;

    protected override Tensor Encode(TableBatch batch)
    {
        var codes = Layout.CategoryCounts
            .Select((count, i) => nn.functional.one_hot(batch.Codes.select(1, i), count).to(ScalarType.Float32));
        return cat([batch.Numbers, batch.Missing.to(ScalarType.Float32), .. codes], 1).mm(_weight).mul(2).tanh();
    }
}

/// <summary>
/// A vector for every timestamp: its values and, so that it matters where a stretch begins, those before it, times matrices.
/// </summary>
internal sealed class TinySeriesEncoder : TimeSeriesEncoder
{
    [ComponentName(Name = "now")]
    private readonly Parameter _now;

    [ComponentName(Name = "before")]
    private readonly Parameter _before;

    public TinySeriesEncoder() : base(nameof(TinySeriesEncoder), TimeSeriesEncoders.DilatedConvolution(4, 1, depth: 0),
        new SeriesLayout(2, null))
    {
        (_now, _before) = (Fixed.Weight(7, 2, StepDimension), Fixed.Weight(8, 2, StepDimension));
        RegisterComponents();
    }

    /// <summary>The most series that were encoded at once.</summary>
    public long MostSeries { get; private set; }

    public override Tensor StepMask(SeriesBatch batch) => batch.Mask.alias();

    public override Tensor EncodeSteps(SeriesBatch batch, Tensor? hidden = null)
    {
        MostSeries = Math.Max(MostSeries, batch.Count);
        var values = batch.Values.transpose(1, 2);                                                  // [N, T, 2]
        if (hidden is not null)
            values = values.masked_fill(hidden.unsqueeze(2), 0);
        long n = values.shape[0], length = values.shape[1];
        var before = cat([zeros(n, 1, 2), values.narrow(1, 0, length - 1)], 1);
        return (values.reshape(-1, 2).mm(_now) + before.reshape(-1, 2).mm(_before)).view(n, length, -1);
    }
}
