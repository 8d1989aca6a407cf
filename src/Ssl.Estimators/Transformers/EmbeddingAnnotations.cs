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
        var (column, size) = (model.OutputColumn, model.OutputWidth);
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> names = (ref VBuffer<ReadOnlyMemory<char>> value) =>
        {
            var editor = VBufferEditor.Create(ref value, size);
            var place = 0;
            foreach (var name in model.Format.InputSlotNames)
                editor.Values[place++] = name.AsMemory();
            for (var i = 0; place < size; i++)
                editor.Values[place++] = string.Create(CultureInfo.InvariantCulture, $"{column}.{i}").AsMemory();
            value = editor.Commit();
        };
        annotations.Add(SlotNames, new VectorDataViewType(TextDataViewType.Instance, size), names);
        EncoderAnnotation.Add(annotations, model);
        return annotations.ToAnnotations();
    }
}
