using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Reporting;
using Ssl.Estimators.Serialization;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Writes a page about an encoder, one HTML file that needs no network: the data, the training with its losses, whether the embedding has collapsed,
    /// how well labels are predicted from it and from plain features, a map, and the nearest neighbors of some rows.
    /// </summary>
    /// <param name="data">Rows with the encoder's input columns, which may be those that it was trained on; read several times, always in the same
    /// order.</param>
    /// <param name="encoder">The encoder; it never changes.</param>
    /// <param name="path">Where the page goes; a file of that name is replaced.</param>
    /// <param name="labelColumnName">Name of a column of classes to compare with: a key, text, a whole number or <see cref="bool"/>; null reports
    /// without labels.</param>
    /// <returns>The page and its figures.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two usable rows, or fewer than two classes.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public EncoderReport Report(IDataView data, EncoderTransformer encoder, string path, string? labelColumnName = null)
    {
        AtomicFile.RequireWritable(path);
        var report = Report(data, encoder, new ReportOptions { LabelColumnName = labelColumnName });
        report.Save(path);
        return report;
    }

    /// <summary>Makes the same page with all settings; <see cref="EncoderReport.Save"/> writes it, a notebook shows <see cref="EncoderReport.Html"/>.</summary>
    /// <param name="data">Rows with the encoder's input columns; read several times, always in the same order.</param>
    /// <param name="encoder">The encoder; it never changes.</param>
    /// <param name="options">All settings.</param>
    /// <returns>The page and its figures.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range, or a column is missing or has another type.</exception>
    /// <exception cref="InvalidOperationException">There are fewer than two usable rows, or fewer than two classes.</exception>
    /// <exception cref="OperationCanceledException">The options' token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public EncoderReport Report(IDataView data, EncoderTransformer encoder, ReportOptions options) => ReportBuilder.Create(_mlContext, data, encoder, options);
}
