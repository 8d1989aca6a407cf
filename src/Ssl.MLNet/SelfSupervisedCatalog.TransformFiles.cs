using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Serialization;
using Ssl.MLNet.Data;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    private const string BinaryExtension = ".idv";

    /// <summary>
    /// Runs rows that lie in many files through a model, file by file, and writes one file of ML.NET's binary format for each: embeddings of a corpus
    /// of any size. What was written before is not computed again, so that an interrupted run goes on where it was; with several processes
    /// (<see cref="UseProcesses"/>) each takes its share of the files.
    /// </summary>
    /// <remarks>
    /// A file is written under another name first and renamed when it is whole. It counts as written as long as it is younger than its input; another
    /// model needs another folder. Read all of them with
    /// <see cref="DataReaders.LoadFiles"/>.
    /// </remarks>
    /// <param name="model">Any transformer.</param>
    /// <param name="inputPaths">The files, the same in every process; no two of the same name.</param>
    /// <param name="load">Reads one of them.</param>
    /// <param name="outputFolder">Where the files go; made if it is not there.</param>
    /// <param name="columnNames">The columns to keep; none for all.</param>
    /// <param name="progress">Told the path of each file as it is done, by the process that did it; null for nobody.</param>
    /// <param name="cancellationToken">Ends it after the file that is being written.</param>
    /// <returns>The paths of all files, in the order of the inputs; all are written when this returns.</returns>
    /// <exception cref="ArgumentException">There are no files, or two of the same name.</exception>
    /// <exception cref="FileNotFoundException">An input is not there.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled; what was written stays.</exception>
    public IReadOnlyList<string> TransformFiles(ITransformer model, IEnumerable<string> inputPaths, Func<string, IDataView> load, string outputFolder,
        IEnumerable<string>? columnNames = null, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputPaths);
        ArgumentNullException.ThrowIfNull(load);
        ArgumentException.ThrowIfNullOrEmpty(outputFolder);
        string[] inputs = [.. inputPaths], columns = [.. columnNames ?? []];
        if (inputs.Length == 0)
            throw new ArgumentException("There are no files to transform.", nameof(inputPaths));
        if (inputs.GroupBy(Path.GetFileNameWithoutExtension, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new ArgumentException($"Each output has the name of its input, and {twice.Count()} inputs are called '{twice.Key}': rename one, or write to two folders.", nameof(inputPaths));
        if (inputs.FirstOrDefault(path => !File.Exists(path)) is { } missing)
            throw new FileNotFoundException($"The input '{missing}' is not there.", missing);
        Directory.CreateDirectory(outputFolder);
        string Output(string input) => Path.Combine(outputFolder, Path.GetFileNameWithoutExtension(input) + BinaryExtension);

        var group = ProcessGroup.Current;
        try
        {
            foreach (var input in group?.Share(inputs) ?? inputs)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var output = Output(input);
                if (File.Exists(output) && File.GetLastWriteTimeUtc(output) >= File.GetLastWriteTimeUtc(input))
                    continue;
                var view = model.Transform(load(input));
                if (columns.Length > 0)
                    view = _mlContext.Transforms.SelectColumns(columns).Fit(view).Transform(view);
                AtomicFile.Write(output, stream => _mlContext.Data.SaveAsBinary(view, stream));
                progress?.Report(output);
            }
            group?.Wait();
        }
        catch (Exception fault)
        {
            // The others wait for this one's files.
            group?.Report(fault, isInStep: false);
            throw;
        }
        return [.. inputs.Select(Output)];
    }

    public sealed partial class DataReaders
    {
        /// <summary>The rows of many files behind each other, each opened when its rows are read: what <see cref="TransformFiles"/> wrote, or any others.</summary>
        /// <param name="paths">The files, at least one, all with the same columns.</param>
        /// <param name="load">Reads one of them; null for ML.NET's binary format.</param>
        /// <returns>Rows in the order of the files. Keys must stand for the same values in all of them, which is not checked.</returns>
        /// <exception cref="ArgumentException">There are no files, or the columns of two differ.</exception>
        public IDataView LoadFiles(IEnumerable<string> paths, Func<string, IDataView>? load = null)
        {
            ArgumentNullException.ThrowIfNull(paths);
            string[] all = [.. paths];
            if (all.Length == 0)
                throw new ArgumentException("Name at least one file.", nameof(paths));
            load ??= path => _mlContext.Data.LoadFromBinary(path);
            return new AppendedViews([.. all.Select(path => (path, load(path)))]);
        }
    }
}
