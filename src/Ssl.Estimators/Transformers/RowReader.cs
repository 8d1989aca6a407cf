using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>Brings the input columns of a row into the neutral form that an encoder model takes.</summary>
internal sealed class RowReader
{
    private readonly Action<List<ReadOnlyMemory<char>>>[] _texts;
    private readonly Action<List<float>>[] _numbers;
    private readonly List<float> _cells = [];
    private readonly List<ReadOnlyMemory<char>> _textCells = [];

    private RowReader(Action<List<ReadOnlyMemory<char>>>[] texts, Action<List<float>>[] numbers) => (_texts, _numbers) = (texts, numbers);

    /// <summary>A reader of these columns; the caller has checked that they are there and have types of their kinds.</summary>
    /// <param name="input">A row or cursor in which the columns are active.</param>
    /// <param name="columns">Their names.</param>
    /// <param name="kinds">Their kinds.</param>
    /// <param name="images">What images are brought to; null where none are read.</param>
    public static RowReader Open(DataViewRow input, IReadOnlyList<string> columns, IReadOnlyList<InputKind> kinds,
        ImageInput? images = null)
    {
        var all = columns.Select((name, i) => (Column: input.Schema[name], IsNumber: kinds[i] is InputKind.Number or InputKind.Image))
            .ToArray();
        return new(
            [.. all.Where(c => !c.IsNumber).Select(c => TextColumns.OpenCells(input, c.Column))],
            [.. all.Where(c => c.IsNumber).Select(c => Numbers(input, c.Column, images))]);
    }

    private static Action<List<float>> Numbers(DataViewRow input, DataViewSchema.Column column, ImageInput? images)
    {
        if (images is null || column.Type is not ImageDataViewType)
            return NumberColumns.Open(input, column);
        var read = LoadedImageColumn.Open(input, column, images.Shape);
        var (pixels, scale) = (new byte[images.Shape.Length], images.Maximum / 255);
        return cells =>
        {
            if (!read(pixels))
                return;
            foreach (var pixel in pixels)
                cells.Add(pixel * scale);
        };
    }

    /// <summary>The row on which the input now stands; its memory is its own.</summary>
    public RawRow Read()
    {
        _textCells.Clear();
        foreach (var read in _texts)
            read(_textCells);
        ReadOnlyMemory<char>[] texts = [.. _textCells];
        if (_numbers.Length == 0)
            return RawRow.OfTexts(texts);
        _cells.Clear();
        foreach (var read in _numbers)
            read(_cells);
        return new RawRow(_cells.ToArray(), texts);
    }
}
