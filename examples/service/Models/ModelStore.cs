namespace SearchService.Models;

/// <summary>The model that is served now, and how the last look at its file ended.</summary>
public sealed class ModelStore : IDisposable
{
    private ServedModel? _current;
    private volatile string? _fault = "No model was looked for yet.";

    /// <summary>Why the file that lies there is not what is served; null where it is.</summary>
    public string? Fault
    {
        get => _fault;
        set => _fault = value;
    }

    /// <summary>The version that is served; null where there is none.</summary>
    public string? Version => Volatile.Read(ref _current)?.Version;

    /// <summary>Takes the model for as long as the lease is not disposed of, whatever replaces it meanwhile.</summary>
    /// <returns>Null where there is no model.</returns>
    public ModelLease? Lease()
    {
        // Replaced and freed between the two lines: then there is another one.
        while (Volatile.Read(ref _current) is { } model)
        {
            if (model.TryUse())
                return new ModelLease(model);
        }
        return null;
    }

    /// <summary>Serves another model from now on. Computations under way end on the former one.</summary>
    public void Replace(ServedModel? model) => Interlocked.Exchange(ref _current, model)?.Release();

    /// <inheritdoc/>
    public void Dispose() => Replace(null);
}

/// <summary>The right to use a model until it is disposed of.</summary>
public sealed class ModelLease : IDisposable
{
    private readonly ServedModel _model;
    private int _ended;

    internal ModelLease(ServedModel model) => _model = model;

    /// <summary>The model.</summary>
    public ServedModel Model => Volatile.Read(ref _ended) == 0 ? _model : throw new ObjectDisposedException(nameof(ModelLease));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
            _model.Release();
    }
}
