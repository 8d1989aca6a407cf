using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Makes, reads, splits and filters views.</summary>
public sealed partial class DataOperationsCatalog
{
    internal DataOperationsCatalog(IRootedEnvironment env) => Environment = env;

    internal IRootedEnvironment Environment { get; }

    public IDataView Cache(IDataView input, params string[] columnsToPrefetch)
    {
        Environment.CheckValue(input, nameof(input));
        return new CacheDataView(Environment, input, columnsToPrefetch);
    }
}
