using System.Runtime.ExceptionServices;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>Loads the sound files of a column of paths. Lazy, order-preserving; any number of threads may transform at once.</summary>
public sealed class SoundLoadingTransformer : ITransformer
{
    /// <summary>The kind of archive.</summary>
    internal const string ArchiveKind = "sound_loading";

    private const string InputKey = "input_column", OutputKey = "output_column", FolderKey = "folder", RateKey = "sample_rate", ChannelKey = "channel";

    // Files in memory at once, and read at once on as many cores.
    private const int FilesAtOnce = 32;

    private readonly SoundLoadingEstimator.Options _options;

    internal SoundLoadingTransformer(SoundLoadingEstimator.Options options) => _options = options;

    /// <summary>Name of the column of samples.</summary>
    public string OutputColumnName => _options.OutputColumnName;

    /// <summary>Name of the column of paths.</summary>
    public string InputColumnName => _options.Input;

    /// <summary>Samples a second.</summary>
    public int SampleRate => _options.SampleRate;

    /// <summary>Always true: a row's sound depends on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The input's schema and the samples, in place of a column of their name.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column of paths is missing or not one of texts.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckInput(ColumnShape.Find(inputSchema, InputColumnName), InputColumnName);
        var annotations = new DataViewSchema.Annotations.Builder();
        var rate = SampleRate;
        annotations.Add(ColumnShape.SampleRateAnnotation, NumberDataViewType.Int32, (ref int value) => value = rate);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(OutputColumnName, new VectorDataViewType(NumberDataViewType.Single), annotations.ToAnnotations());
        return builder.ToSchema();
    }

    /// <summary>Loads row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => new EncoderRowMapper(new Loading(_options), inputSchema, GetOutputSchema(inputSchema));

    /// <summary>The data with samples; files are read when rows are.</summary>
    /// <param name="input">Holds the column of paths.</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), new Loading(_options), FilesAtOnce);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFiles.Save(ctx, stream => ModelArchive.Write(stream, ArchiveKind, new JsonObject
    {
        [InputKey] = _options.InputColumnName,
        [OutputKey] = _options.OutputColumnName,
        [FolderKey] = _options.SoundFolder,
        [RateKey] = _options.SampleRate,
        [ChannelKey] = _options.Channel,
    }, []));

    /// <summary>Reads what was saved.</summary>
    /// <exception cref="FormatException">The archive holds something else or is damaged.</exception>
    internal static SoundLoadingTransformer Read(ArchiveManifest manifest, SafeTensorsReader tensors)
        => VectorArchive.Read(manifest, tensors, ArchiveKind, (content, _) => new SoundLoadingEstimator(new SoundLoadingEstimator.Options
    {
        InputColumnName = (string?)content[InputKey],
        OutputColumnName = content.Name(OutputKey),
        SoundFolder = (string?)content[FolderKey],
        SampleRate = (int)content[RateKey]!,
        Channel = (int?)content[ChannelKey],
    }).Transformer);

    internal static void CheckInput(ColumnShape shape, string name)
    {
        if (!shape.IsText)
            throw shape.Mismatch(name, "String", "Give the paths of files as texts.");
    }

    private sealed class Loading(SoundLoadingEstimator.Options options) : FindingComputation
    {
        public override IReadOnlyList<string> InputColumns => [options.Input];

        public override void Find(RowBatch rows, Span<object?> found)
        {
            string[] paths = [.. rows.Rows.ToArray().Select(row => row.Texts.Span[0].ToString())];
            var sounds = new object[paths.Length];
            try
            {
                Parallel.For(0, paths.Length, i => sounds[i] = Load(paths[i]));
            }
            catch (AggregateException e)
            {
                // The first file's reason, as where files are read one by one.
                ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            }
            sounds.CopyTo(found!);
        }

        public override Delegate CreateGetter(int output, Func<object> row) => VectorGetter(() => (float[])row());

        private float[] Load(string path) => path.Length == 0 ? []
            : SoundFile.Read(options.SoundFolder is null ? path : Path.Combine(options.SoundFolder, path), options.SampleRate, options.Channel);
    }
}
