using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Reporting;

/// <summary>A row as a person knows it.</summary>
/// <param name="Html">For the page.</param>
/// <param name="Plain">In a few words, for whoever points at it.</param>
internal sealed record ShownRow(string Html, string Plain);

/// <summary>Shows rows by what an encoder reads of them, or by a column that was named.</summary>
internal sealed class RowDisplay
{
    private const int MostCells = 6, MostCharacters = 280, MostPlain = 80;

    private readonly RowFormat _format;
    private readonly string? _column;

    /// <param name="format">What the encoder reads.</param>
    /// <param name="column">The column that was named; null takes what the encoder reads.</param>
    public RowDisplay(RowFormat format, string? column) => (_format, _column) = (format, column);

    /// <summary>Throws unless a column can be shown.</summary>
    public static void CheckColumn(DataViewSchema schema, string name)
    {
        ColumnShape.Find(schema, name, "display");
        if (schema[name].Type is not (TextDataViewType or KeyDataViewType or NumberDataViewType or BooleanDataViewType or DateTimeDataViewType))
        {
            throw Check.SchemaMismatch("display", name, "String, Key, a number, Boolean or DateTime", schema[name].Type.ToString()!,
                "Name another column, or none: then rows are shown by what the encoder reads.");
        }
    }

    /// <summary>Shows some rows.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="numbers">Which, from 0.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Dictionary<int, ShownRow> Read(IDataView data, IEnumerable<int> numbers, CancellationToken cancellationToken)
    {
        var wanted = numbers.ToHashSet();
        var shown = new Dictionary<int, ShownRow>();
        using var cursor = data.GetRowCursor(Columns(data.Schema));
        var show = Open(cursor);
        for (var row = 0; shown.Count < wanted.Count && cursor.MoveNext(); row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (wanted.Contains(row))
                shown.Add(row, show());
        }
        return shown;
    }

    private IEnumerable<DataViewSchema.Column> Columns(DataViewSchema schema) => _column is not null ? [schema[_column]]
        : _format is TableRowFormat ? _format.Columns.Take(MostCells).Select(name => schema[name]) : _format.ActiveColumns(schema);

    private Func<ShownRow> Open(DataViewRow row)
    {
        if (_column is not null)
        {
            var cell = Cell(row, _column);
            return () => OfText(cell());
        }
        if (_format is TableRowFormat)
        {
            var cells = _format.Columns.Take(MostCells).Select(name => (Name: name, Text: Cell(row, name))).ToArray();
            return () => OfText(string.Join(", ", cells.Select(cell => $"{cell.Name} {cell.Text()}")));
        }
        var (read, buffer) = (_format.Open(row), new RowBuffer());
        return () =>
        {
            var raw = read(buffer);
            string[] texts = [.. Enumerable.Range(0, raw.Texts.Length).Select(i => raw.Texts.Span[i].ToString())];
            var words = OfText(string.Join(" | ", texts));
            if (ShapeOf(_format) is { } shape)
                return new ShownRow($"{Picture(raw.Pixels.Span, shape, words.Plain)} {words.Html}", words.Plain.Length > 0 ? words.Plain : $"row {row.Position}");
            return texts.Length > 0 ? words : OfNumbers(raw.Numbers.Span, row.Position);
        };
    }

    private static ImageShape? ShapeOf(RowFormat format) => format switch
    {
        ImageRowFormat images => images.Factory.Shape,
        ImageTextRowFormat both => both.Images.Factory.Shape,
        _ => null,
    };

    private static Func<string> Cell(DataViewRow row, string name)
    {
        var (read, buffer) = (RowReader.Open(row, [name]), new RowBuffer());
        var isTime = row.Schema[name].Type is DateTimeDataViewType;
        var isBoolean = row.Schema[name].Type is BooleanDataViewType;
        return () =>
        {
            var raw = read(buffer);
            if (raw.Texts.Length > 0)
                return string.Join(" ", raw.Texts.ToArray());
            var numbers = raw.Numbers.Span;
            if (isTime)
                return double.IsFinite(numbers[0]) ? DateTime.UnixEpoch.AddSeconds(numbers[0]).ToString("u", CultureInfo.InvariantCulture) : "";
            if (isBoolean)
                return numbers[0] != 0 ? "true" : "false";
            var some = numbers[..Math.Min(4, numbers.Length)].ToArray().Select(number => number.ToString("G6", CultureInfo.InvariantCulture));
            return string.Join(" ", some) + (numbers.Length > 4 ? " …" : "");
        };
    }

    private static ShownRow OfText(string text) => new(Page.Encode(Words.Short(text, MostCharacters)), Words.Short(text, MostPlain));

    private static ShownRow OfNumbers(ReadOnlySpan<double> numbers, long row)
    {
        var values = new float[numbers.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)numbers[i];
        return new ShownRow($"{Charts.Sparkline($"The values of row {row}", values)}", $"row {row}");
    }

    // As the encoder sees it.
    private static string Picture(ReadOnlySpan<byte> pixels, ImageShape shape, string description)
    {
        var plane = shape.Height * shape.Width;
        var target = new byte[4 * plane];
        for (var i = 0; i < plane; i++)
        {
            for (var channel = 0; channel < 3; channel++)
                target[4 * i + channel] = pixels[(shape.Channels >= 3 ? channel : 0) * plane + i];
            target[4 * i + 3] = shape.Channels == 4 ? pixels[3 * plane + i] : byte.MaxValue;
        }
        using var image = SKImage.FromPixelCopy(new SKImageInfo(shape.Width, shape.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul), target);
        using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return $"<img src=\"data:image/png;base64,{Convert.ToBase64String(png.AsSpan())}\" width=\"{shape.Width}\" height=\"{shape.Height}\" alt=\"{Page.Encode(description)}\" />";
    }
}
