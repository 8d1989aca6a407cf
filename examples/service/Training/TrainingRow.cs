namespace SearchService.Training;

/// <summary>A row to learn from.</summary>
public sealed class TrainingRow
{
    /// <summary>Names what is found; empty where the table names nothing.</summary>
    public string Id { get; set; } = "";

    /// <summary>What people write.</summary>
    public string Text { get; set; } = "";

    /// <summary>What belongs to it and is to be found; empty where texts are searched themselves.</summary>
    public string Pair { get; set; } = "";

    /// <summary>The class; empty where there is none.</summary>
    public string Label { get; set; } = "";
}
