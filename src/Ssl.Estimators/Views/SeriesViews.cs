using Ssl.Estimators.Encoders;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Views of time series, ready to use, and their composition.</summary>
public static class SeriesViews
{
    /// <summary>Several views one after the other.</summary>
    /// <param name="views">At least one; applied in this order.</param>
    public static SeriesView Compose(params SeriesView[] views)
    {
        GivenViews.Require(views);
        return views.Length == 1 ? views[0] : new ComposedSeriesView([.. views]);
    }

    /// <summary>A light change, TS-TCC's weak view: noise and another scale.</summary>
    public static SeriesView Weak() => Compose(new Scaling(0.2), new Jitter(0.1));

    /// <summary>A strong change, TS-TCC's: stretches in another order, and noise.</summary>
    public static SeriesView Strong() => Compose(new SegmentPermutation(5), new Jitter(0.2));
}

/// <summary>Views one after the other.</summary>
internal sealed class ComposedSeriesView(SeriesView[] views) : SeriesView
{
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        using var scope = NewDisposeScope();
        foreach (var view in views)
            batch = view.Apply(batch, generator);
        return MoveOut(batch);
    }
}
