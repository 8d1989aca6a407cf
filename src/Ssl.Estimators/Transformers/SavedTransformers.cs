using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.ML;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Tasks;

namespace Ssl.Estimators.Transformers;

/// <summary>Which transformer an archive in a model file holds.</summary>
internal static class SavedTransformers
{
    /// <summary>Makes the transformer of an archive, on the context's device.</summary>
    /// <param name="mlContext">Loads the model; the transformer keeps to its settings.</param>
    /// <param name="archive">Read to its end; need not seek.</param>
    /// <exception cref="FormatException">The archive is damaged, of an unknown kind, or of a newer version.</exception>
    public static ITransformer Read(MLContext mlContext, Stream archive)
    {
        var device = TorchDevice.Choose(mlContext.GpuDeviceId, mlContext.FallbackToCpu);
        LibraryNotice.Tell(mlContext);
        var (manifest, tensors) = ModelArchive.Open(archive);
        using var limit = Initialization.Limit(tensors.ValueCount);
        switch (manifest.Kind)
        {
            case NearestNeighborIndex.Kind:
                return new NearestNeighborsTransformer(NearestNeighborIndex.Read(manifest, tensors, device));
            case IndexLookup.ArchiveKind:
                return IndexLookup.Read(mlContext, manifest, tensors);
            case NeighborPredictor.ArchiveKind:
                return new NearestNeighborsPredictionTransformer(NeighborPredictor.Read(manifest, tensors, device));
            case AnomalyModel.ArchiveKind:
                var detector = AnomalyModel.Read(manifest, tensors);
                detector.MoveTo(device);
                return new AnomalyScoreTransformer(mlContext, detector);
            case WhiteningModel.ArchiveKind:
                return new WhiteningTransformer(WhiteningModel.Read(manifest, tensors));
            case SoundLoadingTransformer.ArchiveKind:
                return SoundLoadingTransformer.Read(manifest, tensors);
            case FewLabelsModel.ArchiveKind:
                var (fewLabels, own) = FewLabelsModel.Read(manifest, tensors);
                own.MoveTo(device);
                return new FewLabelsTransformer(fewLabels, own);
            case FineTunedModel.Kind:
                var tuned = FineTunedModel.Read(manifest, tensors);
                tuned.MoveTo(device);
                return new FineTunedTransformer(mlContext, tuned);
            case NamedEntitiesModel.ArchiveKind:
                var entities = NamedEntitiesModel.Read(manifest, tensors);
                entities.MoveTo(device);
                return new NamedEntitiesTransformer(mlContext, entities);
            case AnswerModel.ArchiveKind:
                var answers = AnswerModel.Read(manifest, tensors);
                answers.MoveTo(device);
                return new QuestionAnsweringTransformer(mlContext, answers);
            default:
                var encoder = EncoderModelReader.Read(manifest, tensors);
                encoder.MoveTo(device);
                return new EncoderTransformer(mlContext, encoder);
        }
    }

    /// <summary>Announces this to <see cref="ModelFiles"/>, which stands below and cannot name the transformers.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A process that only loads a model never names this type.")]
    internal static void Register() => ModelFiles.Reader = Read;
}
