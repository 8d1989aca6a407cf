using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Sound as a series: short windows of it, each as the logarithm of its power in bands that are as wide as the ear tells them apart.
/// </summary>
/// <remarks>
/// Windows of Hann, their power spectrum by the fast Fourier transform (at twice the window's length, rounded up to a power of two, so that the
/// lowest bands hold a frequency), triangular bands evenly spaced on the mel scale 2595 log10(1 + f / 700), and the natural logarithm of what
/// is in a band plus 1e-6. Sound is brought to the range from -1 to 1 first. A series of <see cref="NumberOfBands"/> channels and a timestamp
/// every <see cref="HopLength"/> comes out; sound shorter than a window is filled up with silence. A sample that is NaN is missing: frames
/// that hold it are, too.
/// </remarks>
public sealed class LogMelSpectrogram
{
    // Of the power of silence: the logarithm stays finite, and hiss that nobody hears does not count.
    private const double Floor = 1e-6;

    /// <summary>Added to the power of every band before the logarithm.</summary>
    internal const float SilentPower = (float)Floor;

    private const double MillisecondsPerSecond = 1000;

    // Weights of all bands: 64 MB, far more than anybody needs.
    private const long MostWeights = 1 << 24;

    private readonly int _window, _hop, _spectrum;
    private readonly float[] _weights, _bands; // [window], [bands, spectrum / 2 + 1]

    /// <summary>Checks the settings, all at once.</summary>
    /// <param name="sampleRate">Samples a second in the column. From 1,000 to 1,000,000.</param>
    /// <param name="numberOfBands">Bands, the channels of the series. At least 1; bands times samples of a window at most some millions.</param>
    /// <param name="windowLength">Length of a window in milliseconds. Greater than 0, at most 10,000.</param>
    /// <param name="hopLength">From one window's beginning to the next one's, in milliseconds. Greater than 0, at most 10,000.
    /// Speech recognition takes 10; with 20 everything costs half, and the embeddings of spoken digits lose nothing.</param>
    /// <param name="lowestFrequency">Where the lowest band begins, in hertz. At least 0.</param>
    /// <param name="highestFrequency">Where the highest band ends, in hertz; null takes half of the sample rate, the most there is.</param>
    /// <param name="fullScale">The loudest value of a sample; null finds it when an encoder is fitted: 1 where no sample is beyond 2 (resampled sound goes a little beyond 1),
    /// else 128, 32,768 or 2,147,483,648, as whole numbers of 8, 16 and 32 bits have it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range; all of them are named.</exception>
    public LogMelSpectrogram(int sampleRate, int numberOfBands = 64, double windowLength = 25, double hopLength = 20, double lowestFrequency = 0,
        double? highestFrequency = null, double? fullScale = null)
    {
        double highest = highestFrequency ?? sampleRate / 2.0;
        new OptionFaults()
            .InRange(sampleRate, 1_000, 1_000_000)
            .AtLeast(numberOfBands, 1)
            .Positive(windowLength)
            .Positive(hopLength)
            .Require(!(Math.Max(windowLength, hopLength) > 10 * MillisecondsPerSecond), nameof(windowLength), "and hopLength must be at most 10,000",
                Math.Max(windowLength, hopLength))
            .NotNegative(lowestFrequency)
            .Require(highest > lowestFrequency && highest <= sampleRate / 2.0, nameof(highestFrequency),
                $"must be above lowestFrequency, {lowestFrequency}, and at most half of the sample rate, {sampleRate / 2.0}", highest)
            .Require(fullScale is null or > 0 and < double.PositiveInfinity, nameof(fullScale), "must be greater than 0", fullScale)
            .ThrowIfAny();
        (SampleRate, NumberOfBands, WindowLength, HopLength, LowestFrequency, HighestFrequency, FullScale)
            = (sampleRate, numberOfBands, windowLength, hopLength, lowestFrequency, highest, fullScale);
        (_window, _hop) = (Samples(windowLength), Samples(hopLength));
        _spectrum = 2;
        while (_spectrum < 2 * _window)
            _spectrum *= 2;
        new OptionFaults().Require((long)numberOfBands * _spectrum <= MostWeights, nameof(numberOfBands),
            $"must be at most {MostWeights / _spectrum:N0} with windows of {_window:N0} samples", numberOfBands).ThrowIfAny();
        _weights = [.. Enumerable.Range(0, _window).Select(i => (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * i / _window)))];
        _bands = Bands();
        int empty = Enumerable.Range(0, numberOfBands).FirstOrDefault(band => !Band(band).ContainsAnyExcept(0f), -1);
        new OptionFaults().Require(empty < 0, nameof(numberOfBands),
            $"must be so few that every band holds a frequency of windows of {windowLength} ms; of band {empty} there is none", numberOfBands).ThrowIfAny();
    }

    /// <summary>Samples a second.</summary>
    public int SampleRate { get; }

    /// <summary>Bands: the channels of the series.</summary>
    public int NumberOfBands { get; }

    /// <summary>Length of a window in milliseconds.</summary>
    public double WindowLength { get; }

    /// <summary>From one window's beginning to the next one's, in milliseconds.</summary>
    public double HopLength { get; }

    /// <summary>Where the lowest band begins, in hertz.</summary>
    public double LowestFrequency { get; }

    /// <summary>Where the highest band ends, in hertz.</summary>
    public double HighestFrequency { get; }

    /// <summary>The loudest value of a sample; null where it is to be found.</summary>
    public double? FullScale { get; }

    /// <summary>Samples of a window.</summary>
    internal int WindowSamples => _window;

    /// <summary>Samples from one window's beginning to the next one's.</summary>
    internal int HopSamples => _hop;

    /// <summary>Length of the Fourier transform.</summary>
    internal int TransformLength => _spectrum;

    /// <summary>What samples of a window are multiplied with.</summary>
    internal ReadOnlySpan<float> WindowWeights => _weights;

    /// <summary>How much of each frequency's power is in each band: bands x (<see cref="TransformLength"/> / 2 + 1), band by band.</summary>
    internal ReadOnlySpan<float> BandWeights => _bands;

    /// <summary>Timestamps of a series that comes of so many samples.</summary>
    public int Frames(int samples) => samples == 0 ? 0 : 1 + Math.Max(0, samples - _window) / _hop;

    /// <summary>The same with a loudest value.</summary>
    internal LogMelSpectrogram WithFullScale(double fullScale)
        => new(SampleRate, NumberOfBands, WindowLength, HopLength, LowestFrequency, HighestFrequency, fullScale);

    /// <summary>A sound as a series.</summary>
    /// <param name="samples">Its samples; <see cref="FullScale"/> is known.</param>
    /// <returns>Channel by channel, <see cref="NumberOfBands"/> x <see cref="Frames"/>.</returns>
    public double[] Compute(ReadOnlySpan<double> samples)
    {
        if (samples.IsEmpty)
            return [];
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        int frames = Frames(samples.Length), length = _window + (frames - 1) * _hop;
        var sound = zeros(1, length, dtype: ScalarType.Float32);
        var target = MemoryMarshal.Cast<byte, float>(sound.bytes);
        double scale = 1 / (FullScale ?? throw new InvalidOperationException("FullScale is not known: state it, or fit an encoder, which finds it."));
        for (var i = 0; i < Math.Min(length, samples.Length); i++)
            target[i] = (float)(samples[i] * scale);
        // Every window at the beginning of the transform: it does not matter where it lies, only its power is used.
        var windows = sound.unfold(1, _window, _hop).squeeze(0) * Constants.On(CPU, _weights);                       // [T, window]
        var spectrum = fft.rfft(windows, _spectrum);                                                                // [T, spectrum / 2 + 1]
        var power = spectrum.real.pow(Number(2L)).add(spectrum.imag.pow(Number(2L)), One);
        var bands = Constants.On(CPU, _bands).view(NumberOfBands, -1).mm(power.t());                                // [bands, T]
        var logarithms = bands.add(Number(Floor), One).log().contiguous();
        var series = new double[NumberOfBands * frames];
        var values = MemoryMarshal.Cast<byte, float>(logarithms.bytes);
        for (var i = 0; i < series.Length; i++)
            series[i] = values[i];
        return series;
    }

    /// <summary>The settings as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["sampleRate"] = SampleRate,
        ["numberOfBands"] = NumberOfBands,
        ["windowLength"] = WindowLength,
        ["hopLength"] = HopLength,
        ["lowestFrequency"] = LowestFrequency,
        ["highestFrequency"] = HighestFrequency,
        ["fullScale"] = FullScale,
    };

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    internal static LogMelSpectrogram FromJson(JsonObject json)
    {
        try
        {
            return new((int)json["sampleRate"]!, (int)json["numberOfBands"]!, (double)json["windowLength"]!, (double)json["hopLength"]!,
                (double)json["lowestFrequency"]!, (double)json["highestFrequency"]!, (double?)json["fullScale"]);
        }
        catch (ArgumentOutOfRangeException fault)
        {
            throw new FormatException($"The description of the spectrogram is damaged: {Check.Sentence(fault)}", fault);
        }
    }

    private int Samples(double milliseconds) => (int)Math.Clamp(Math.Round(milliseconds / MillisecondsPerSecond * SampleRate), 1, 1 << 24);

    private ReadOnlySpan<float> Band(int band) => _bands.AsSpan(band * (_spectrum / 2 + 1), _spectrum / 2 + 1);

    private float[] Bands()
    {
        double lowest = Mel(LowestFrequency), step = (Mel(HighestFrequency) - lowest) / (NumberOfBands + 1);
        double[] corners = [.. Enumerable.Range(0, NumberOfBands + 2).Select(i => Hertz(lowest + i * step))];
        int frequencies = _spectrum / 2 + 1;
        var bands = new float[NumberOfBands * frequencies];
        for (var band = 0; band < NumberOfBands; band++)
        {
            var (from, middle, to) = (corners[band], corners[band + 1], corners[band + 2]);
            for (var i = 0; i < frequencies; i++)
            {
                double frequency = (double)i * SampleRate / _spectrum;
                bands[band * frequencies + i] = (float)Math.Max(0, Math.Min((frequency - from) / (middle - from), (to - frequency) / (to - middle)));
            }
        }
        return bands;

        static double Mel(double hertz) => 2595 * Math.Log10(1 + hertz / 700);
        static double Hertz(double mel) => 700 * (Math.Pow(10, mel / 2595) - 1);
    }
}
