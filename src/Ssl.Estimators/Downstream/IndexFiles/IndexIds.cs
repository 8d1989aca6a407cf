using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.Data;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Downstream;

/// <summary>How ids stand in a block of an index file: whole numbers, or texts.</summary>
internal abstract class IndexIds<TId> where TId : notnull
{
    /// <summary>The number that the file's header has for them.</summary>
    public abstract int Kind { get; }

    /// <summary>Their type in a column.</summary>
    public abstract PrimitiveDataViewType ItemType { get; }

    /// <summary>What stands for a neighbor that is not there.</summary>
    public abstract TId Missing { get; }

    /// <summary>Where they all are equal that are the same: how ids are looked up.</summary>
    public abstract IEqualityComparer<TId> Comparer { get; }

    /// <summary>The bytes of some ids.</summary>
    public abstract byte[] Encode(IReadOnlyList<TId> ids);

    /// <summary>One of them.</summary>
    public abstract TId Decode(ReadOnlySpan<byte> bytes, int count, int index);

    /// <summary>Whether the bytes are those of so many ids.</summary>
    public abstract bool Fits(ReadOnlySpan<byte> bytes, int count);
}

/// <summary>The kinds there are.</summary>
internal static class IndexIds
{
    /// <summary>The kind in words, for messages.</summary>
    public static string NameOf(int kind) => kind == Texts.Instance.Kind ? "string" : kind == Numbers.Instance.Kind ? "long" : $"kind {kind}";

    /// <summary>How ids of a type are written.</summary>
    /// <exception cref="NotSupportedException">Ids are string or long.</exception>
    public static IndexIds<TId> Of<TId>() where TId : notnull
        => (object)Texts.Instance as IndexIds<TId> ?? (object)Numbers.Instance as IndexIds<TId>
            ?? throw new NotSupportedException($"Ids of an index file are string or long, not {typeof(TId).Name}.");

    private sealed class Numbers : IndexIds<long>
    {
        public static readonly Numbers Instance = new();

        public override int Kind => 0;

        public override PrimitiveDataViewType ItemType => NumberDataViewType.Int64;

        public override long Missing => -1;

        public override IEqualityComparer<long> Comparer => EqualityComparer<long>.Default;

        public override byte[] Encode(IReadOnlyList<long> ids) => MemoryMarshal.AsBytes<long>(ids as long[] ?? [.. ids]).ToArray();

        public override long Decode(ReadOnlySpan<byte> bytes, int count, int index) => BinaryPrimitives.ReadInt64LittleEndian(bytes[(index * sizeof(long))..]);

        public override bool Fits(ReadOnlySpan<byte> bytes, int count) => bytes.Length == (long)count * sizeof(long);
    }

    // Where each text ends among the bytes, then the bytes.
    private sealed class Texts : IndexIds<string>
    {
        public static readonly Texts Instance = new();

        public override int Kind => 1;

        public override PrimitiveDataViewType ItemType => TextDataViewType.Instance;

        public override string Missing => "";

        public override IEqualityComparer<string> Comparer => StringComparer.Ordinal;

        public override byte[] Encode(IReadOnlyList<string> ids)
        {
            var texts = new string[ids.Count];
            var size = (long)ids.Count * sizeof(int);
            for (var i = 0; i < texts.Length; i++)
            {
                texts[i] = ExactText.Escape(ids[i]);
                size += Encoding.UTF8.GetByteCount(texts[i]);
            }
            if (size > Array.MaxLength)
                throw new ArgumentException($"The ids of {ids.Count} rows take {size} bytes together: shorten them.", nameof(ids));
            var bytes = new byte[size];
            var (start, end) = (texts.Length * sizeof(int), 0);
            for (var i = 0; i < texts.Length; i++)
            {
                end += Encoding.UTF8.GetBytes(texts[i], bytes.AsSpan(start + end));
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), end);
            }
            return bytes;
        }

        public override string Decode(ReadOnlySpan<byte> bytes, int count, int index)
        {
            var ends = MemoryMarshal.Cast<byte, int>(bytes)[..count];
            var start = index == 0 ? 0 : ends[index - 1];
            return ExactText.Unescape(Encoding.UTF8.GetString(bytes[(count * sizeof(int))..][start..ends[index]]));
        }

        public override bool Fits(ReadOnlySpan<byte> bytes, int count)
        {
            if (bytes.Length < (long)count * sizeof(int))
                return false;
            var last = 0;
            foreach (var end in MemoryMarshal.Cast<byte, int>(bytes)[..count])
            {
                if (end < last)
                    return false;
                last = end;
            }
            return last == bytes.Length - count * sizeof(int);
        }
    }
}
