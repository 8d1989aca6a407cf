using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>Brings the input columns of a row into the neutral form that an encoder model takes.</summary>
internal sealed class RowReader
{
    private readonly Action<List<ReadOnlyMemory<char>>>[] _texts;
    private readonly Action<List<float>>[] _numbers;
    private readonly PixelReader? _pixels;
    private readonly int _pixelCount;
    private readonly List<float> _cells = [];
    private readonly List<ReadOnlyMemory<char>> _textCells = [];

    private RowReader(Action<List<ReadOnlyMemory<char>>>[] texts, Action<List<float>>[] numbers) => (_texts, _numbers) = (texts, numbers);

    private RowReader(PixelReader pixels, int pixelCount) : this([], []) => (_pixels, _pixelCount) = (pixels, pixelCount);

    /// <summary>A reader of these columns; the caller has checked that they are there and have types of their kinds.</summary>
    /// <param name="input">A row or cursor in which the columns are active.</param>
    /// <param name="columns">Their names.</param>
    /// <param name="kinds">Their kinds.</param>
    /// <param name="images">What images are brought to, where the one column holds images; null where none are read.</param>
    public static RowReader Open(DataViewRow input, IReadOnlyList<string> columns, IReadOnlyList<InputKind> kinds,
        ImageInput? images = null)
    {
        if (images is not null)
            return new(PixelColumn.Open(input, input.Schema[columns[0]], images.Shape, images.Maximum), images.Shape.Length);
        var all = columns.Select((name, i) => (Column: input.Schema[name], IsNumber: kinds[i] == InputKind.Number)).ToArray();
        return new(
            [.. all.Where(c => !c.IsNumber).Select(c => TextColumns.OpenCells(input, c.Column))],
            [.. all.Where(c => c.IsNumber).Select(c => NumberColumns.Open(input, c.Column))]);
    }

    /// <summary>The row on which the input now stands.</summary>
    /// <param name="buffer">Takes its values: the row is valid until another is read into it.</param>
    public RawRow Read(RowBuffer buffer)
    {
        if (_pixels is not null)
        {
            if (buffer.Pixels.Length != _pixelCount)
                buffer.Pixels = new byte[_pixelCount];
            // Black where there is no image, and where an image has gaps: it still has an embedding.
            buffer.Pixels.AsSpan().Clear();
            _pixels(buffer.Pixels);
            return new RawRow { Pixels = buffer.Pixels };
        }
        _textCells.Clear();
        foreach (var read in _texts)
            read(_textCells);
        var texts = buffer.Hold(_textCells);
        if (_numbers.Length == 0)
            return RawRow.OfTexts(texts);
        _cells.Clear();
        foreach (var read in _numbers)
            read(_cells);
        return new RawRow(buffer.Hold(_cells), texts);
    }
}
