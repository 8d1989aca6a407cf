using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Tasks;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>What was found in a text.</summary>
/// <param name="Keys">The label column's key of each word.</param>
/// <param name="Entities">Text, kind, start, length and score of each entity.</param>
internal sealed record FoundEntities(uint[] Keys, IReadOnlyList<(string Text, string Kind, int Start, int Length, float Score)> Entities);

/// <summary>A tuned encoder that finds entities: everything that is saved, and nothing of a pipeline.</summary>
/// <param name="parts">Encoder and head.</param>
/// <param name="tags">What the head's outputs mean.</param>
/// <param name="kind">What a unit is.</param>
/// <param name="overlap">Share of a window that the next one has, too.</param>
internal sealed class NamedEntitiesModel(HeadedEncoder parts, EntityTags tags, UnitKind kind, double overlap) : FindingComputation, IDisposable
{
    /// <summary>Kind of the archive.</summary>
    public const string ArchiveKind = "named-entities";

    private const string ClassesKey = "classes", UnitsKey = "units", OverlapKey = "windowOverlap", FeaturesKey = "wordFeatures";

    // The weights of the features of words, a row of tags a feature; the first row is of every word.
    private readonly Lazy<float[]?> _words = new(() => parts.Words?.Weight.data<float>().ToArray());

    /// <summary>Encoder, head and the weights of the features of words.</summary>
    public HeadedEncoder Parts => parts;

    /// <summary>Share of a window that the next one has, too.</summary>
    public double Overlap => overlap;

    public override IReadOnlyList<string> InputColumns => parts.Encoder.InputColumns;

    public override Lifetime Lifetime => parts.Lifetime;

    /// <summary>What a unit is.</summary>
    public UnitKind Kind => kind;

    /// <summary>What the head's outputs mean.</summary>
    public EntityTags Tags => tags;

    public override void Find(RowBatch rows, Span<object?> found)
    {
        using var use = Lifetime.Enter();
        var reader = new WindowedText.Reader((TextRowFormat)parts.Encoder.Format, kind, overlap, hasQuestion: false);
        var texts = new WindowedText[rows.Count];
        for (var row = 0; row < texts.Length; row++)
            texts[row] = reader.Read(rows.Rows[row].Texts.Span[0].Span);
        var scores = TokenScores.Compute(parts, texts);
        for (var row = 0; row < texts.Length; row++)
            found[row] = Find(rows.Rows[row].Texts.Span[0].Span, texts[row], scores[row]);
    }

    public override Delegate CreateGetter(int output, Func<object> row) => NamedEntitiesColumns.Names(kind)[output] switch
    {
        PredictionColumns.PredictedLabel => VectorGetter(() => ((FoundEntities)row()).Keys),
        NamedEntitiesColumns.Text => VectorGetter<ReadOnlyMemory<char>>(() => [.. Of(row).Select(entity => entity.Text.AsMemory())]),
        NamedEntitiesColumns.Label => VectorGetter<ReadOnlyMemory<char>>(() => [.. Of(row).Select(entity => entity.Kind.AsMemory())]),
        NamedEntitiesColumns.Start => VectorGetter<int>(() => [.. Of(row).Select(entity => entity.Start)]),
        NamedEntitiesColumns.Length => VectorGetter<int>(() => [.. Of(row).Select(entity => entity.Length)]),
        _ => VectorGetter<float>(() => [.. Of(row).Select(entity => entity.Score)]),
    };

    /// <summary>Writes description and weights; <see cref="Read"/> reads them back.</summary>
    public void WriteArchive(Stream stream) => parts.Write(stream, ArchiveKind, new JsonObject
    {
        [ClassesKey] = tags.Classes.ToJson(), [UnitsKey] = kind.ToString(), [OverlapKey] = overlap, [FeaturesKey] = parts.Words is null ? 0 : WordFeatures.Size,
    });

    /// <summary>Reads what <see cref="WriteArchive"/> wrote; the model is on the CPU.</summary>
    /// <exception cref="FormatException">The archive holds something else, or is damaged.</exception>
    public static NamedEntitiesModel Read(ArchiveManifest manifest, SafeTensorsReader tensors)
    {
        EntityTags? tags = null;
        var parts = HeadedEncoder.Read(manifest, tensors, ArchiveKind, nameof(NamedEntitiesTransformer), content =>
        {
            tags = new EntityTags(ClassValues.FromJson(content[ClassesKey]!.AsObject()));
            return tags.Count;
        }, content => (int)content[FeaturesKey]! is var size && size is 0 or WordFeatures.Size ? size
            : throw new FormatException($"The archive's features of words number {size}, expected 0 or {WordFeatures.Size}."));
        var units = WindowSettings.Kind(manifest.Content, UnitsKey);
        return new NamedEntitiesModel(WindowSettings.RequireText(parts), tags!, units, WindowSettings.Overlap(manifest.Content, OverlapKey));
    }

    /// <summary>Brings the networks to a device. Not while another thread computes.</summary>
    public void MoveTo(Device device) => parts.MoveTo(device);

    public void Dispose() => Lifetime.Close();

    private static IReadOnlyList<(string Text, string Kind, int Start, int Length, float Score)> Of(Func<object> row) => ((FoundEntities)row()).Entities;

    private FoundEntities Find(ReadOnlySpan<char> characters, WindowedText text, ReadOnlySpan<float[]> scores)
    {
        var count = tags.Count;
        var (words, features) = (_words.Value, parts.Words is null ? [] : WordFeatures.Of(characters, text.Units));
        var logProbabilities = new float[text.Units.Count * count];
        for (var unit = 0; unit < text.Units.Count; unit++)
        {
            var own = logProbabilities.AsSpan(unit * count, count);
            var window = text.Owners[unit];
            scores[window].AsSpan(text.Position(unit, window) * count, count).CopyTo(own);
            if (words is not null)
            {
                TensorPrimitives.Add(own, words.AsSpan(0, count), own);
                foreach (var feature in features.AsSpan(unit * WordFeatures.Count, WordFeatures.Count))
                    TensorPrimitives.Add(own, words.AsSpan(feature * count, count), own);
            }
            TokenScores.LogSoftmax(own);
        }
        var decoded = EntityTags.Decode(logProbabilities, count);
        var entities = new List<(string, string, int, int, float)>();
        foreach (var entity in EntityTags.Entities(decoded))
        {
            var (start, end) = (text.Units[entity.First].Start, text.Units[entity.Last].End);
            var probability = 0.0;
            for (var unit = entity.First; unit <= entity.Last; unit++)
                probability += Math.Exp(logProbabilities[unit * count + decoded[unit]]);
            entities.Add((characters[start..end].ToString(), tags.Kinds[entity.Kind], start, end - start, (float)(probability / (entity.Last + 1 - entity.First))));
        }
        return new FoundEntities([.. decoded.Select(tags.Key)], entities);
    }
}

/// <summary>Reads what the archives of token tasks say of their windows.</summary>
internal static class WindowSettings
{
    public static UnitKind Kind(JsonObject content, string key)
        => Enum.TryParse(content.Text(key), out UnitKind kind) && Enum.IsDefined(kind) ? kind
            : throw new FormatException($"\"{content.Text(key)}\" is no kind of unit.");

    public static double Overlap(JsonObject content, string key)
        => content[key] is JsonValue value && value.TryGetValue(out double overlap) && overlap is >= 0 and <= UnitWindows.LargestOverlap ? overlap
            : throw new FormatException("The archive's overlap of windows is no number from 0 to 0.75.");

    /// <summary>The parts, of which the encoder must be one of texts.</summary>
    public static HeadedEncoder RequireText(HeadedEncoder parts)
    {
        if (parts.Encoder is { Format: TextRowFormat, Network: TextEncoder })
            return parts;
        parts.Lifetime.Close();
        throw new FormatException("The archive's encoder is none of texts.");
    }
}
