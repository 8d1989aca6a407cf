using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Bench;

/// <summary>What the measurements of searches do with the column of neighbors.</summary>
internal static class NeighborColumns
{
    /// <summary>Share of the true neighbors that were found.</summary>
    public static double Recall(IDataView truth, IDataView found, int neighbors)
        => truth.GetColumn<long[]>("Neighbors").Zip(found.GetColumn<long[]>("Neighbors"))
            .Average(pair => pair.First.Intersect(pair.Second).Count() / (double)neighbors);

    /// <summary>Searches for every row.</summary>
    public static void ReadAll(IDataView data)
    {
        using var cursor = data.GetRowCursor([data.Schema["Neighbors"]]);
        var getter = cursor.GetGetter<VBuffer<long>>(data.Schema["Neighbors"]);
        VBuffer<long> value = default;
        while (cursor.MoveNext())
            getter(ref value);
    }
}
