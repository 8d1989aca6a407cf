using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>The cells of N table rows: C scaled numbers with an indicator of the missing ones, and K categories.</summary>
public sealed class TableBatch : Batch
{
    /// <summary>A batch of these tensors, which it owns from then on.</summary>
    /// <param name="numbers">Scaled numbers, Single [N, C]; 0 where missing.</param>
    /// <param name="missing">Bool [N, C]: true where there is no number.</param>
    /// <param name="codes">Entries of the categories, int64 [N, K]; <see cref="TableLayout.MissingCode"/> where missing.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public TableBatch(Tensor numbers, Tensor missing, Tensor codes)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        ArgumentNullException.ThrowIfNull(missing);
        ArgumentNullException.ThrowIfNull(codes);
        if (numbers.dim() != 2 || codes.dim() != 2 || !numbers.shape.SequenceEqual(missing.shape) || numbers.shape[0] != codes.shape[0])
        {
            throw new ArgumentException($"Numbers and missing must be [N, C] and codes [N, K], got [{string.Join(", ", numbers.shape)}], "
                + $"[{string.Join(", ", missing.shape)}] and [{string.Join(", ", codes.shape)}].", nameof(codes));
        }
        Numbers = numbers;
        Missing = missing;
        Codes = codes;
    }

    /// <summary>Scaled numbers, Single [N, C].</summary>
    public Tensor Numbers { get; }

    /// <summary>Bool [N, C]: true where there is no number, or where it is hidden.</summary>
    public Tensor Missing { get; }

    /// <summary>Entries of the categories, int64 [N, K].</summary>
    public Tensor Codes { get; }

    /// <inheritdoc/>
    public override long Count => Numbers.shape[0];

    /// <summary>Which categories are missing or hidden, bool [N, K].</summary>
    internal Tensor MissingCodes => Codes.eq(Number(TableLayout.MissingCode));

    /// <inheritdoc/>
    public override TableBatch To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Numbers.device.type == device.type && (device.index < 0 || Numbers.device.index == device.index)
            ? this : new TableBatch(DeviceCopy.Of(Numbers, device), DeviceCopy.Of(Missing, device), DeviceCopy.Of(Codes, device));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Numbers.Dispose();
        Missing.Dispose();
        Codes.Dispose();
    }

    /// <summary>Some rows that follow each other.</summary>
    internal TableBatch Part(long first, long count) => new(Numbers.narrow(0, first, count), Missing.narrow(0, first, count), Codes.narrow(0, first, count));

    /// <summary>The rows of several batches, one batch after the other.</summary>
    internal static TableBatch Concatenate(params TableBatch[] batches)
    {
        using var scope = NewDisposeScope();
        return new TableBatch(cat([.. batches.Select(b => b.Numbers)]), cat([.. batches.Select(b => b.Missing)]),
            cat([.. batches.Select(b => b.Codes)])).MoveToOuterScope();
    }

    /// <summary>The same batch with some cells hidden: a hidden cell looks like a missing one.</summary>
    /// <param name="numbers">Bool [N, C]: which numbers.</param>
    /// <param name="codes">Bool [N, K]: which categories.</param>
    internal TableBatch Hide(Tensor numbers, Tensor codes)
    {
        using var scope = NewDisposeScope();
        return new TableBatch(Numbers.masked_fill(numbers, Number(0)), Missing.logical_or(numbers),
            Codes.masked_fill(codes, Number(TableLayout.MissingCode))).MoveToOuterScope();
    }

    /// <summary>Hands the tensors to the dispose scope around the present one.</summary>
    internal TableBatch MoveToOuterScope()
    {
        Numbers.MoveToOuterDisposeScope();
        Missing.MoveToOuterDisposeScope();
        Codes.MoveToOuterDisposeScope();
        return this;
    }
}
