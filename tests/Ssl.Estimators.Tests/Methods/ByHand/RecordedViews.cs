using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>A view that mixes noise into images, another at every call, and keeps what it was given and what it gave.</summary>
/// <param name="seed">Of its noise.</param>
/// <param name="side">Cuts images to this side; null leaves them whole.</param>
internal sealed class RecordedView(int seed, int? side = null) : ImageView
{
    private readonly Random _random = new(seed);
    private readonly List<(float[] Values, long[] Shape)> _given = [], _returned = [];

    /// <summary>How often it was applied.</summary>
    public int Calls => _returned.Count;

    /// <summary>The images of a call as they came, [N, C, H, W].</summary>
    public Tensor Given(int call) => tensor(_given[call].Values, _given[call].Shape);

    /// <summary>The images of a call as they went, [N, C, H, W].</summary>
    public Tensor Returned(int call) => tensor(_returned[call].Values, _returned[call].Shape);

    /// <summary>What several calls gave, one after the other, as methods hand them to an encoder.</summary>
    public Tensor Returned(params int[] calls) => cat([.. calls.Select(call => Returned(call))], 0);

    public override Tensor Apply(Tensor images, Generator generator)
    {
        var cut = side is { } s ? images.narrow(2, 0, s).narrow(3, 0, s) : images;
        var result = (cut + Fixed.Values(_random, 0, cut.shape)) / 2;
        _given.Add((TestSeries.Floats(images), images.shape));
        _returned.Add((TestSeries.Floats(result), result.shape));
        return result;
    }
}

/// <summary>A view that replaces half of the words of texts, others at every call, and keeps what it gave.</summary>
internal sealed class RecordedTextView(int seed, TokenVocabulary vocabulary) : TextView
{
    private readonly Random _random = new(seed);

    /// <summary>The ids of every call, text by text, without padding.</summary>
    public List<long[][]> Returned { get; } = [];

    public override TokenBatch Apply(TokenBatch batch, Generator generator)
    {
        long[][] texts = [.. batch.Texts().Select(text => text.Select(Replaced).ToArray())];
        Returned.Add(texts);
        return TokenTexts.Of(texts);
    }

    private long Replaced(long id) => id < vocabulary.SpecialCount || _random.Next(2) == 0
        ? id : _random.Next(vocabulary.SpecialCount, vocabulary.Size);
}

/// <summary>A view that adds noise to series, other at every call, and keeps what it gave.</summary>
internal sealed class RecordedSeriesView(int seed) : SeriesView
{
    private readonly Random _random = new(seed);

    /// <summary>The values of every call, [N, C, T].</summary>
    public List<float[]> Returned { get; } = [];

    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        var values = batch.Values + Fixed.Values(_random, -0.5, batch.Values.shape);
        Returned.Add(TestSeries.Floats(values));
        return new SeriesBatch(values, batch.Mask.alias(), batch.Observed.alias());
    }
}
