using System.Buffers;
using System.Text;
using Microsoft.ML.Data;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>What reference rows are called in the result: texts or whole numbers.</summary>
internal abstract class NeighborIds
{
    private const string NumbersName = "ids", TextBytesName = "id_bytes", TextEndsName = "id_ends";

    /// <summary>Type of one id.</summary>
    public abstract PrimitiveDataViewType ItemType { get; }

    /// <summary>How many there are.</summary>
    public abstract int Count { get; }

    /// <summary>The ids as tensors for an archive; the caller owns them.</summary>
    public abstract Dictionary<string, Tensor> ToTensors();

    /// <summary>Takes the ids out of an archive's tensors.</summary>
    /// <exception cref="FormatException">They are missing or damaged.</exception>
    public static NeighborIds FromTensors(IReadOnlyDictionary<string, Tensor> tensors, int count)
    {
        if (tensors.TryGetValue(NumbersName, out var numbers) && numbers.dtype == ScalarType.Int64 && numbers.NumberOfElements == count)
        {
            return new NumberIds(numbers.data<long>().ToArray());
        }

        if (tensors.TryGetValue(TextBytesName, out var bytes) && bytes.dtype == ScalarType.Byte &&
            tensors.TryGetValue(TextEndsName, out var ends) && ends.dtype == ScalarType.Int64 && ends.NumberOfElements == count)
        {
            var texts = new string[count];
            var all = bytes.data<byte>().ToArray();
            var start = 0L;
            var index = 0;
            foreach (var end in ends.data<long>().ToArray())
            {
                if (end < start || end > all.LongLength)
                {
                    throw new FormatException("The saved neighbors are damaged: the ends of their ids do not rise.");
                }

                texts[index++] = ExactText.Unescape(Encoding.UTF8.GetString(all, (int)start, (int)(end - start)));
                start = end;
            }

            return new TextIds(texts);
        }

        throw new FormatException($"The saved neighbors are damaged: there are no ids for {count} rows.");
    }

    /// <summary>Texts; a missing neighbor is the empty text.</summary>
    public sealed class TextIds(IReadOnlyList<string> texts) : NeighborIds
    {
        /// <inheritdoc/>
        public override PrimitiveDataViewType ItemType => TextDataViewType.Instance;

        /// <inheritdoc/>
        public override int Count => texts.Count;

        /// <summary>The id of a reference row, -1 for none.</summary>
        public ReadOnlyMemory<char> this[long row] => row < 0 ? default : texts[(int)row].AsMemory();

        /// <inheritdoc/>
        public override Dictionary<string, Tensor> ToTensors()
        {
            var bytes = new ArrayBufferWriter<byte>();
            var ends = new long[texts.Count];
            for (var i = 0; i < ends.Length; i++)
            {
                Encoding.UTF8.GetBytes(ExactText.Escape(texts[i]), bytes);
                ends[i] = bytes.WrittenCount;
            }

            return new() { [TextBytesName] = tensor(bytes.WrittenSpan.ToArray()), [TextEndsName] = tensor(ends) };
        }
    }

    /// <summary>Whole numbers; a missing neighbor is -1.</summary>
    public sealed class NumberIds(long[] numbers) : NeighborIds
    {
        /// <inheritdoc/>
        public override PrimitiveDataViewType ItemType => NumberDataViewType.Int64;

        /// <inheritdoc/>
        public override int Count => numbers.Length;

        /// <summary>The id of a reference row, -1 for none.</summary>
        public long this[long row] => row < 0 ? -1 : numbers[row];

        /// <inheritdoc/>
        public override Dictionary<string, Tensor> ToTensors() => new() { [NumbersName] = tensor(numbers) };
    }
}
