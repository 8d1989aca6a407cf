using System.Collections;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static unsafe partial class torch
    {
        public static partial class nn
        {
            public static Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);

            public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(modules);

            public static Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new([.. modules]);

            public static Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => new([.. modules]);

            public static ModuleList<Module> ModuleList(params Module[] modules) => new(modules);

            public static ModuleList<T> ModuleList<T>(params T[] modules) where T : Module => new(modules);

            public static ModuleDict<Module> ModuleDict(params (string, Module)[] modules) => ModuleDict<Module>(modules);

            public static ModuleDict<T> ModuleDict<T>(params (string, T)[] modules) where T : Module
            {
                var result = new ModuleDict<T>();
                foreach (var module in modules) result.Add(module);
                return result;
            }
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Modules one after the other.</summary>
    public class Sequential : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.IModule<Tensor, Tensor>> _modules = [];

        protected internal Sequential(params (string name, nn.Module<Tensor, Tensor> submodule)[] modules) : base(nameof(Sequential))
        {
            foreach (var (key, module) in modules) Add(key, module);
        }

        protected internal Sequential(params nn.Module<Tensor, Tensor>[] modules) : base(nameof(Sequential))
        {
            foreach (var module in modules) append(module);
        }

        private Sequential(IEnumerable<nn.IModule<Tensor, Tensor>> modules) : base(nameof(Sequential))
        {
            foreach (var module in modules) append(module);
        }

        public int Count => _modules.Count;

        [System.Runtime.CompilerServices.IndexerName("SequentialItems")]
        public nn.IModule<Tensor, Tensor> this[int index] => _modules[index];

        [System.Runtime.CompilerServices.IndexerName("SequentialItems")]
        public Sequential this[Range index] => new(_modules.Take(index));

        [System.Runtime.CompilerServices.IndexerName("SequentialItems")]
        public Sequential this[(int? start, int? end) index] => this[(index.start ?? 0)..(index.end ?? Count)];

        public Sequential append(string name, nn.IModule<Tensor, Tensor> module)
        {
            Add(name, module);
            return this;
        }

        public Sequential append(nn.IModule<Tensor, Tensor> module) =>
            append(Count.ToString(System.Globalization.CultureInfo.InvariantCulture), module);

        public override Tensor forward(Tensor input)
        {
            if (_modules.Count == 0) return input.alias();
            var result = _modules[0].call(input);
            for (var k = 1; k < _modules.Count; k++)
            {
                var next = _modules[k].call(result);
                result.Dispose();
                result = next;
            }
            return result;
        }

        private void Add(string name, nn.IModule<Tensor, Tensor> module)
        {
            register_module(name, (nn.Module)module);
            _modules.Add(module);
        }
    }

    /// <summary>Modules by number.</summary>
    public class ModuleList<T> : nn.Module, IList<T> where T : nn.Module
    {
        private readonly List<T> _list = [];

        public ModuleList(params T[] modules) : base(nameof(ModuleList<>)) => append(modules);

        public int Count => _list.Count;

        public bool IsReadOnly => false;

        public T this[int index]
        {
            get => _list[index];
            set
            {
                _list[index] = value;
                Renumber();
            }
        }

        public void append(params T[] parameters)
        {
            foreach (var module in parameters) Add(module);
        }

        public void extend(IEnumerable<T> modules)
        {
            foreach (var module in modules) Add(module);
        }

        public void Add(T item)
        {
            register_module(_list.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), item);
            _list.Add(item);
        }

        public void Insert(int index, T item)
        {
            _list.Insert(index, item);
            Renumber();
        }

        public bool Remove(T item)
        {
            var removed = _list.Remove(item);
            if (removed) Renumber();
            return removed;
        }

        public void RemoveAt(int index)
        {
            _list.RemoveAt(index);
            Renumber();
        }

        public void Clear()
        {
            _list.Clear();
            Renumber();
        }

        public bool Contains(T item) => _list.Contains(item);

        public void CopyTo(T[] array, int arrayIndex) => _list.CopyTo(array, arrayIndex);

        public int IndexOf(T item) => _list.IndexOf(item);

        public IEnumerator<T> GetEnumerator() => _list.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        // The components are the list's items only.
        protected override void RegisterComponents()
        {
        }

        private void Renumber()
        {
            ClearModules();
            for (var k = 0; k < _list.Count; k++) register_module(k.ToString(System.Globalization.CultureInfo.InvariantCulture), _list[k]);
        }
    }

    /// <summary>Modules by name.</summary>
    public class ModuleDict<T> : nn.Module, IEnumerable<(string, T)> where T : nn.Module
    {
        private readonly Utils.OrderedDict<string, T> _items = [];

        public ModuleDict() : base(nameof(ModuleDict<>))
        {
        }

        public int Count => _items.Count;

        public ICollection<string> Keys => _items.Keys;

        public ICollection<T> Values => _items.Values;

        public T this[string key]
        {
            get => _items[key];
            set
            {
                register_module(key, null!);
                register_module(key, value);
                _items[key] = value;
            }
        }

        public void Add(string key, T value)
        {
            register_module(key, value);
            _items.Add(key, value);
        }

        public void Add((string, T) item) => Add(item.Item1, item.Item2);

        public bool ContainsKey(string key) => _items.ContainsKey(key);

        public bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T value) =>
            _items.TryGetValue(key, out value);

        public bool Remove(string key)
        {
            register_module(key, null!);
            return _items.Remove(key);
        }

        public IEnumerable<string> keys() => Keys;

        public IEnumerable<T> values() => Values;

        public IEnumerator<(string, T)> GetEnumerator() => _items.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        protected override void RegisterComponents()
        {
        }
    }
}
