using System.ComponentModel;
using System.Text.Json.Serialization;

namespace SearchService;

/// <summary>Texts to embed or classify.</summary>
/// <param name="Texts">The texts, none of them empty.</param>
public sealed record TextsRequest([property: Description("The texts, none of them empty.")] string[]? Texts);

/// <summary>A question to the catalog.</summary>
/// <param name="Text">What is looked for.</param>
/// <param name="Count">How many rows are wanted.</param>
public sealed record SearchRequest(
    [property: Description("What is looked for, in words.")] string? Text,
    [property: Description("How many rows are wanted.")] int Count = SearchRequest.DefaultCount)
{
    /// <summary>Rows where the request names no number.</summary>
    public const int DefaultCount = 5;
}

/// <summary>One embedding a text.</summary>
/// <param name="ModelVersion">The model that computed it.</param>
/// <param name="Dimension">Length of each.</param>
/// <param name="Embeddings">In the order of the texts.</param>
public sealed record EmbedResponse(string ModelVersion, int Dimension, IReadOnlyList<float[]> Embeddings);

/// <summary>The nearest rows of the catalog.</summary>
/// <param name="ModelVersion">The model that computed it.</param>
/// <param name="Matches">Best first.</param>
public sealed record SearchResponse(string ModelVersion, IReadOnlyList<Match> Matches);

/// <summary>A row of the catalog that was found.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Text">Its text.</param>
/// <param name="Label">Its class, where it has one.</param>
/// <param name="Score">The cosine of the two embeddings.</param>
public sealed record Match(string Id, string Text, string? Label, float Score);

/// <summary>One class a text.</summary>
/// <param name="ModelVersion">The model that computed it.</param>
/// <param name="Predictions">In the order of the texts.</param>
public sealed record ClassifyResponse(string ModelVersion, IReadOnlyList<Prediction> Predictions);

/// <summary>The class of a text.</summary>
/// <param name="Label">The most likely class.</param>
/// <param name="Scores">The probability of every class, the most likely one first.</param>
public sealed record Prediction(string Label, IReadOnlyList<LabelScore> Scores);

/// <summary>How likely a class is.</summary>
/// <param name="Label">The class.</param>
/// <param name="Score">From 0 to 1.</param>
public sealed record LabelScore(string Label, float Score);

/// <summary>A row of the catalog.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Text">Its text.</param>
/// <param name="Label">Its class, where it has one.</param>
public sealed record CatalogRow(string Id, string Text, string? Label);

/// <summary>What is served.</summary>
/// <param name="Version">First digits of the file's SHA-256: every answer names it.</param>
/// <param name="Created">When it was trained.</param>
/// <param name="TrainedOn">What it learned from.</param>
/// <param name="Dimension">Length of an embedding.</param>
/// <param name="CatalogRows">Rows that are searched.</param>
/// <param name="Labels">Classes; empty where the model has no classifier.</param>
/// <param name="Loaded">Since when it is served.</param>
/// <param name="ReloadFault">Why the file that lies there now is not served; null where it is.</param>
public sealed record ModelResponse(string Version, DateTimeOffset Created, string TrainedOn, int Dimension, int CatalogRows, IReadOnlyList<string> Labels,
    DateTimeOffset Loaded, string? ReloadFault);

/// <summary>How the records are read and written.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TextsRequest))]
[JsonSerializable(typeof(SearchRequest))]
[JsonSerializable(typeof(EmbedResponse))]
[JsonSerializable(typeof(SearchResponse))]
[JsonSerializable(typeof(ClassifyResponse))]
[JsonSerializable(typeof(ModelResponse))]
[JsonSerializable(typeof(CatalogRow))]
public sealed partial class ServiceJson : JsonSerializerContext;
