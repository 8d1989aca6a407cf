using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Transformers;

namespace Ssl.MLNet;

/// <summary>Self-supervised learning as ML.NET estimators: <c>mlContext.SelfSupervised()</c>.</summary>
public sealed partial class SelfSupervisedCatalog
{
    private readonly MLContext _mlContext;

    internal SelfSupervisedCatalog(MLContext mlContext)
    {
        _mlContext = mlContext;
        Text = new TextMethods(mlContext);
        Tabular = new TabularMethods(mlContext);
        Images = new ImageMethods(mlContext);
        Data = new DataReaders(mlContext);
        TimeSeries = new TimeSeriesMethods(mlContext);
        Audio = new AudioMethods(mlContext);
        ImageText = new ImageTextMethods(mlContext);
        FineTune = new FineTuneTasks(mlContext);
        FewLabels = new FewLabelsTasks(mlContext);
    }

    /// <summary>The context that it belongs to: for methods of your own, as extension methods of this class.</summary>
    public MLContext Context => _mlContext;

    /// <summary>Pretraining methods for text.</summary>
    public TextMethods Text { get; }

    /// <summary>Pretraining methods for tables.</summary>
    public TabularMethods Tabular { get; }

    /// <summary>Pretraining methods for images.</summary>
    public ImageMethods Images { get; }

    /// <summary>Readers of data files.</summary>
    public DataReaders Data { get; }

    /// <summary>Pretraining methods for time series.</summary>
    public TimeSeriesMethods TimeSeries { get; }

    /// <summary>Methods for sound.</summary>
    public AudioMethods Audio { get; }

    /// <summary>Methods for images with texts.</summary>
    public ImageTextMethods ImageText { get; }

    /// <summary>Supervised training of pretrained encoders.</summary>
    public FineTuneTasks FineTune { get; }

    /// <summary>
    /// Megabytes in which one view with an embedding, or with predictions of a fine-tuned encoder, keeps what it computed, so that a
    /// trainer
    /// that reads its data many times (Sdca, KMeans, LightGbm) has each row computed once. What is beyond is computed anew in every pass,
    /// with one warning in the log: raise the limit, or append a cache checkpoint behind the stage. At least 0; 0 keeps nothing. Default
    /// 512:
    /// 900,000 embeddings of length 128.
    /// </summary>
    /// <value>Belongs to the context, not to this catalog: it holds for all views that its stages give from then on.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int EmbeddingMemoryLimit
    {
        get => ScoringSettings.Of(_mlContext).MemoryLimit;
        set => ScoringSettings.Of(_mlContext).MemoryLimit = value;
    }

    /// <summary>Embeds with an encoder that was pretrained before: a stage that learns nothing.</summary>
    /// <param name="encoder">A fitted encoder. The stage shares it: disposing of either leaves the other usable.</param>
    /// <param name="outputColumnName">Name of the new column; null keeps the encoder's own.</param>
    /// <param name="inputColumnName">Name of the column to embed; null keeps the one that the encoder was pretrained on.</param>
    public EmbeddingEstimator Embed(EncoderTransformer encoder, string? outputColumnName = null, string? inputColumnName = null)
        => new(_mlContext, encoder, outputColumnName, inputColumnName);

    /// <summary>
    /// Writes an encoder to one file: a JSON manifest and safetensors weights. Written beside the target first, then renamed.
    /// </summary>
    /// <param name="encoder">A fitted encoder.</param>
    /// <param name="filePath">The file to write; an existing one is replaced.</param>
    /// <exception cref="IOException">The path cannot be written; nothing is left behind.</exception>
    public void SaveEncoder(EncoderTransformer encoder, string filePath)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        encoder.SaveArchive(filePath);
    }

    /// <summary>Reads an encoder that <see cref="SaveEncoder"/> wrote.</summary>
    /// <param name="filePath">The file to read.</param>
    /// <returns>The encoder, on the context's device; dispose of it when it is no longer needed.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is truncated, not an encoder, or of a newer version.</exception>
    public EncoderTransformer LoadEncoder(string filePath)
    {
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        return EncoderTransformer.LoadArchive(_mlContext, filePath);
    }
}
