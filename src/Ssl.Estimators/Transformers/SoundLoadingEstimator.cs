using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators;

/// <summary>Loads sound files whose paths stand in a column: wav, mp3 and ogg Vorbis, of any sample rate and any number of channels.</summary>
/// <remarks>
/// <para>Input and output columns:</para>
/// <list type="table">
/// <item><term>Input</term><description>paths of files, text.</description></item>
/// <item><term>Output</term><description>a vector of <see cref="float"/> of varying size: the samples of one channel, from -1 to 1. Its annotation
/// <c>SampleRate</c> says how many there are a second, and pretraining refuses a spectrogram of another rate. An empty path gives an empty vector: a
/// row that is not learned from.</description></item>
/// </list>
/// <para>Characteristics: learns nothing; files are read when rows are asked for, several at once, and again in every pass (append a cache
/// checkpoint where a trainer passes often and memory allows; the pretraining methods of this package read once); saved by
/// <c>mlContext.Model.Save</c>. What a file is, its first bytes say, not its name. NAudio.Core, NLayer and NVorbis decode; resampling is NAudio's.</para>
/// </remarks>
public sealed class SoundLoadingEstimator : IEstimator<SoundLoadingTransformer>
{
    private readonly Options _options;

    internal SoundLoadingEstimator(Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = new OptionFaults();
        OptionRuleAttribute.Check(options, faults);
        faults.ThrowIfAny();
        _options = options.Snapshot();
        Transformer = new SoundLoadingTransformer(_options);
    }

    internal SoundLoadingTransformer Transformer { get; }

    /// <summary>Settings of <see cref="SoundLoadingEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>Name of the new column of samples.</summary>
        /// <value>The default value is "Sound".</value>
        [NotEmpty]
        public string OutputColumnName { get; set; } = ColumnNames.Sound;

        /// <summary>Name of the column of paths; null takes <see cref="OutputColumnName"/>, which is then replaced.</summary>
        /// <value>The default value is null.</value>
        [NotEmpty(AllowsNull = true)]
        public string? InputColumnName { get; set; }

        /// <summary>The folder in which relative paths are found; null takes the current one.</summary>
        /// <value>The default value is null.</value>
        [NotEmpty(AllowsNull = true)]
        public string? SoundFolder { get; set; }

        /// <summary>Samples a second in the new column; a file of another rate is resampled. From 1,000 to 1,000,000.</summary>
        /// <value>The default value is 16,000: speech loses nothing by it.</value>
        [OptionRange(Minimum = 1_000, Maximum = 1_000_000)]
        public int SampleRate { get; set; } = 16_000;

        /// <summary>Which channel of a file to take, from 0; null takes the mean of all. At least 0.</summary>
        /// <value>The default value is null.</value>
        [OptionRange(Minimum = 0)]
        public int? Channel { get; set; }

        internal Options Snapshot() => (Options)MemberwiseClone();

        internal string Input => InputColumnName ?? OutputColumnName;
    }

    /// <summary>The stage; of the rows only the schema is read.</summary>
    /// <param name="input">Holds the column of paths.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or not one of texts.</exception>
    public SoundLoadingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Transformer.GetOutputSchema(input.Schema);
        return Transformer;
    }

    /// <summary>All input columns and the samples.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or not one of texts.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        SoundLoadingTransformer.CheckInput(ColumnShape.Find(inputSchema, _options.Input), _options.Input);
        return SchemaShapes.Append(inputSchema, SchemaShapes.VariableVector(_options.OutputColumnName, NumberDataViewType.Single));
    }
}
