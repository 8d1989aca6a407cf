namespace TorchSharp;

/// <summary>Holds what was made while it is the innermost scope of its thread, and disposes it at its own end.</summary>
public sealed class DisposeScope : IDisposable
{
    private readonly DisposeScopeManager _manager;
    private HashSet<IDisposable> _disposables = new(ReferenceEqualityComparer.Instance);

    internal DisposeScope(DisposeScopeManager manager)
    {
        _manager = manager;
        OuterScope = manager.Scopes.TryPeek(out var outer) ? outer : null;
    }

    internal DisposeScope? OuterScope { get; }

    public IReadOnlyList<IDisposable> DisposablesView => [.. _disposables];

    public int DisposablesCount => _disposables.Count;

    internal void Include(IDisposable disposable) => _disposables.Add(disposable);

    /// <summary>Puts a tensor in the place of another that was emptied into it.</summary>
    internal void Replace(torch.Tensor old, torch.Tensor fresh)
    {
        if (!_disposables.Remove(old)) return;
        _disposables.Add(fresh);
        old.OwningDisposeScope = null;
        fresh.OwningDisposeScope = this;
    }

    public bool Contains(IDisposable disposable) => _disposables.Contains(disposable);

    // ---- to the outer scope, or to another

    public T MoveToOuter<T>(T disposable) where T : IDisposable => MoveToOther(OuterScope, disposable);

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable =>
        MoveToOther(OuterScope, first, second);

    public (T1 first, T2 second, T3 third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable => MoveToOther(OuterScope, first, second, third);

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOther(OuterScope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveToOther(OuterScope, disposables);

    public T MoveToOther<T>(DisposeScope? scope, T disposable) where T : IDisposable
    {
        Move(scope, disposable);
        return disposable;
    }

    public (T1 first, T2 second) MoveToOther<T1, T2>(DisposeScope? scope, T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
    {
        Move(scope, first);
        Move(scope, second);
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) MoveToOther<T1, T2, T3>(DisposeScope? scope, T1 first, T2 second, T3 third)
        where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable
    {
        Move(scope, first);
        Move(scope, second);
        Move(scope, third);
        return (first, second, third);
    }

    public void MoveToOther(DisposeScope? scope, params IDisposable[] disposables) =>
        MoveToOther(scope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOther(DisposeScope? scope, IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables) Move(scope, disposable);
    }

    // ---- out of all scopes, and in

    public T Detach<T>(T disposable) where T : IDisposable
    {
        DetachOne(disposable);
        return disposable;
    }

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
    {
        DetachOne(first);
        DetachOne(second);
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) Detach<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable
    {
        DetachOne(first);
        DetachOne(second);
        DetachOne(third);
        return (first, second, third);
    }

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables) DetachOne(disposable);
    }

    public void Attach(IDisposable disposable)
    {
        if (disposable is torch.Tensor { OwningDisposeScope: null, IsInvalid: false }) _manager.Thread.DetachedFromScopeCount--;
        AddTo(this, disposable);
    }

    public void Attach(params IDisposable[] disposables) => Attach((IEnumerable<IDisposable>)disposables);

    public IReadOnlyList<IDisposable> Attach(IEnumerable<IDisposable> disposables)
    {
        var list = disposables as IReadOnlyList<IDisposable> ?? [.. disposables];
        foreach (var disposable in list) Attach(disposable);
        return list;
    }

    // ---- disposing

    public void DisposeEverything() => DisposeAllBut(new HashSet<IDisposable>(ReferenceEqualityComparer.Instance));

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep) =>
        DisposeAllBut(new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance));

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public T DisposeEverythingBut<T>(T keep) where T : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[keep]);
        return keep;
    }

    public (T1 first, T2 second) DisposeEverythingBut<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[first, second]);
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) DisposeEverythingBut<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[first, second, third]);
        return (first, second, third);
    }

    public void Dispose()
    {
        DisposeEverything();
        _manager.Remove(this);
    }

    public void MarkAsDisposed(IDisposable disposable)
    {
        _manager.Thread.DisposedInScopeCount++;
        _disposables.Remove(disposable);
        SetOwner(disposable, null);
    }

    private void DisposeAllBut(HashSet<IDisposable> kept)
    {
        var old = _disposables;
        _disposables = kept;
        foreach (var disposable in old)
        {
            if (kept.Count > 0 && kept.Contains(disposable)) continue;
            if (disposable is torch.Tensor tensor)
            {
                // Without an owner the tensor does not report back.
                tensor.OwningDisposeScope = null;
                if (!tensor.IsInvalid) _manager.Thread.DisposedInScopeCount++;
            }
            else
            {
                _manager.Thread.DisposedInScopeCount++;
            }
            disposable.Dispose();
        }
    }

    private void Move(DisposeScope? scope, IDisposable disposable)
    {
        if (_disposables.Remove(disposable)) AddTo(scope, disposable);
    }

    private void AddTo(DisposeScope? scope, IDisposable disposable)
    {
        if (scope is null) _manager.Thread.DetachedFromScopeCount++;
        else scope._disposables.Add(disposable);
        SetOwner(disposable, scope);
    }

    private void DetachOne(IDisposable disposable)
    {
        if (!_disposables.Remove(disposable)) return;
        _manager.Thread.DetachedFromScopeCount++;
        SetOwner(disposable, null);
    }

    private static void SetOwner(IDisposable disposable, DisposeScope? scope)
    {
        if (disposable is torch.Tensor tensor) tensor.OwningDisposeScope = scope;
    }
}

/// <summary>The dispose scopes of a thread, one within the other.</summary>
public class DisposeScopeManager
{
    [ThreadStatic] private static DisposeScopeManager? _current;

    public static ThreadDisposeScopeStatistics Statistics => Current.Thread;

    internal static DisposeScopeManager Current => _current ??= new DisposeScopeManager();

    internal ThreadDisposeScopeStatistics Thread { get; } = new();

    internal Stack<DisposeScope> Scopes { get; } = new();

    internal DisposeScope? Register(IDisposable disposable)
    {
        if (!Scopes.TryPeek(out var scope))
        {
            Thread.CreatedOutsideScopeCount++;
            return null;
        }
        Thread.CreatedInScopeCount++;
        scope.Include(disposable);
        return scope;
    }

    internal DisposeScope Push()
    {
        var scope = new DisposeScope(this);
        Scopes.Push(scope);
        return scope;
    }

    internal void Remove(DisposeScope scope)
    {
        System.Diagnostics.Debug.Assert(Scopes.Peek() == scope, "dispose scopes end in the reverse order of their beginning");
        Scopes.Pop();
    }
}

/// <summary>What happened to this thread's disposables.</summary>
public class ThreadDisposeScopeStatistics
{
    public long CreatedOutsideScopeCount { get; internal set; }

    public long CreatedInScopeCount { get; internal set; }

    public long DisposedInScopeCount { get; internal set; }

    public long DetachedFromScopeCount { get; internal set; }

    public long ThreadTotalLiveCount => CreatedInScopeCount - DisposedInScopeCount - DetachedFromScopeCount + CreatedOutsideScopeCount;

    public void Reset()
    {
        CreatedOutsideScopeCount = 0;
        CreatedInScopeCount = 0;
        DisposedInScopeCount = 0;
        DetachedFromScopeCount = 0;
    }
}
