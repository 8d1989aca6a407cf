using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Persistence;

/// <summary>
/// A model as a list of texts, the form in which built-in ML.NET transformers carry it: first "SHA-256 length", then the bytes, packed.
/// </summary>
internal static class CarrierState
{
    /// <summary>Characters of one text; a multiple of 8, so that every text starts at a whole byte.</summary>
    public const int CharactersPerText = 4_000_000;

    /// <summary>Bytes of one text.</summary>
    public const int BytesPerText = CharactersPerText / 8 * 15;

    /// <summary>Packs what a function writes.</summary>
    /// <param name="write">Writes the model.</param>
    /// <param name="format">Makes the final text of a packed one, such as an expression around it.</param>
    /// <returns>The header, then the packed texts.</returns>
    public static (string Header, IReadOnlyList<string> Texts) Encode(Action<Stream> write, Func<ReadOnlyMemory<char>, string> format)
    {
        using var packing = new PackingStream(format);
        using var hashing = new HashingStream(packing);
        write(hashing);
        packing.Finish();
        var header = string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(hashing.GetHash())} {packing.Length}");
        return (header, packing.Texts);
    }

    /// <summary>Reads a model back and compares the hash.</summary>
    /// <param name="state">The header and the packed texts.</param>
    /// <param name="read">Reads the model from a forward-only stream to its end.</param>
    /// <exception cref="FormatException">The state is damaged.</exception>
    public static T Decode<T>(ReadOnlyMemory<char>[] state, Func<Stream, T> read)
    {
        var (hash, length) = ParseHeader(state[0].Span);
        using var unpacking = new UnpackingStream(state, length);
        using var hashing = new HashingStream(unpacking);
        var model = read(hashing);
        if (Convert.ToHexStringLower(hashing.GetHash()) != hash)
        {
            (model as IDisposable)?.Dispose();
            throw new FormatException("The saved model is damaged: its content does not fit its checksum. Save it again.");
        }

        return model;
    }

    private static (string Hash, long Length) ParseHeader(ReadOnlySpan<char> header)
    {
        if (header.Length > 65 && header[64] == ' ' &&
            long.TryParse(header[65..], NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return (header[..64].ToString(), length);
        }

        throw new FormatException("The saved model is damaged: its first text is no checksum.");
    }

    /// <summary>Collects bytes and turns every full buffer into a text.</summary>
    private sealed class PackingStream(Func<ReadOnlyMemory<char>, string> format) : Stream
    {
        private readonly List<string> _texts = [];
        private byte[] _bytes = new byte[BytesPerText];
        private char[] _characters = new char[CharactersPerText];
        private int _count;
        private long _length;

        public IReadOnlyList<string> Texts => _texts;
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => _length;
        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _length += buffer.Length;
            while (buffer.Length > 0)
            {
                var count = Math.Min(buffer.Length, BytesPerText - _count);
                buffer[..count].CopyTo(_bytes.AsSpan(_count));
                buffer = buffer[count..];
                _count += count;
                if (_count == BytesPerText)
                {
                    PackBuffer();
                }
            }
        }

        public void Finish()
        {
            if (_count > 0)
            {
                PackBuffer();
            }

            _bytes = [];
            _characters = [];
        }

        public override void Flush()
        {
            // A partial text is only written by Finish.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private void PackBuffer()
        {
            var characters = _characters.AsMemory(0, PackedText.CharacterCount(_count));
            PackedText.Pack(_bytes.AsSpan(0, _count), characters.Span);
            _texts.Add(format(characters));
            _count = 0;
        }
    }

    /// <summary>Reads the packed texts as bytes, without a copy of the whole.</summary>
    private sealed class UnpackingStream : Stream
    {
        private const int BufferBytes = 15 * 4096;
        private readonly ReadOnlyMemory<char>[] _state;
        private readonly byte[] _buffer = new byte[BufferBytes];
        private readonly long _length;
        private long _position;
        private int _buffered, _bufferPosition;

        public UnpackingStream(ReadOnlyMemory<char>[] state, long length)
        {
            (_state, _length) = (state, length);
            for (long i = 1, rest = length; i < state.Length || rest > 0; i++, rest -= BytesPerText)
            {
                if (rest <= 0 || i >= state.Length || state[i].Length != PackedText.CharacterCount((int)Math.Min(rest, BytesPerText)))
                {
                    throw new FormatException($"The saved model is damaged: {length} bytes do not fit its {state.Length - 1} texts.");
                }
            }
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => _length;
        public override long Position { get => _position - _buffered + _bufferPosition; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = 0;
            while (read < buffer.Length)
            {
                if (_bufferPosition == _buffered && !Fill())
                {
                    break;
                }

                var count = Math.Min(buffer.Length - read, _buffered - _bufferPosition);
                _buffer.AsSpan(_bufferPosition, count).CopyTo(buffer[read..]);
                _bufferPosition += count;
                read += count;
            }

            return read;
        }

        public override void Flush()
        {
            // Nothing is written.
        }

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private bool Fill()
        {
            var (text, offset) = Math.DivRem(_position, BytesPerText);
            var count = (int)Math.Min(Math.Min(BufferBytes, BytesPerText - offset), _length - _position);
            if (count == 0)
            {
                return false;
            }

            // Buffers and texts are multiples of 15 bytes: every buffer starts at a whole character.
            var characters = _state[text + 1].Span.Slice((int)(offset / 15 * 8), PackedText.CharacterCount(count));
            PackedText.Unpack(characters, _buffer.AsSpan(0, count));
            _position += count;
            _buffered = count;
            _bufferPosition = 0;
            return true;
        }
    }
}

/// <summary>
/// Models that were decoded from a carried state, one for each state, as long as its text is alive. ML.NET hands the same string out for
/// every row, so a row costs one look-up by reference.
/// </summary>
/// <param name="read">Reads a model from a forward-only stream to its end.</param>
internal sealed class CarrierCache<T>(Func<Stream, T> read) where T : class
{
    // String literals are interned: the key must be the checksum, for two models may share any other text.
    private readonly ConditionalWeakTable<string, Entry> _entries = [];

    /// <summary>The model of a state. Decodes it on first use; other threads wait for that.</summary>
    public T Get(in VBuffer<ReadOnlyMemory<char>> state)
    {
        var values = state.GetValues();
        if (values.IsEmpty || !MemoryMarshal.TryGetString(values[0], out var key, out _, out _))
        {
            throw new InvalidOperationException("The saved model's state does not reach its mapping as text literals. " +
                "Load the model with mlContext.Model.Load and use it as it is.");
        }

        if (!_entries.TryGetValue(key, out var entry))
        {
            entry = _entries.GetValue(key, static _ => new Entry());
        }

        return entry.Model ?? Decode(entry, values);
    }

    private T Decode(Entry entry, ReadOnlySpan<ReadOnlyMemory<char>> values)
    {
        lock (entry)
        {
            return entry.Model ??= CarrierState.Decode(values.ToArray(), read);
        }
    }

    private sealed class Entry
    {
        private volatile T? _model;

        public T? Model
        {
            get => _model;
            set => _model = value;
        }
    }
}
