using System.Globalization;
using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Data;

/// <summary>The scaled values of many time series, one after the other: four bytes a value; NaN where there is none.</summary>
/// <param name="scaling">Brings values to the common scale.</param>
/// <param name="minimumLength">Batches are padded to at least so many timestamps.</param>
internal sealed class SeriesRows(SeriesScaling scaling, int minimumLength) : RowStore
{
    // A list holds at most Array.MaxLength items.
    private const int Margin = 1 << 24;

    private readonly int _channels = scaling.Channels;
    private List<float> _values = [];
    private List<int> _ends = [];

    /// <inheritdoc/>
    public override int Count => _ends.Count;

    /// <inheritdoc/>
    public override long Bytes => 4L * (_values.Count + _ends.Count);

    /// <inheritdoc/>
    public override bool IsFull => _values.Count > Array.MaxLength - Margin;

    /// <inheritdoc/>
    public override string Content => string.Create(CultureInfo.InvariantCulture, $"{_values.Count:N0} values");

    /// <inheritdoc/>
    public override int Length(int row) => Values(row).Length / _channels;

    /// <summary>Adds a series, channel by channel.</summary>
    /// <param name="series">As many values a channel.</param>
    public void Add(ReadOnlySpan<float> series)
    {
        var length = series.Length / _channels;
        for (var i = 0; i < series.Length; i++)
            _values.Add(scaling.Scale(series[i], i / length));
        _ends.Add(_values.Count);
    }

    /// <inheritdoc/>
    public override void KeepOnly(ReadOnlySpan<int> rows)
    {
        var (values, ends) = (new List<float>(), new List<int>(rows.Length));
        foreach (var row in rows)
        {
            values.AddRange(Values(row));
            ends.Add(values.Count);
        }
        (_values, _ends) = (values, ends);
    }

    /// <inheritdoc/>
    public override SeriesBatch ToBatch(ReadOnlySpan<int> rows)
    {
        var longest = Math.Max(1, minimumLength);
        foreach (var row in rows)
            longest = Math.Max(longest, Length(row));
        var values = zeros(rows.Length, _channels, longest, dtype: ScalarType.Float32);
        var mask = zeros(rows.Length, longest, dtype: ScalarType.Bool);
        var observed = zeros(rows.Length, longest, dtype: ScalarType.Bool);
        var cells = MemoryMarshal.Cast<byte, float>(values.bytes);
        var maskCells = mask.bytes;
        var observedCells = observed.bytes;
        for (var i = 0; i < rows.Length; i++)
        {
            var series = Values(rows[i]);
            var length = series.Length / _channels;
            // A series of nothing still has an embedding: that of one missing value.
            maskCells.Slice(i * longest, Math.Max(1, length)).Fill(1);
            for (var channel = 0; channel < _channels; channel++)
            {
                var target = cells.Slice((i * _channels + channel) * longest, length);
                for (var t = 0; t < length; t++)
                {
                    if (float.IsNaN(series[channel * length + t]))
                        continue;
                    target[t] = series[channel * length + t];
                    observedCells[i * longest + t] = 1;
                }
            }
        }
        return new SeriesBatch(values, mask, observed);
    }

    private ReadOnlySpan<float> Values(int row)
    {
        var start = row == 0 ? 0 : _ends[row - 1];
        return CollectionsMarshal.AsSpan(_values)[start.._ends[row]];
    }
}
