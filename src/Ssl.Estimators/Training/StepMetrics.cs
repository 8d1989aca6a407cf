using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>The numbers of one step, read back from the device.</summary>
/// <param name="Step">The step in its epoch, from 1.</param>
/// <param name="Samples">Its rows.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="Loss">Its loss.</param>
/// <param name="Names">Names of the parts of the loss.</param>
/// <param name="Terms">The parts of the loss.</param>
/// <param name="GradientNorm">Norm of the gradients before clipping, where measured.</param>
/// <param name="Spread">Embedding spread, where measured.</param>
internal sealed record StepNumbers(long Step, long Samples, double LearningRate, float Loss, IReadOnlyList<string> Names,
    float[] Terms, float? GradientNorm, float? Spread);

/// <summary>Keeps the steps' numbers on the device and reads many back at once, since each reading waits for the device.</summary>
/// <param name="capacity">Steps after which <see cref="IsFull"/> is true: 1 on the CPU, where reading costs nothing.</param>
internal sealed class StepMetrics(int capacity) : IDisposable
{
    private readonly List<Pending> _pending = [];
    private string[] _names = [];

    /// <summary>Whether it is time to read.</summary>
    public bool IsFull => _pending.Count >= capacity;

    /// <summary>Takes in a step; waits for nothing.</summary>
    /// <param name="step">The step in its epoch, from 1.</param>
    /// <param name="samples">Its rows.</param>
    /// <param name="learningRate">Its learning rate.</param>
    /// <param name="loss">Its loss.</param>
    /// <param name="gradientNorm">Norm of the gradients, or <see langword="null"/>.</param>
    /// <param name="spread">Embedding spread, or <see langword="null"/>.</param>
    public void Add(long step, long samples, double learningRate, StepLoss loss, Tensor? gradientNorm, Tensor? spread)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        if (_names.Length != loss.Terms.Count)
            _names = [.. loss.Terms.Select(term => term.Name)];
        var values = new List<Tensor>(loss.Terms.Count + 3) { loss.Total };
        values.AddRange(loss.Terms.Select(term => term.Value));
        if (gradientNorm is not null)
            values.Add(gradientNorm);
        if (spread is not null)
            values.Add(spread);
        Tensor row = stack(values.Select(Scalar)); // [values]

        // Most are what they must be; a number that a method made on the host joins the others.
        Tensor Scalar(Tensor value) => value.dtype == ScalarType.Float32 && value.ndim == 0 && value.device_type == loss.Total.device_type
            ? value : value.to(ScalarType.Float32).to(loss.Total.device).reshape([]);

        _pending.Add(new Pending(step, samples, learningRate, _names, gradientNorm is not null, spread is not null,
            row.DetachFromDisposeScope()));
    }

    /// <summary>The mean loss of the rows of all batches, read from the device at once; NaN without any.</summary>
    /// <param name="losses">Rows of each batch and their mean loss, a scalar.</param>
    public static double Mean(IReadOnlyList<(long Rows, Tensor Mean)> losses)
    {
        if (losses.Count == 0)
            return double.NaN;
        using var scope = NewDisposeScope();
        float[] means = MemoryMarshal.Cast<byte, float>(stack(losses.Select(loss => loss.Mean.to(ScalarType.Float32))).cpu().bytes).ToArray();
        return losses.Zip(means, (loss, mean) => loss.Rows * (double)mean).Sum() / losses.Sum(loss => loss.Rows);
    }

    /// <summary>Reads what was taken in since the last reading, in order.</summary>
    public IReadOnlyList<StepNumbers> Read()
    {
        if (_pending.Count == 0)
            return [];
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor all = _pending.Count == 1 ? _pending[0].Values : cat([.. _pending.Select(pending => pending.Values)]);
        // Not data<T>(): its accessor would hold an alias of the tensor until it is finalised.
        float[] values = MemoryMarshal.Cast<byte, float>(all.cpu().bytes).ToArray();
        var numbers = new StepNumbers[_pending.Count];
        int next = 0;
        for (int i = 0; i < numbers.Length; i++)
        {
            Pending pending = _pending[i];
            float loss = values[next++];
            float[] terms = values[next..(next += pending.Names.Length)];
            float? norm = pending.HasNorm ? values[next++] : null;
            float? spread = pending.HasSpread ? values[next++] : null;
            numbers[i] = new StepNumbers(pending.Step, pending.Samples, pending.LearningRate, loss, pending.Names, terms, norm, spread);
        }
        Dispose();
        return numbers;
    }

    /// <summary>Frees what was not read.</summary>
    public void Dispose()
    {
        foreach (Pending pending in _pending)
            pending.Values.Dispose();
        _pending.Clear();
    }

    private sealed record Pending(long Step, long Samples, double LearningRate, string[] Names, bool HasNorm, bool HasSpread,
        Tensor Values);
}
