using System.Diagnostics;

namespace Microsoft.ML.Runtime;

/// <summary>What all hosts of one context share.</summary>
internal sealed class EnvironmentRoot
{
    public int? Seed { get; init; }
    public ComponentCatalog Catalog { get; } = new();
    public Action<string, ChannelMessage> Dispatch { get; set; }
    public string TempFilePath { get; set; } = Path.GetTempPath();
    public int? GpuDeviceId { get; set; }
    public bool FallbackToCpu { get; set; }
}

/// <summary>An environment that knows the context's settings (closed to outsiders).</summary>
internal interface IRootedEnvironment : IHostEnvironment
{
    EnvironmentRoot Root { get; }
}

/// <summary>The environment of a context and, registered from it, of its components. Randomness is handed down in order of
/// registration.</summary>
internal sealed class HostEnvironment : IHost, IRootedEnvironment
{
    private readonly string _shortName;
    private readonly string _parentFullName;
    private readonly HostEnvironment _master;
    private readonly Lock _lock = new();

    public HostEnvironment(EnvironmentRoot root)
    {
        Root = root;
        Rand = TauswortheHybrid.Create(root.Seed);
    }

    private HostEnvironment(HostEnvironment master, string shortName, string parentFullName, Random rand)
    {
        Root = master.Root;
        _master = master;
        _shortName = shortName;
        _parentFullName = parentFullName;
        Rand = rand;
    }

    public EnvironmentRoot Root { get; }
    public Random Rand { get; }
    public ComponentCatalog ComponentCatalog => Root.Catalog;
    public string ContextDescription => FullName;

    private string FullName => string.IsNullOrEmpty(_parentFullName) ? _shortName : $"{_parentFullName}; {_shortName}";

    public IHost Register(string name, int? seed = null, bool? verbose = null)
    {
        this.CheckNonEmpty(name, nameof(name));
        lock (_lock)
        {
            var rand = seed is { } value ? new TauswortheHybrid((uint)value) : new TauswortheHybrid(Rand);
            return new HostEnvironment(this, name, _master?.FullName, rand);
        }
    }

    public IChannel Start(string name)
    {
        this.CheckNonEmpty(name, nameof(name));
        return new Channel(this, name);
    }

    public IPipe<TMessage> StartPipe<TMessage>(string name)
    {
        this.CheckNonEmpty(name, nameof(name));
        return typeof(TMessage) == typeof(ChannelMessage) ? (IPipe<TMessage>)Start(name) : new Pipe<TMessage>(this);
    }

    public IProgressChannel StartProgressChannel(string name)
    {
        this.CheckNonEmpty(name, nameof(name));
        return new ProgressChannel();
    }

    public TException Process<TException>(TException ex)
        where TException : Exception
    {
        if (ex != null)
        {
            ex.Data["Throwing component"] = _shortName;
            ex.Data["Parent component"] = _parentFullName;
        }

        return ex;
    }

    // Nobody listens to other pipes or to progress channels: only channel messages reach a context's Log.
    private sealed class Pipe<TMessage>(HostEnvironment host) : IPipe<TMessage>
    {
        public string ContextDescription => host.ContextDescription;

        public TException Process<TException>(TException ex)
            where TException : Exception => host.Process(ex);

        public void Send(TMessage msg)
        {
        }

        public void Dispose()
        {
        }
    }

    private sealed class Channel : IChannel
    {
        private readonly HostEnvironment _host;
        private readonly string _name;
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private bool _disposed;

        public Channel(HostEnvironment host, string name)
        {
            _host = host;
            _name = name;
            Trace(MessageSensitivity.None, "Channel started");
        }

        public string ContextDescription => FullName;

        private string FullName => string.IsNullOrEmpty(_host.FullName) ? _name : $"{_host.FullName}; {_name}";

        public void Send(ChannelMessage msg) => _host.Root.Dispatch?.Invoke(FullName, msg);
        public void Trace(MessageSensitivity sensitivity, string fmt) => Send(new(ChannelMessageKind.Trace, sensitivity, fmt));
        public void Trace(MessageSensitivity sensitivity, string fmt, params object[] args) =>
            Send(new(ChannelMessageKind.Trace, sensitivity, fmt, args));
        public void Error(MessageSensitivity sensitivity, string fmt) => Send(new(ChannelMessageKind.Error, sensitivity, fmt));
        public void Error(MessageSensitivity sensitivity, string fmt, params object[] args) =>
            Send(new(ChannelMessageKind.Error, sensitivity, fmt, args));
        public void Warning(MessageSensitivity sensitivity, string fmt) => Send(new(ChannelMessageKind.Warning, sensitivity, fmt));
        public void Warning(MessageSensitivity sensitivity, string fmt, params object[] args) =>
            Send(new(ChannelMessageKind.Warning, sensitivity, fmt, args));
        public void Info(MessageSensitivity sensitivity, string fmt) => Send(new(ChannelMessageKind.Info, sensitivity, fmt));
        public void Info(MessageSensitivity sensitivity, string fmt, params object[] args) =>
            Send(new(ChannelMessageKind.Info, sensitivity, fmt, args));

        public TException Process<TException>(TException ex)
            where TException : Exception
        {
            _host.Process(ex);
            if (ex != null)
            {
                ex.Data["Phase"] = _name;
            }

            return ex;
        }

        public void Dispose()
        {
            if (!_disposed)
            {
                _disposed = true;
                Trace(MessageSensitivity.None, "Channel disposed. Elapsed {0:c}.", _watch.Elapsed);
            }
        }
    }

    private sealed class ProgressChannel : IProgressChannel
    {
        public IProgressChannel StartProgressChannel(string name) => new ProgressChannel();

        public void SetHeader(ProgressHeader header, Action<IProgressEntry> fillAction)
        {
        }

        public void Checkpoint(params double?[] values)
        {
        }

        public void Dispose()
        {
        }
    }
}
