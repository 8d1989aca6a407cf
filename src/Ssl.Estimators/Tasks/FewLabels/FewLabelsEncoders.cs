using System.Text.Json.Nodes;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// The encoders that a model for few labels has of its own: they read the row itself, and their embeddings stand behind the column's vector,
/// in this order. Both take the same rows.
/// </summary>
/// <param name="Plain">What stands in the row plainly; null where that does not count.</param>
/// <param name="Adapted">A copy of the column's encoder that was adapted to the labeled rows; null where that does not count.</param>
internal sealed record FewLabelsEncoders(EncoderModel? Plain, EncoderModel? Adapted) : IDisposable
{
    private const string ModalityKey = "modality", AdaptedKey = "encoder", PlainKey = "plain_encoder";

    /// <summary>Those that there are.</summary>
    public IReadOnlyList<EncoderModel> All { get; } = [.. new[] { Plain, Adapted }.OfType<EncoderModel>()];

    /// <summary>Length of their embeddings together.</summary>
    public int Dimension => All.Sum(encoder => encoder.Dimension);

    /// <summary>What an archive says of them; empty where there are none.</summary>
    public JsonObject Describe() => All.Count == 0 ? [] : new()
    {
        [ModalityKey] = All[0].Modality, [PlainKey] = Plain?.Describe(), [AdaptedKey] = Adapted?.Describe(),
    };

    /// <summary>Their weights under the names that an archive has; to be read while they may be used.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> GetWeights() => Of(Plain, PlainKey).Concat(Of(Adapted, AdaptedKey));

    /// <summary>The encoders that an archive describes, on the CPU.</summary>
    /// <exception cref="FormatException">One is damaged, or of a kind that nobody announced.</exception>
    public static FewLabelsEncoders Read(JsonObject content, IReadOnlyDictionary<string, Tensor> all)
    {
        var plain = ReadOne(content, PlainKey, all);
        try
        {
            return new FewLabelsEncoders(plain, ReadOne(content, AdaptedKey, all));
        }
        catch
        {
            plain?.Dispose();
            throw;
        }
    }

    /// <summary>Brings them to a device. Not while another thread predicts.</summary>
    public void MoveTo(Device device)
    {
        foreach (var encoder in All)
            encoder.MoveTo(device);
    }

    public void Dispose()
    {
        foreach (var encoder in All)
            encoder.Dispose();
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Of(EncoderModel? encoder, string key)
        => encoder is null ? [] : encoder.GetWeights().Select(weight => KeyValuePair.Create($"{key}.{weight.Key}", weight.Value));

    private static EncoderModel? ReadOne(JsonObject content, string key, IReadOnlyDictionary<string, Tensor> all)
    {
        if (content[key] is not { } description)
            return null;
        var modality = content.Text(ModalityKey);
        return EncoderModel.Create(modality, description.AsObject(), weights =>
        {
            using var noGrad = no_grad();
            foreach (var (name, weight) in weights)
            {
                var stored = all[$"{key}.{name}"];
                if (stored.dtype != weight.dtype || !stored.shape.AsSpan().SequenceEqual(weight.shape))
                    throw new FormatException($"The weight '{name}' is {stored.dtype} [{string.Join(", ", stored.shape)}], expected {weight.dtype} [{string.Join(", ", weight.shape)}].");
                weight.copy_(stored);
            }
        }) ?? throw new FormatException($"The archive holds an encoder of modality '{modality}', which this version cannot read. Update the package.");
    }
}
