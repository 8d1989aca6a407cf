using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// A fitted encoder: adds a column with one embedding a row. Lazy (nothing is computed until rows are read), batched, order-preserving;
/// any number of threads may score at once. Dispose of it when it is no longer needed: it holds the network's weights.
/// </summary>
/// <remarks>
/// <para>A view that <see cref="Transform"/> returns computes each row once, however often it is read: it keeps the results, as long as the
/// view lives, up to <c>mlContext.SelfSupervised().EmbeddingMemoryLimit</c>. As everywhere in ML.NET, the data must not change between two
/// passes.</para>
/// <para>Who owns the weights: this object, and every stage that <c>Embed</c> made of it; the last one disposed of frees them. A chain owns
/// its parts and disposes of them. A <c>PredictionEngine</c> owns nothing: disposing of one leaves the transformer, or the chain that it was
/// made from, as it was, whatever <c>OwnsTransformer</c> says; where nobody disposes, the weights go when nothing can reach them any more.
/// A call under way while another thread disposes ends with its result, or with <see cref="ObjectDisposedException"/>.</para>
/// </remarks>
public sealed partial class EncoderTransformer : ITransformer, IDisposable
{
    // Large enough to keep the cores busy, small enough that a preview stays quick.
    internal const int BatchSize = 256;

    private readonly MLContext _mlContext;
    private readonly EncoderModel _model;

    internal EncoderTransformer(MLContext mlContext, EncoderModel model, TrainingHistory? history = null)
    {
        _mlContext = mlContext;
        _model = model;
        TrainingHistory = history ?? TrainingHistory.FromJson(model.TrainingFacts[TrainingHistory.FactName]);
    }

    /// <summary>The same network with fresh weights, which has learned nothing: what pretraining has to beat. The caller's to dispose of.</summary>
    /// <param name="mlContext">Says where it computes.</param>
    /// <param name="seed">Of the weights.</param>
    internal EncoderTransformer Untrained(MLContext mlContext, long seed)
    {
        using var streams = new RandomStreams(seed);
        using var network = _model.CreateUntrained(streams);
        return new EncoderTransformer(mlContext, _model.WithWeightsOf(network, TorchDevice.Choose(mlContext.GpuDeviceId, mlContext.FallbackToCpu), []));
    }

    /// <summary>Name of the embedding column: a known-size vector of <see cref="float"/>.</summary>
    public string OutputColumnName => _model.OutputColumn;

    /// <summary>Names of the columns that are embedded.</summary>
    public IReadOnlyList<string> InputColumnNames => _model.InputColumns;

    /// <summary>Length of an embedding.</summary>
    public int EmbeddingDimension => _model.OutputWidth;

    /// <summary>
    /// How the losses of its training went: step by step after <c>Fit</c>; of a loaded encoder, epoch by epoch.
    /// <see langword="null"/> for one that was not trained, or that comes from elsewhere.
    /// </summary>
    public TrainingHistory? TrainingHistory { get; }

    /// <summary>
    /// What the texts that it was trained on lost because the encoder takes no more tokens; <see langword="null"/> for other columns, and for an
    /// encoder that was not trained or whose file does not tell.
    /// </summary>
    public TruncationCounts? TrainingTruncation => TruncationCounts.FromJson(_model.TrainingFacts[TrainingFacts.TruncationKey]);

    /// <summary>
    /// What the texts that it has embedded since it was made or loaded lost because the encoder takes no more tokens, in all views and engines
    /// together; <see langword="null"/> for other columns. May be read from any thread while others embed.
    /// </summary>
    public TruncationCounts? Truncation => _model.Format.Truncates ? _model.Truncation.Counts : null;

    /// <summary>
    /// Whether embeddings are computed in bfloat16: several times faster with large encoders on a GPU, and by about a hundredth of their length
    /// other than in Float32. Set it before rows are read; stages that <c>Embed</c> makes afterwards take it over, files do not hold it.
    /// </summary>
    /// <value>The default value is false.</value>
    /// <exception cref="InvalidOperationException">Set to true on a processor without bfloat16 instructions, or for an encoder of your own
    /// module.</exception>
    public bool MixedPrecision
    {
        get => _model.RoundsToBFloat16;
        set => _model.RoundsToBFloat16 = value;
    }

    /// <summary>Always true: a row's embedding depends on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>What is embedded, for the downstream stages of this assembly.</summary>
    internal EncoderModel Model => _model;

    /// <summary>The weights to start a text method from: see <see cref="ToTextEncoderFactory"/>.</summary>
    /// <param name="encoder">A text encoder that was fitted or loaded.</param>
    public static implicit operator TextEncoderFactory(EncoderTransformer encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return encoder.ToTextEncoderFactory();
    }

    /// <summary>The weights to start an image method from: see <see cref="ToImageEncoderFactory"/>.</summary>
    /// <param name="encoder">An image encoder that was fitted or loaded.</param>
    public static implicit operator ImageEncoderFactory(EncoderTransformer encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return encoder.ToImageEncoderFactory();
    }

    /// <summary>
    /// What a text method takes as its encoder to start from these weights, with this tokenizer. <c>Fit</c> trains a copy; this encoder stays
    /// as it is, and must not be disposed of before.
    /// </summary>
    /// <exception cref="ArgumentException">It is no text encoder.</exception>
    public TextEncoderFactory ToTextEncoderFactory() => new StartedTextEncoderFactory(StartOf<TextRowFormat>("text"));

    /// <summary>
    /// What an image method takes as its encoder to start from these weights. <c>Fit</c> trains a copy; this encoder stays as it is, and must
    /// not be disposed of before.
    /// </summary>
    /// <exception cref="ArgumentException">It is no image encoder.</exception>
    public ImageEncoderFactory ToImageEncoderFactory() => StartedImageEncoderFactory.Create(StartOf<ImageRowFormat>("image"));

    /// <summary>The input's schema and the embedding column, with slot names.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _model.Lifetime.ThrowIfClosed();
        _model.Format.CheckColumns(inputSchema);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(OutputColumnName, new VectorDataViewType(NumberDataViewType.Single, EmbeddingDimension),
            EmbeddingAnnotations.Create(_model));
        return builder.ToSchema();
    }

    /// <summary>Embeds row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => new EncoderRowMapper(new EmbeddingComputation(_model), inputSchema, GetOutputSchema(inputSchema), ScoringSettings.Of(_mlContext));

    /// <summary>
    /// The data with the embedding column; computed when rows are read. Once rows have been read, one warning in the log counts those whose
    /// values the encoder cannot see: of a column that had one value in training, or pixels of another range.
    /// </summary>
    /// <param name="input">Holds the input column(s).</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), new EmbeddingComputation(_model), BatchSize,
            ScoringSettings.Of(_mlContext));
    }

    /// <summary>
    /// How badly the encoder's method tells hidden parts of each row: high for rows unlike those that it learned from. Methods that have it:
    /// the tabular ones that tell cells.
    /// </summary>
    /// <param name="input">Holds the input column(s); read once.</param>
    /// <returns>One error a row, at least 0, in the order of the rows.</returns>
    /// <exception cref="InvalidOperationException">The encoder's method learned nothing of the kind.</exception>
    public IReadOnlyList<float> ReconstructionErrors(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        GetOutputSchema(input.Schema);
        var errors = new List<float>();
        using var cursor = input.GetRowCursor(_model.Format.ActiveColumns(input.Schema).DistinctBy(column => column.Index));
        var notices = new RowNotices();
        var rows = new EmbeddingComputation(_model).CreateBatch(cursor, BatchSize, notices);
        bool more;
        do
        {
            more = cursor.MoveNext();
            if (more)
                rows.Read();
            if (rows.Count == BatchSize || !more && (rows.Count > 0 || errors.Count == 0))
            {
                errors.AddRange(_model.ReconstructionErrors(rows.ToStore()));
                rows.Clear();
            }
        }
        while (more);
        if (notices.Any)
            ScoringSettings.Of(_mlContext).Warn(notices.Describe("Scoring"));
        return errors;
    }

    /// <summary>Frees the weights, unless another stage shares them. The disposal of a <c>PredictionEngine</c> frees nothing.</summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _model.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFiles.Save(ctx, _model.WriteArchive);

    /// <summary>The same network under other column names; each of the two can be disposed of on its own.</summary>
    internal EncoderTransformer Share(string? outputColumnName, string? inputColumnName, MLContext? mlContext = null)
    {
        _model.Lifetime.ThrowIfClosed();
        if (inputColumnName is not null && InputColumnNames.Count != 1)
        {
            throw new ArgumentException($"The encoder reads {InputColumnNames.Count} columns ({string.Join(", ", InputColumnNames)}): one "
                + $"name, '{inputColumnName}', cannot stand for them. Leave it null and name the data's columns as the encoder's.",
                nameof(inputColumnName));
        }
        IReadOnlyList<string> inputs = inputColumnName is null ? InputColumnNames : [inputColumnName];
        return new EncoderTransformer(mlContext ?? _mlContext, _model.WithColumns(inputs, outputColumnName ?? OutputColumnName),
            TrainingHistory);
    }

    private EncoderModel StartOf<TFormat>(string kind) where TFormat : RowFormat
    {
        _model.Lifetime.ThrowIfClosed();
        return _model.Format is TFormat ? _model : throw new ArgumentException($"A {kind} method cannot start from an encoder of kind '{_model.Modality}'.");
    }

    internal void SaveArchive(string filePath) => AtomicFile.Write(filePath, _model.WriteArchive);

    internal static EncoderTransformer LoadArchive(MLContext mlContext, string filePath)
    {
        var device = TorchDevice.Choose(mlContext.GpuDeviceId, mlContext.FallbackToCpu);
        LibraryNotice.Tell(mlContext);
        var model = EncoderModelReader.ReadFile(filePath);
        model.MoveTo(device);
        try
        {
            return new EncoderTransformer(mlContext, model);
        }
        catch (FormatException e)
        {
            model.Dispose();
            throw new FormatException($"Cannot read an encoder from '{filePath}'. {e.Message}", e);
        }
    }
}
