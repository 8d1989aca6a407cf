using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Makes, reads, splits and filters views.</summary>
public sealed partial class DataOperationsCatalog
{
    internal DataOperationsCatalog(IHostEnvironment env)
    {
        Context = (IRootedEnvironment)env;
        Environment = env.Register(nameof(DataOperationsCatalog));
    }

    internal IHostEnvironment Environment { get; }
    internal IRootedEnvironment Context { get; }

    public IDataView Cache(IDataView input, params string[] columnsToPrefetch)
    {
        Environment.CheckValue(input, nameof(input));
        return new CacheDataView(Environment, input, columnsToPrefetch);
    }
}
