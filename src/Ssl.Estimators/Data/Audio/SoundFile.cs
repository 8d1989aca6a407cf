using System.Globalization;
using NAudio.Wave;
using NAudio.Wave.SampleProviders;
using NLayer;
using NVorbis;

namespace Ssl.Estimators.Data;

/// <summary>Reads a sound file: wav (NAudio), mp3 (NLayer) or ogg Vorbis (NVorbis), told apart by how they begin and not by their names.</summary>
internal static class SoundFile
{
    private const int BufferedSamples = 1 << 14;

    // A file may state any rate: what is beyond is damage, and resampling from it would fill the memory.
    private const int HighestRate = 1_000_000;

    // Of one sound: four hours at 44.1 kHz. A longer one is rather cut by the user than loaded as one row.
    private const long MostSamples = 1L << 30;

    /// <summary>The samples of a file, from -1 to 1.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sampleRate">Samples a second of the result; resampled where the file has another rate.</param>
    /// <param name="channel">Which channel, from 0; null for the mean of all.</param>
    /// <exception cref="FormatException">It is no such file, is damaged, or has no such channel; the message names it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static float[] Read(string path, int sampleRate, int? channel)
    {
        using var stream = File.OpenRead(path);
        try
        {
            var (sound, owner) = Open(stream);
            using (owner)
            {
                var format = sound.WaveFormat;
                if (format.SampleRate is < 1 or > HighestRate || format.Channels < 1)
                    throw new SoundFileException($"It states {format.SampleRate} samples a second and {format.Channels} channels");
                if (channel >= format.Channels)
                    throw new SoundFileException($"It has {format.Channels} channels, numbered from 0, and Channel is {channel}");
                ISampleProvider one = format.Channels == 1 ? sound : new OneChannel(sound, channel);
                return ReadAll(format.SampleRate == sampleRate ? one : new WdlResamplingSampleProvider(one, sampleRate));
            }
        }
        // The decoders throw what they stumble over: indexes, ends of streams, arguments.
        catch (Exception e) when (e is not (OutOfMemoryException or UnauthorizedAccessException))
        {
            var why = e is SoundFileException ? e.Message : "It is damaged, or encoded in another way";
            throw new FormatException($"The sound file '{path}' cannot be read. {why}. Allowed are wav (8, 16, 24, 32 bits and float), mp3 and ogg Vorbis files.", e);
        }
    }

    private static (ISampleProvider Sound, IDisposable Owner) Open(FileStream stream)
    {
        Span<byte> start = stackalloc byte[12];
        var read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        start = start[..read];
        if (start.StartsWith("RIFF"u8) || start.StartsWith("RF64"u8))
        {
            var wave = new WaveFileReader(stream);
            return (wave.ToSampleProvider(), wave);
        }
        if (start.StartsWith("OggS"u8))
        {
            var vorbis = new VorbisReader(stream, closeOnDispose: false);
            return (new Decoded(vorbis.SampleRate, vorbis.Channels, vorbis.ReadSamples), vorbis);
        }
        // A tag, or the eleven bits with which a frame of MPEG audio begins.
        if (start.StartsWith("ID3"u8) || start.Length > 1 && start[0] == 0xFF && (start[1] & 0xE0) == 0xE0)
        {
            var mpeg = new MpegFile(stream);
            return (new Decoded(mpeg.SampleRate, mpeg.Channels, mpeg.ReadSamples), mpeg);
        }
        throw new SoundFileException(read == 0 ? "It is empty" : $"It begins with the bytes {Convert.ToHexString(start[..Math.Min(4, read)])}");
    }

    private static float[] ReadAll(ISampleProvider sound)
    {
        var samples = new List<float>();
        var buffer = new float[BufferedSamples];
        for (int read; (read = sound.Read(buffer)) > 0;)
        {
            if (samples.Count + (long)read > MostSamples)
                throw new SoundFileException(string.Create(CultureInfo.InvariantCulture, $"It is longer than {MostSamples:N0} samples; cut it into parts"));
            samples.AddRange(buffer.AsSpan(0, read));
        }
        return [.. samples];
    }

    // What is found out here, in contrast to what a decoder stumbles over.
    private sealed class SoundFileException(string message) : Exception(message);

    private delegate int SampleReader(Span<float> buffer);

    /// <summary>What a decoder gives, as NAudio's stages take it.</summary>
    private sealed class Decoded(int sampleRate, int channels, SampleReader read) : ISampleProvider
    {
        public WaveFormat WaveFormat { get; } = WaveFormat.CreateIeeeFloatWaveFormat(sampleRate, channels);

        public int Read(Span<float> buffer) => read(buffer);
    }

    /// <summary>One of several channels, or their mean.</summary>
    private sealed class OneChannel(ISampleProvider source, int? channel) : ISampleProvider
    {
        private readonly int _channels = source.WaveFormat.Channels;
        private float[] _frames = [];

        public WaveFormat WaveFormat { get; } = WaveFormat.CreateIeeeFloatWaveFormat(source.WaveFormat.SampleRate, 1);

        public int Read(Span<float> buffer)
        {
            if (_frames.Length < buffer.Length * _channels)
                _frames = new float[buffer.Length * _channels];
            var frames = source.Read(_frames.AsSpan(0, buffer.Length * _channels)) / _channels;
            for (var i = 0; i < frames; i++)
            {
                var frame = _frames.AsSpan(i * _channels, _channels);
                buffer[i] = channel is { } chosen ? frame[chosen] : Mean(frame);
            }
            return frames;
        }

        private static float Mean(ReadOnlySpan<float> frame)
        {
            var sum = 0.0;
            foreach (var sample in frame)
                sum += sample;
            return (float)(sum / frame.Length);
        }
    }
}
