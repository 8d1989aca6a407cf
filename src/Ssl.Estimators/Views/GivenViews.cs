using System.Runtime.CompilerServices;

namespace Ssl.Estimators.Views;

/// <summary>What compositions of views have in common, whatever the views are of.</summary>
internal static class GivenViews
{
    /// <summary>Throws unless there is at least one view, and no null among them.</summary>
    public static void Require<T>(T[] views, [CallerArgumentExpression(nameof(views))] string name = "") where T : class
    {
        ArgumentNullException.ThrowIfNull(views, name);
        if (views.Length == 0 || views.Contains(null))
            throw new ArgumentException("Give at least one view, and no null.", name);
    }
}
