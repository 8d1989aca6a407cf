namespace Quickstart;

/// <summary>A document as ML.NET reads it.</summary>
public sealed class TextRow
{
    /// <summary>The text that is embedded.</summary>
    public string Text { get; set; } = "";

    /// <summary>The text that belongs to it; read in pretraining only.</summary>
    public string Pair { get; set; } = "";

    /// <summary>The class; read by the classifier only.</summary>
    public string Label { get; set; } = "";

    /// <summary>The row of a document.</summary>
    public static TextRow Of(Document document) => new() { Text = document.Text, Pair = document.Pair, Label = document.Label };
}

/// <summary>A row with its embedding.</summary>
public sealed class EmbeddedRow
{
    /// <summary>The embedding.</summary>
    public float[] Features { get; set; } = [];
}
