using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class DataOperationsCatalog
{
    /// <summary>The two parts of a split.</summary>
    public readonly struct TrainTestData
    {
        public readonly IDataView TrainSet;
        public readonly IDataView TestSet;

        internal TrainTestData(IDataView trainSet, IDataView testSet)
        {
            TrainSet = trainSet;
            TestSet = testSet;
        }
    }

    public IDataView TakeRows(IDataView input, long count)
    {
        Environment.CheckValue(input, nameof(input));
        Environment.CheckUserArg(count > 0, nameof(count), "Must be greater than zero.");
        return new SkipTakeDataView(input, 0, count);
    }

    public IDataView SkipRows(IDataView input, long count)
    {
        Environment.CheckValue(input, nameof(input));
        Environment.CheckUserArg(count > 0, nameof(count), "Must be greater than zero.");
        return new SkipTakeDataView(input, count, long.MaxValue);
    }

    public IDataView ShuffleRows(IDataView input, int? seed = null, int shufflePoolSize = 1000, bool shuffleSource = true)
    {
        Environment.CheckValue(input, nameof(input));
        Environment.CheckUserArg(shufflePoolSize > 0, nameof(shufflePoolSize), "Must be positive");
        var host = Environment.Register("Shuffle");
        return new ShufflingDataView(input, shufflePoolSize, shuffleSource, seed ?? ((TauswortheHybrid)host.Rand).NextSigned());
    }

    public IDataView FilterRowsByColumn(
        IDataView input,
        string columnName,
        double lowerBound = double.NegativeInfinity,
        double upperBound = double.PositiveInfinity)
    {
        Environment.CheckValue(input, nameof(input));
        Environment.CheckNonEmpty(columnName, nameof(columnName));
        Environment.CheckParam(lowerBound <= upperBound, nameof(upperBound), "Must be no less than lowerBound");
        var column = input.Schema[columnName];
        if (column.Type is not NumberDataViewType)
        {
            throw Environment.ExceptSchemaMismatch(nameof(columnName), "filter", columnName, "a numeric column", column.Type.ToString());
        }

        return RangeFilter(input, column, lowerBound, upperBound, complement: false);
    }

    public IDataView FilterRowsByKeyColumnFraction(IDataView input, string columnName, double lowerBound = 0, double upperBound = 1)
    {
        Environment.CheckValue(input, nameof(input));
        Environment.CheckNonEmpty(columnName, nameof(columnName));
        Environment.CheckParam(lowerBound is >= 0 and <= 1, nameof(lowerBound), "Must be in [0, 1]");
        Environment.CheckParam(upperBound is > 0 and <= 2, nameof(upperBound), "Must be in [0, 2]");
        Environment.CheckParam(lowerBound <= upperBound, nameof(upperBound), "Must be no less than lowerBound");
        var column = input.Schema[columnName];
        if (column.Type is not KeyDataViewType)
        {
            throw Environment.ExceptSchemaMismatch(
                nameof(columnName),
                "filter",
                columnName,
                "a known cardinality key column",
                column.Type.ToString());
        }

        return RangeFilter(input, column, lowerBound, upperBound, complement: false);
    }

    public IDataView FilterRowsByMissingValues(IDataView input, params string[] columns)
    {
        Environment.CheckValue(input, nameof(input));
        Environment.CheckUserArg(columns is { Length: > 0 }, nameof(columns));
        var tested = columns.Select(name => Environment.FindColumn(input.Schema, name, "source", nameof(columns))).ToArray();
        foreach (var column in tested)
        {
            if (MissingValues.TestOf(column.Type) == null)
            {
                throw Environment.ExceptParam(
                    nameof(columns),
                    $"Column '{column.Name}' has type {column.Type} which does not support missing values");
            }
        }

        return new FilteredDataView(input, tested, row =>
        {
            var tests = tested.Select(column => MissingValues.TestOf(column.Type)(row, column)).ToArray();
            return () => !tests.Any(isMissing => isMissing());
        });
    }

    public TrainTestData TrainTestSplit(IDataView data, double testFraction = 0.1, string samplingKeyColumnName = null, int? seed = null)
    {
        Environment.CheckValue(data, nameof(data));
        Environment.CheckParam(testFraction is > 0 and < 1, nameof(testFraction), "Must be between 0 and 1 exclusive");
        var column = SplitColumn.Add(Environment, ref data, samplingKeyColumnName, seed ?? Environment.Root.Seed);
        return SplitBy(data, column, 0, testFraction);
    }

    public IReadOnlyList<TrainTestData> CrossValidationSplit(
        IDataView data,
        int numberOfFolds = 5,
        string samplingKeyColumnName = null,
        int? seed = null)
    {
        Environment.CheckValue(data, nameof(data));
        Environment.CheckParam(numberOfFolds > 1, nameof(numberOfFolds), "Must be more than 1");
        return Folds(Environment, data, numberOfFolds, samplingKeyColumnName, seed);
    }

    /// <summary>Training and held out rows of each fold.</summary>
    internal static IReadOnlyList<TrainTestData> Folds(
        IHostEnvironment env,
        IDataView data,
        int numberOfFolds,
        string samplingKeyColumnName,
        int? seed)
    {
        var column = SplitColumn.Add(env, ref data, samplingKeyColumnName, seed);
        double Start(int fold) => (double)fold / numberOfFolds;
        return [.. Enumerable.Range(0, numberOfFolds).Select(fold => SplitBy(data, column, Start(fold), Start(fold + 1)))];
    }

    /// <summary>Rows whose value lies in [lower, upper), or all the others. Keys count as fractions of their range.</summary>
    internal static IDataView RangeFilter(IDataView input, DataViewSchema.Column column, double lower, double upper, bool complement)
    {
        if (column.Type is KeyDataViewType key)
        {
            lower *= key.Count;
            upper *= key.Count;
        }

        return new FilteredDataView(input, [column], row =>
        {
            var get = Numbers.GetterOf(row, column);
            return () =>
            {
                // NaN (and a missing key) lies nowhere: it is never kept.
                var value = get();
                return !double.IsNaN(value) && (lower <= value && value < upper) != complement;
            };
        });
    }

    private static TrainTestData SplitBy(IDataView data, string column, double lower, double upper)
    {
        IDataView Part(bool complement)
        {
            var rows = RangeFilter(data, data.Schema[column], lower, upper, complement);
            return new Transforms.ColumnSelectingTransformer(
                new HostEnvironment(new EnvironmentRoot()),
                null,
                [column],
                false).Transform(rows);
        }

        return new TrainTestData(Part(complement: true), Part(complement: false));
    }
}
