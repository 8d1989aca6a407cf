using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace TorchSharp
{
    public static class FieldInfoExtensionMethods
    {
        /// <summary>The name under which a module's field is registered: its own, or that of its ComponentName attribute.</summary>
        public static string ComponentName(this FieldInfo field) =>
            field.GetCustomAttribute<Utils.ComponentNameAttribute>()?.Name ?? field.Name;
    }
}

namespace TorchSharp.Utils
{
    [AttributeUsage(AttributeTargets.Field)]
    public class ComponentNameAttribute : Attribute
    {
        public string? Name { get; set; }
    }

    /// <summary>A dictionary that remembers the order in which its entries came.</summary>
    public class OrderedDict<TKey, TValue> : IDictionary<TKey, TValue>, IList<(TKey, TValue)> where TKey : notnull
    {
        private readonly List<(TKey, TValue)> _list = [];
        private readonly Dictionary<TKey, TValue> _dictionary = [];

        public int Count => _list.Count;

        public bool IsReadOnly => false;

        public ICollection<TKey> Keys => _list.ConvertAll(item => item.Item1);

        public ICollection<TValue> Values => _list.ConvertAll(item => item.Item2);

        public TValue this[TKey key]
        {
            get => _dictionary[key];
            set
            {
                _dictionary[key] = value;
                var at = IndexOf(key);
                if (at >= 0) _list[at] = (key, value);
                else _list.Add((key, value));
            }
        }

        public (TKey, TValue) this[int index]
        {
            get => _list[index];
            set
            {
                _dictionary.Remove(_list[index].Item1);
                _dictionary.Add(value.Item1, value.Item2);
                _list[index] = value;
            }
        }

        public IEnumerable<TKey> keys() => Keys;

        public IEnumerable<TValue> values() => Values;

        public IEnumerator<(TKey, TValue)> items() => _list.GetEnumerator();

        public void Add(TKey key, TValue value)
        {
            _dictionary.Add(key, value);
            _list.Add((key, value));
        }

        public void Add((TKey, TValue) item) => Add(item.Item1, item.Item2);

        public void Add(KeyValuePair<TKey, TValue> item) => Add(item.Key, item.Value);

        public bool ContainsKey(TKey key) => _dictionary.ContainsKey(key);

        public bool Contains((TKey, TValue) item) => _list.Contains(item);

        public bool Contains(KeyValuePair<TKey, TValue> item) => _list.Contains((item.Key, item.Value));

        public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value) => _dictionary.TryGetValue(key, out value);

        public bool Remove(TKey key)
        {
            if (!_dictionary.Remove(key)) return false;
            _list.RemoveAt(IndexOf(key));
            return true;
        }

        public bool Remove((TKey, TValue) item) => Contains(item) && Remove(item.Item1);

        public bool Remove(KeyValuePair<TKey, TValue> item) => Remove((item.Key, item.Value));

        public void RemoveAt(int index)
        {
            _dictionary.Remove(_list[index].Item1);
            _list.RemoveAt(index);
        }

        public void Insert(int index, (TKey, TValue) item)
        {
            _dictionary.Add(item.Item1, item.Item2);
            _list.Insert(index, item);
        }

        public int IndexOf((TKey, TValue) item) => _list.IndexOf(item);

        public void Clear()
        {
            _dictionary.Clear();
            _list.Clear();
        }

        public void clear() => Clear();

        public void CopyTo((TKey, TValue)[] array, int arrayIndex) => _list.CopyTo(array, arrayIndex);

        public void CopyTo(KeyValuePair<TKey, TValue>[] array, int arrayIndex)
        {
            foreach (var (key, value) in _list) array[arrayIndex++] = new(key, value);
        }

        public IEnumerator<(TKey, TValue)> GetEnumerator() => _list.GetEnumerator();

        IEnumerator<KeyValuePair<TKey, TValue>> IEnumerable<KeyValuePair<TKey, TValue>>.GetEnumerator()
        {
            foreach (var (key, value) in _list) yield return new(key, value);
        }

        IEnumerator IEnumerable.GetEnumerator() => _list.GetEnumerator();

        private int IndexOf(TKey key) => _list.FindIndex(item => EqualityComparer<TKey>.Default.Equals(item.Item1, key));
    }
}
