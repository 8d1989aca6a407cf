namespace Quickstart;

/// <summary>A document as ML.NET reads it.</summary>
public sealed class TextRow
{
    /// <summary>Shown in search results.</summary>
    public string Name { get; set; } = "";

    /// <summary>The text that is embedded.</summary>
    public string Text { get; set; } = "";

    /// <summary>The text that belongs to it; read in pretraining only.</summary>
    public string Pair { get; set; } = "";

    /// <summary>The class; read by the classifier only.</summary>
    public string Label { get; set; } = "";

    /// <summary>The row of a document.</summary>
    public static TextRow Of(Document document) => new() { Name = document.Name, Text = document.Text, Pair = document.Pair, Label = document.Label };
}
