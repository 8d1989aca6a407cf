namespace Ssl.Estimators;

/// <summary>How well entities are found. An entity counts as found where kind, beginning and end are right (Tjong Kim Sang and De Meulder, "CoNLL-2003").</summary>
public sealed class TaggingMetrics
{
    internal TaggingMetrics(long rows, IReadOnlyList<EntityKindMetrics> kinds, double? wordAccuracy)
    {
        (NumberOfRows, Kinds, WordAccuracy) = (rows, kinds, wordAccuracy);
        var all = new EntityKindMetrics("", kinds.Sum(kind => kind.NumberOfEntities), kinds.Sum(kind => kind.NumberOfPredicted), kinds.Sum(kind => kind.NumberFound));
        (NumberOfEntities, NumberOfPredicted, Precision, Recall, F1) = (all.NumberOfEntities, all.NumberOfPredicted, all.Precision, all.Recall, all.F1);
        MacroF1 = kinds.Count == 0 ? 0 : kinds.Average(kind => kind.F1);
    }

    /// <summary>Rows compared.</summary>
    public long NumberOfRows { get; }

    /// <summary>Entities that there are.</summary>
    public long NumberOfEntities { get; }

    /// <summary>Entities that were predicted.</summary>
    public long NumberOfPredicted { get; }

    /// <summary>Share of the predicted entities that are right; 0 where none is predicted.</summary>
    public double Precision { get; }

    /// <summary>Share of the entities that are found; 0 where there is none.</summary>
    public double Recall { get; }

    /// <summary>Harmonic mean of <see cref="Precision"/> and <see cref="Recall"/>, over all entities whatever their kind.</summary>
    public double F1 { get; }

    /// <summary>Mean of the kinds' <see cref="EntityKindMetrics.F1"/>, rare kinds counting as much as others.</summary>
    public double MacroF1 { get; }

    /// <summary>Share of the words that have the right label; null where entities are given by their places.</summary>
    public double? WordAccuracy { get; }

    /// <summary>The same for every kind that there is or that was predicted, by name.</summary>
    public IReadOnlyList<EntityKindMetrics> Kinds { get; }
}

/// <summary>How well entities of one kind are found.</summary>
public sealed class EntityKindMetrics
{
    internal EntityKindMetrics(string kind, long entities, long predicted, long found)
        => (Kind, NumberOfEntities, NumberOfPredicted, NumberFound) = (kind, entities, predicted, found);

    /// <summary>Name of the kind.</summary>
    public string Kind { get; }

    /// <summary>Entities that there are.</summary>
    public long NumberOfEntities { get; }

    /// <summary>Entities that were predicted.</summary>
    public long NumberOfPredicted { get; }

    /// <summary>Those of them that are right.</summary>
    public long NumberFound { get; }

    /// <summary>Share of the predicted entities that are right; 0 where none is predicted.</summary>
    public double Precision => NumberOfPredicted == 0 ? 0 : NumberFound / (double)NumberOfPredicted;

    /// <summary>Share of the entities that are found; 0 where there is none.</summary>
    public double Recall => NumberOfEntities == 0 ? 0 : NumberFound / (double)NumberOfEntities;

    /// <summary>Harmonic mean of both.</summary>
    public double F1 => NumberFound == 0 ? 0 : 2 * Precision * Recall / (Precision + Recall);
}
