using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Interop;

/// <summary>
/// Lets an embedding column carry its encoder: a text annotation whose memory is owned by an object that holds the encoder. ML.NET passes
/// annotations of built-in types on by value, and a copied <see cref="ReadOnlyMemory{T}"/> keeps its owner.
/// </summary>
/// <remarks>
/// Where only the characters survive (a data file on disk, a copy into a string), the text is the encoder's id and a weak registry of
/// this process finds it while it is alive.
/// </remarks>
internal static class EncoderAnnotation
{
    /// <summary>Kind of the annotation; its type is text.</summary>
    public const string Kind = "SslEncoder";

    private static readonly ConcurrentDictionary<string, WeakReference<EncoderModel>> s_known = new();

    /// <summary>Adds the annotation to those of a column.</summary>
    public static void Add(DataViewSchema.Annotations.Builder annotations, EncoderModel model)
    {
        Remember(model);
        annotations.AddPrimitiveValue(Kind, TextDataViewType.Instance, (ReadOnlyMemory<char>)new EncoderText(model).Memory);
    }

    /// <summary>The encoder that made this column, or null.</summary>
    public static EncoderModel? Find(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Kind) is not { Type: TextDataViewType })
        {
            return null;
        }

        ReadOnlyMemory<char> text = default;
        column.Annotations.GetValue(Kind, ref text);
        if (MemoryMarshal.TryGetMemoryManager<char, EncoderText>(text, out var owner))
        {
            return owner!.Model;
        }

        return s_known.TryGetValue(text.ToString(), out var reference) && reference.TryGetTarget(out var model) ? model : null;
    }

    /// <summary>Whether a column will carry an encoder, as announced before Fit.</summary>
    public static bool IsAnnounced(SchemaShape.Column column) =>
        column.Annotations.Any(a => a.Name == Kind && a.ItemType is TextDataViewType);

    private static void Remember(EncoderModel model)
    {
        if (s_known.TryGetValue(model.Id, out var reference) && reference.TryGetTarget(out var known) && known == model)
        {
            return;
        }

        s_known[model.Id] = new WeakReference<EncoderModel>(model);
        foreach (var (id, old) in s_known)
        {
            if (!old.TryGetTarget(out _))
            {
                s_known.TryRemove(new KeyValuePair<string, WeakReference<EncoderModel>>(id, old));
            }
        }
    }

    private sealed class EncoderText(EncoderModel model) : MemoryManager<char>
    {
        private readonly string _text = model.Id;

        public EncoderModel Model => model;

        public override Span<char> GetSpan() => MemoryMarshal.AsMemory(_text.AsMemory()).Span;

        public override MemoryHandle Pin(int elementIndex = 0) => _text.AsMemory(elementIndex).Pin();

        public override void Unpin()
        {
            // The handle of Pin belongs to the string and unpins it.
        }

        protected override void Dispose(bool disposing)
        {
            // Nothing to free: the string and the encoder are collected with the annotation.
        }
    }
}
