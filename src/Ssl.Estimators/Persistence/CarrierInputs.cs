using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Persistence;

/// <summary>What reaches a carried model in a row: its state, and the input columns under fixed names.</summary>
internal interface ICarrierInput
{
    /// <summary>The model.</summary>
    VBuffer<ReadOnlyMemory<char>> State { get; }

    /// <summary>The row's input; valid until the next row is asked for.</summary>
    RawRow ToRow();
}

/// <summary>What reaches a model that reads texts.</summary>
internal sealed class TextsInput : ICarrierInput
{
    private ReadOnlyMemory<char>[] _texts = [];

    /// <inheritdoc/>
    [ColumnName(CarrierColumns.State)]
    public VBuffer<ReadOnlyMemory<char>> State { get; set; }

    /// <summary>The row's texts.</summary>
    [ColumnName(CarrierColumns.Texts)]
    public VBuffer<ReadOnlyMemory<char>> Texts { get; set; }

    /// <inheritdoc/>
    public RawRow ToRow() => RawRow.OfTexts(CarrierInputs.Dense(Texts, ref _texts));
}

/// <summary>What reaches a model that reads numbers.</summary>
internal sealed class NumbersInput : ICarrierInput
{
    private float[] _numbers = [];

    /// <inheritdoc/>
    [ColumnName(CarrierColumns.State)]
    public VBuffer<ReadOnlyMemory<char>> State { get; set; }

    /// <summary>The row's numbers.</summary>
    [ColumnName(CarrierColumns.Numbers)]
    public VBuffer<float> Numbers { get; set; }

    /// <inheritdoc/>
    public RawRow ToRow() => RawRow.OfNumbers(CarrierInputs.Dense(Numbers, ref _numbers));
}

/// <summary>What reaches a model that reads numbers and texts.</summary>
internal sealed class MixedInput : ICarrierInput
{
    private float[] _numbers = [];
    private ReadOnlyMemory<char>[] _texts = [];

    /// <inheritdoc/>
    [ColumnName(CarrierColumns.State)]
    public VBuffer<ReadOnlyMemory<char>> State { get; set; }

    /// <summary>The row's numbers.</summary>
    [ColumnName(CarrierColumns.Numbers)]
    public VBuffer<float> Numbers { get; set; }

    /// <summary>The row's texts.</summary>
    [ColumnName(CarrierColumns.Texts)]
    public VBuffer<ReadOnlyMemory<char>> Texts { get; set; }

    /// <inheritdoc/>
    public RawRow ToRow() => new(CarrierInputs.Dense(Numbers, ref _numbers), CarrierInputs.Dense(Texts, ref _texts));
}

/// <summary>What reaches a model that reads an image.</summary>
internal sealed class ImagesInput : ICarrierInput
{
    /// <inheritdoc/>
    [ColumnName(CarrierColumns.State)]
    public VBuffer<ReadOnlyMemory<char>> State { get; set; }

    /// <summary>The row's image.</summary>
    [ColumnName(CarrierColumns.Image)]
    public MLImage? Image { get; set; }

    /// <inheritdoc/>
    public RawRow ToRow() => new() { Image = Image };
}

/// <summary>Brings the input columns of a model to the fixed names under which a carried model reads them.</summary>
internal static class CarrierInputs
{
    /// <summary>The mapping's class of inputs by the kinds of the columns; its name is part of the contracts' names.</summary>
    public static CarrierForm FormOf(IReadOnlyList<InputKind> kinds)
        => kinds.Contains(InputKind.Image) ? CarrierForm.Images
        : !kinds.Contains(InputKind.Number) ? CarrierForm.Texts
        : kinds.All(kind => kind == InputKind.Number) ? CarrierForm.Numbers : CarrierForm.Mixed;

    /// <summary>The input columns, typed as the model would like them best; a loaded chain takes all that its kinds allow.</summary>
    public static DataViewSchema.DetachedColumn[] Columns(IReadOnlyList<string> names, IReadOnlyList<InputKind> kinds)
        => [.. names.Zip(kinds, Column).DistinctBy(column => column.Name)];

    /// <summary>The stages that bring the columns to <see cref="CarrierColumns.Texts"/> and <see cref="CarrierColumns.Numbers"/>.</summary>
    public static IEnumerable<IEstimator<ITransformer>> Fix(TransformsCatalog transforms, IReadOnlyList<string> names,
        IReadOnlyList<InputKind> kinds)
    {
        if (kinds.Contains(InputKind.Image))
        {
            yield return transforms.CopyColumns(CarrierColumns.Image, names[0]);
            yield break;
        }
        var columns = names.Zip(kinds, (name, kind) => (Name: name, Kind: kind))
            .Select((c, i) => (c.Name, c.Kind, Fixed: c.Kind == InputKind.Text ? c.Name : CarrierColumns.Converted(i))).ToArray();
        if (Pairs(InputKind.Key) is { Length: > 0 } keys)
        {
            yield return transforms.Conversion.MapKeyToValue(keys);
            yield return transforms.Conversion.ConvertType([.. keys.Select(pair => new InputOutputColumnPair(pair.OutputColumnName))],
                DataKind.String);
        }
        if (Pairs(InputKind.Number) is { Length: > 0 } numbers)
        {
            yield return transforms.Conversion.ConvertType(numbers, DataKind.Single);
            yield return transforms.Concatenate(CarrierColumns.Numbers, [.. numbers.Select(pair => pair.OutputColumnName)]);
        }
        if (columns.Where(c => c.Kind != InputKind.Number).Select(c => c.Fixed).ToArray() is { Length: > 0 } texts)
            yield return transforms.Concatenate(CarrierColumns.Texts, texts);

        InputOutputColumnPair[] Pairs(InputKind kind)
            => [.. columns.Where(c => c.Kind == kind).Select(c => new InputOutputColumnPair(c.Fixed, c.Name))];
    }

    /// <summary>All values of a vector, in a buffer that is kept from row to row.</summary>
    public static T[] Dense<T>(in VBuffer<T> values, ref T[] buffer)
    {
        if (buffer.Length != values.Length)
        {
            buffer = new T[values.Length];
        }

        values.CopyTo(buffer);
        return buffer;
    }

    private static DataViewSchema.DetachedColumn Column(string name, InputKind kind)
    {
        if (kind != InputKind.Key)
        {
            return new(name, kind switch
            {
                InputKind.Text => TextDataViewType.Instance,
                // The very object: estimators compare image types without a size by reference.
                InputKind.Image => SchemaDefinition.Create(typeof(ImagesInput))[CarrierColumns.Image].ColumnType,
                _ => NumberDataViewType.Single,
            });
        }

        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.Add("KeyValues", new VectorDataViewType(TextDataViewType.Instance, 1),
            static (ref VBuffer<ReadOnlyMemory<char>> value) => value = new VBuffer<ReadOnlyMemory<char>>(1, [default]));
        return new(name, new KeyDataViewType(typeof(uint), 1), annotations.ToAnnotations());
    }
}

/// <summary>Which of the fixed columns a carried model reads.</summary>
internal enum CarrierForm
{
    /// <summary><see cref="TextsInput"/>.</summary>
    Texts,

    /// <summary><see cref="NumbersInput"/>.</summary>
    Numbers,

    /// <summary><see cref="MixedInput"/>.</summary>
    Mixed,

    /// <summary><see cref="ImagesInput"/>.</summary>
    Images,
}
