using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Contract.Tests;

[TestClass]
public sealed class ByolAContract : TimeSeriesPretrainingContract
{
    private const int Length = 160;

    // Tones of one of four pitches, in noise.
    protected override List<SeriesRow> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (kind, length) = (random.Next(4), random.Next(2) == 0 ? Length : Length + 80);
            return new SeriesRow
            {
                Id = i, Label = $"pitch {kind}", Numbers = [i, -i],
                Series = [.. Enumerable.Range(0, length).Select(t => MathF.Sin(t * (kind + 1) * 0.5f) + random.NextSingle() * 0.5f)],
            };
        })];
    }

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new ByolATrainer.Options
        {
            InputColumnName = "Series", Encoder = TimeSeriesEncoders.SpectrogramConvolution(16, 4), Spectrogram = Windows(16), MaximumCropLength = 32,
            ProjectionDimension = 8, HiddenDimension = 16, BatchSize = 16, NumberOfEpochs = 2,
        };
        change?.Invoke(options);
        return mlContext.SelfSupervised().Audio.ByolA(options);
    }

    protected override object? Other(PropertyInfo option, object? now) => option.Name switch
    {
        "Spectrogram" => Windows(24),
        "MaximumCropLength" => 12,
        "NumberOfChannels" => 10,
        _ => base.Other(option, now),
    };

    protected override IReadOnlyCollection<string> Prepared => [.. base.Prepared, "NumberOfChannels"];

    // The rows as series of several channels; what is compared otherwise are sounds.
    protected override void Prepare(string option, PretrainingOptions options)
    {
        var series = (TimeSeriesPretrainingOptions)options;
        base.Prepare(option, options);
        if (option == "NumberOfChannels")
            (series.Spectrogram, series.NumberOfChannels) = (null, 8);
    }

    // Sounds of one length.
    protected override IDataView ViewFor(string option, MLContext mlContext, int count)
    {
        if (option != "PerTimestamp")
            return View(mlContext, count);
        var schema = SchemaDefinition.Create(typeof(SeriesRow));
        schema["Series"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Length);
        var rows = Rows(count);
        rows.ForEach(row => row.Series = row.Series[..Length]);
        return mlContext.Data.LoadFromEnumerable(rows, schema);
    }

    private static LogMelSpectrogram Windows(double milliseconds) => new(1_000, numberOfBands: 8, milliseconds, hopLength: 2);
}

[TestClass]
public sealed class MaskedAcousticModelContract : TimeSeriesPretrainingContract
{
    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Audio.MaskedAcousticModel(Small<MaskedAcousticModelTrainer.Options>(options =>
        {
            ((MaskedAcousticModelTrainer.Options)options).InputColumnName = "Series";
            change?.Invoke(options);
        }, Patches));

    protected override object? Other(PropertyInfo option, object? now) => option.Name switch
    {
        "MaskRatio" or "BandMaskRatio" => 0.9f,
        "SpanLength" => 1,
        _ => base.Other(option, now),
    };

    protected override IReadOnlyCollection<string> Prepared => [.. base.Prepared, "NumberOfNegatives", "Temperature"];

    // Settings of the contrast.
    protected override void Prepare(string option, PretrainingOptions options)
    {
        base.Prepare(option, options);
        if (option is "NumberOfNegatives" or "Temperature")
            ((MaskedAcousticModelTrainer.Options)options).Target = AcousticTarget.Contrast;
    }
}

[TestClass]
public sealed class Wav2Vec2Contract : TimeSeriesPretrainingContract
{
    // Samples enough for a dozen steps.
    protected override List<SeriesRow> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (kind, length) = (random.Next(4), random.Next(60, 80));
            return new SeriesRow
            {
                Id = i, Label = $"pitch {kind}", Numbers = [i, -i],
                Series = [.. Enumerable.Range(0, 2 * length).Select(t => MathF.Sin(t * (kind + 1) * 0.3f) + random.NextSingle() * 0.2f)],
            };
        })];
    }

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Audio.Wav2Vec2(Small<Wav2Vec2Trainer.Options>(options =>
        {
            var sounds = (Wav2Vec2Trainer.Options)options;
            (sounds.SpanStartShare, sounds.SpanLength, sounds.NumberOfNegatives, sounds.CodebookSize) = (0.2f, 3, 8, 4);
            (sounds.CodeDimension, sounds.ProjectionDimension, sounds.InputColumnName) = (4, 8, "Series");
            change?.Invoke(options);
        }, TimeSeriesEncoders.SoundTransformer(16, 8, numberOfConvolutions: 1, numberOfLayers: 1, numberOfHeads: 2)));

    protected override object? Other(PropertyInfo option, object? now) => option.Name switch
    {
        "Encoder" => TimeSeriesEncoders.SoundTransformer(24, 8, numberOfConvolutions: 1, numberOfLayers: 1, numberOfHeads: 2),
        "SpanStartShare" => 0.5f,
        _ => base.Other(option, now),
    };
}
