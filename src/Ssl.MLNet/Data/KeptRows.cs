using System.Collections;
using System.Runtime.ExceptionServices;

namespace Ssl.MLNet.Data;

/// <summary>
/// The rows of a source that can be read once, for any number of readers: each row is kept when the first reader comes to it, and no row is read before.
/// </summary>
/// <param name="source">Asked once.</param>
internal sealed class KeptRows<T>(IEnumerable<T> source) : IEnumerable<T>
{
    private readonly List<T> _rows = [];
    private readonly Lock _lock = new();
    private IEnumerator<T>? _rest;
    private bool _ended;
    private ExceptionDispatchInfo? _fault;

    public IEnumerator<T> GetEnumerator()
    {
        for (var i = 0; TryGet(i, out var row); i++)
            yield return row;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private bool TryGet(int index, out T row)
    {
        lock (_lock)
        {
            while (index >= _rows.Count && !_ended)
                ReadOne();
            if (index < _rows.Count)
            {
                row = _rows[index];
                return true;
            }
            // Half of the rows must not pass for all of them in the next pass.
            _fault?.Throw();
            row = default!;
            return false;
        }
    }

    private void ReadOne()
    {
        try
        {
            _rest ??= source.GetEnumerator();
            if (_rest.MoveNext())
            {
                _rows.Add(_rest.Current);
                return;
            }
        }
        catch (Exception e)
        {
            _fault = ExceptionDispatchInfo.Capture(e);
        }
        _ended = true;
        _rest?.Dispose();
        _rest = null;
    }
}
