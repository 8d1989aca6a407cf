using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>What an embedding column says of itself: a name for every slot, and the encoder that made it.</summary>
internal static class EmbeddingAnnotations
{
    private const string SlotNames = "SlotNames";

    public static DataViewSchema.Annotations Create(EncoderModel model)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        var (column, size) = (model.OutputColumn, model.Dimension);
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> names = (ref VBuffer<ReadOnlyMemory<char>> value) =>
        {
            var editor = VBufferEditor.Create(ref value, size);
            for (var i = 0; i < size; i++)
                editor.Values[i] = string.Create(CultureInfo.InvariantCulture, $"{column}.{i}").AsMemory();
            value = editor.Commit();
        };
        annotations.Add(SlotNames, new VectorDataViewType(TextDataViewType.Instance, size), names);
        EncoderAnnotation.Add(annotations, model);
        return annotations.ToAnnotations();
    }
}
