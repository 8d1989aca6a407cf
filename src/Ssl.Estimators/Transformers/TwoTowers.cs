using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Transformers;

/// <summary>The encoders of images and of texts in a model that was trained on both, each as a transformer of its own.</summary>
internal static class TwoTowers
{
    /// <summary>The encoder of images, with its own copy of the weights.</summary>
    public static EncoderTransformer Images(MLContext mlContext, EncoderTransformer encoder)
        => new(mlContext, Of(encoder).Part(network => ((TwoTowerEncoder)network).Images, FormatOf(encoder).Images), encoder.TrainingHistory);

    /// <summary>The encoder of texts, with its own copy of the weights.</summary>
    public static EncoderTransformer Texts(MLContext mlContext, EncoderTransformer encoder)
        => new(mlContext, Of(encoder).Part(network => ((TwoTowerEncoder)network).Texts, FormatOf(encoder).Texts), encoder.TrainingHistory);

    /// <summary>How rows of the model are read.</summary>
    public static ImageTextRowFormat FormatOf(EncoderTransformer encoder) => (ImageTextRowFormat)Of(encoder).Format;

    /// <summary>The model, which must have both encoders.</summary>
    /// <exception cref="ArgumentException">It was not trained by a method that learns one space for images and texts.</exception>
    public static EncoderModel Of(EncoderTransformer encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var model = encoder.Model;
        using var use = model.Lifetime.Enter();
        return model.Network is TwoTowerEncoder ? model : throw new ArgumentException($"The encoder must have learned one space for images and texts, with "
            + $"ssl.ImageText.Clip or SigLip; this one is of kind '{model.Modality}'.", nameof(encoder));
    }
}
