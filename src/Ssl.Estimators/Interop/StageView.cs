using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Model.OnnxConverter;

namespace Ssl.Estimators.Interop;

/// <summary>
/// The view of a stage of this library, as ML.NET's ConvertToOnnx meets it. That walks from view to view, and takes one that does not know ONNX for
/// the data: the stage would be lost without a word. This one answers with a sentence.
/// </summary>
internal static class StageView
{
    /// <summary>The same view, with an answer; as it is where a newer ML.NET asks in another way.</summary>
    /// <param name="view">What the stage gives.</param>
    /// <param name="input">What it was given.</param>
    /// <param name="stage">The stage, for the sentence: "the stage of column 'Features'".</param>
    public static IDataView Of(IDataView view, IDataView input, string stage)
    {
        try
        {
            return Create(view, input, stage);
        }
        catch (TypeLoadException)
        {
            return view;
        }
    }

    // Not inlined: the type is loaded here, and a failure is caught above.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IDataView Create(IDataView view, IDataView input, string stage) => new Answering(view, input, stage);

    private sealed class Answering(IDataView view, IDataView input, string stage) : ITransformCanSaveOnnx
    {
        public DataViewSchema Schema => view.Schema;

        public bool CanShuffle => view.CanShuffle;

        IDataView IDataTransform.Source => input;

        public long? GetRowCount() => view.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => view.GetRowCursor(columnsNeeded, rand);

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
            => view.GetRowCursorSet(columnsNeeded, n, rand);

        bool ICanSaveOnnx.CanSaveOnnx(OnnxContext ctx) => throw Refused();

        void ISaveAsOnnx.SaveAsOnnx(OnnxContext ctx) => throw Refused();

        void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException($"A view is not saved as a model. Save the transformer of {stage}.");

        private NotSupportedException Refused() => new($"ConvertToOnnx cannot write {stage}. Write an encoder, or a fine-tuned one, as a file of its own with ssl.ExportOnnx(…) "
            + "of the package Ssl.MLNet.Onnx, and convert what stands behind it on mlContext.Data.Cache(…) of the view that it gives: two files, one after the other.");
    }
}
