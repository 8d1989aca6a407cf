using Ssl.Estimators.Encoders;
using Ssl.Estimators.Views;
using TorchSharp;

namespace Ssl.Estimators;

/// <summary>Views of table rows, ready to use, and their composition.</summary>
public static class TableViews
{
    /// <summary>Several views one after the other.</summary>
    /// <param name="views">At least one; applied in this order.</param>
    public static TableView Compose(params TableView[] views)
    {
        GivenViews.Require(views);
        return views.Length == 1 ? views[0] : new ComposedTableView([.. views]);
    }

    /// <summary>A light change: one cell in five from its column's marginal, and a little noise on the numbers.</summary>
    public static TableView Weak() => Compose(new MarginalSwap(0.2), new GaussianNoise(0.05));

    /// <summary>A strong change, SCARF's: six cells in ten from their columns' marginals.</summary>
    public static TableView Strong() => new MarginalSwap(0.6);
}

/// <summary>Views one after the other.</summary>
internal sealed class ComposedTableView(TableView[] views) : TableView
{
    public override TableBatch Apply(TableBatch batch, torch.Generator generator)
    {
        using var scope = torch.NewDisposeScope();
        foreach (var view in views)
            batch = view.Apply(batch, generator);
        return batch.MoveToOuterScope();
    }
}
