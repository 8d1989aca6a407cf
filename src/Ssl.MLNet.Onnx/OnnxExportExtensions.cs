using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet.Onnx;

namespace Ssl.MLNet;

/// <summary>Writes encoders and fine-tuned models as ONNX.</summary>
public static class OnnxExportExtensions
{
    /// <summary>
    /// Writes an encoder as an ONNX model (opset 17) that ONNX Runtime, ML.NET's <c>ApplyOnnxModel</c> and Python run, for any number of rows. It is
    /// compared with the encoder in ONNX Runtime first; nothing is written where a number differs by more than 0.0001 (of the largest one, where that
    /// is above 1).
    /// </summary>
    /// <remarks>
    /// <para>In the model: the network, the standardization of pixels, the scaling of numbers, the codes of categories, spectrograms. Not in it, and
    /// described by <see cref="OnnxExportResult.Preparation"/>: cutting texts into tokens (the vocabulary is written beside the model), resizing decoded
    /// images, white space at the ends of categories.</para>
    /// <para>Inputs have the names of the encoder's columns; those of a text are <c>input_ids</c> and <c>attention_mask</c>. The output has the name of
    /// the encoder's. Numbers of a table are Single there: columns of Double or of whole numbers lose what a Single does not hold.</para>
    /// </remarks>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="encoder">Any encoder of this library's networks.</param>
    /// <param name="path">The file, <c>model.onnx</c>; replaced where there is one. The vocabulary gets the name <c>model.vocab.txt</c> or
    /// <c>model.tokenizer.json</c>.</param>
    /// <param name="data">Rows to compare on, the first 200 are read; null makes some up.</param>
    /// <returns>Inputs, outputs, and how close both are.</returns>
    /// <exception cref="NotSupportedException">The encoder is of a module of your own, or larger than 2 GB.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime gives other numbers.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static OnnxExportResult ExportOnnx(this SelfSupervisedCatalog catalog, EncoderTransformer encoder, string path, IDataView? data = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return OnnxExporter.Export(catalog.Context, new EncoderExport(encoder.Model), path, data);
    }

    /// <summary>
    /// Writes a fine-tuned encoder as an ONNX model, with the outputs of its task: <c>PredictedLabel</c> (String) and <c>Score</c>, a probability
    /// for each class; <c>PredictedLabel</c> (Boolean), <c>Score</c> and <c>Probability</c>; or <c>Score</c>.
    /// </summary>
    /// <inheritdoc cref="ExportOnnx(SelfSupervisedCatalog, EncoderTransformer, string, IDataView?)" path="/*[not(self::param) and not(self::summary)]"/>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="model">A fine-tuned encoder.</param>
    /// <param name="path">The file, <c>model.onnx</c>; replaced where there is one.</param>
    /// <param name="data">Rows to compare on, the first 200 are read; null makes some up.</param>
    public static OnnxExportResult ExportOnnx(this SelfSupervisedCatalog catalog, FineTunedTransformer model, string path, IDataView? data = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return OnnxExporter.Export(catalog.Context, new FineTunedExport(model.Model), path, data);
    }

    /// <summary>
    /// Writes a model that was learned from few labels, with the outputs of its task: <c>PredictedLabel</c> (String, empty for a row whose vector is not
    /// finite) and <c>Score</c>, a probability for each class; <c>PredictedLabel</c> (Boolean), <c>Score</c> and <c>Probability</c>; or <c>Score</c>.
    /// </summary>
    /// <inheritdoc cref="ExportOnnx(SelfSupervisedCatalog, EncoderTransformer, string, IDataView?)" path="/*[not(self::param) and not(self::summary)]"/>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="model">What <c>FewLabels</c> gave.</param>
    /// <param name="path">The file, <c>model.onnx</c>; replaced where there is one.</param>
    /// <param name="data">Rows to compare on, the first 200 are read; null makes some up.</param>
    /// <param name="encoder">The encoder that made the column of vectors: it becomes part of the file, which then takes the encoder's columns. Null makes the
    /// column an input.</param>
    /// <exception cref="ArgumentException">The encoder makes another column, or vectors of another length.</exception>
    public static OnnxExportResult ExportOnnx(this SelfSupervisedCatalog catalog, FewLabelsTransformer model, string path, IDataView? data = null,
        EncoderTransformer? encoder = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var columns = model.EncodedColumnNames;
        if (encoder is not null && (encoder.OutputColumnName != model.FeatureColumnName || encoder.Model.OutputWidth != model.ColumnWidth
            || columns.Count > 0 && !columns.SequenceEqual(encoder.InputColumnNames)))
        {
            throw new ArgumentException($"The encoder makes the column '{encoder.OutputColumnName}' of {encoder.Model.OutputWidth} numbers from {string.Join(", ", encoder.InputColumnNames)}, "
                + $"and the model was fitted on '{model.FeatureColumnName}' of {model.ColumnWidth}{(columns.Count == 0 ? "" : $" from {string.Join(", ", columns)}")}. "
                + "Give the encoder that made that column, or none: the column is then an input of the file.", nameof(encoder));
        }
        return OnnxExporter.Export(catalog.Context, new FewLabelsExport(model, encoder?.Model), path, data);
    }

    /// <summary>
    /// Writes a model that answers questions: <c>start_logits</c> and <c>end_logits</c>, the scores of each token of where an answer begins and ends.
    /// Cutting texts into windows before and finding the best pair behind are the program's; <see cref="OnnxExportResult.Preparation"/> says how.
    /// </summary>
    /// <inheritdoc cref="ExportOnnx(SelfSupervisedCatalog, EncoderTransformer, string, IDataView?)" path="/*[not(self::param) and not(self::summary)]"/>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="model">What <c>FineTune.QuestionAnswering</c> gave.</param>
    /// <param name="path">The file, <c>model.onnx</c>; replaced where there is one.</param>
    /// <param name="data">Rows to compare on, the first 200 are read; null makes some up.</param>
    public static OnnxExportResult ExportOnnx(this SelfSupervisedCatalog catalog, QuestionAnsweringTransformer model, string path, IDataView? data = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return OnnxExporter.Export(catalog.Context, new AnswerExport(model.Model), path, data);
    }

    /// <summary>
    /// Writes a model that finds entities: <c>logits</c>, the scores of the tags of each token. Where the model goes by the letters of words, too, their
    /// numbers are an input (<c>word_features</c>). Cutting texts into windows before and reading entities off the tags behind are the program's.
    /// </summary>
    /// <inheritdoc cref="ExportOnnx(SelfSupervisedCatalog, EncoderTransformer, string, IDataView?)" path="/*[not(self::param) and not(self::summary)]"/>
    /// <param name="catalog"><c>mlContext.SelfSupervised()</c>.</param>
    /// <param name="model">What <c>FineTune.NamedEntities</c> gave.</param>
    /// <param name="path">The file, <c>model.onnx</c>; replaced where there is one.</param>
    /// <param name="data">Rows to compare on, the first 200 are read; null makes some up.</param>
    public static OnnxExportResult ExportOnnx(this SelfSupervisedCatalog catalog, NamedEntitiesTransformer model, string path, IDataView? data = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return OnnxExporter.Export(catalog.Context, new EntityExport(model.Model), path, data);
    }
}
