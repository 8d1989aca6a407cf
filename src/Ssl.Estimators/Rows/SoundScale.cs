using System.Globalization;
using Microsoft.ML;

namespace Ssl.Estimators.Rows;

/// <summary>Finds what the loudest value of a sample is.</summary>
internal static class SoundScale
{
    // Sound from -1 to 1 goes a little beyond where it was resampled or made louder.
    private const double Overshoot = 2;

    // What is usual: fractions, and whole numbers of 8, 16 and 32 bits.
    private static readonly double[] s_scales = [1, 128, 32_768, 2_147_483_648];

    /// <summary>A spectrogram that knows its full scale: the one stated, or the smallest usual one that holds all samples.</summary>
    /// <param name="data">Has the column.</param>
    /// <param name="column">Its name.</param>
    /// <param name="spectrogram">As the user gave it.</param>
    /// <param name="inform">Told what was found.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    /// <exception cref="InvalidOperationException">Samples are beyond all usual scales.</exception>
    public static LogMelSpectrogram Find(IDataView data, string column, LogMelSpectrogram spectrogram, Action<string> inform,
        CancellationToken cancellationToken)
    {
        if (spectrogram.FullScale is not null)
            return spectrogram;
        var loudest = 0.0;
        foreach (var row in RowReader.All(data, [column], cancellationToken))
        {
            foreach (var sample in row.Numbers.Span)
            {
                if (double.IsFinite(sample))
                    loudest = Math.Max(loudest, Math.Abs(sample));
            }
        }
        double scale = Array.Find(s_scales, scale => loudest <= (scale == 1 ? Overshoot : scale));
        if (scale == 0)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Samples in column '{column}' go up to {loudest:G5}, which is beyond ")
                + $"all usual scales: {string.Join(", ", s_scales.Select(usual => usual.ToString(CultureInfo.InvariantCulture)))}. State fullScale of the spectrogram.");
        }
        inform(string.Create(CultureInfo.InvariantCulture, $"samples in column '{column}' go up to {loudest:G5}: {scale:G10} is taken for the loudest (fullScale of Spectrogram)"));
        return spectrogram.WithFullScale(scale);
    }
}
