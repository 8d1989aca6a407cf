using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training.Optimizers;

/// <summary>A trained parameter and what AdamW remembers of it.</summary>
internal sealed class AdamWParameter : IDisposable
{
    /// <summary>Takes a parameter into the optimizer's care; the parameter stays its module's own.</summary>
    /// <param name="name">Its name in the module.</param>
    /// <param name="value">The parameter; its device is the state's device.</param>
    /// <param name="rate">How fast it learns.</param>
    public AdamWParameter(string name, Parameter value, ParameterRate rate)
    {
        Name = name;
        Value = value;
        Rate = rate;
        Decays = IsDecayed(name, value.ndim);
        using var noGrad = no_grad();
        Average = zeros_like(value).DetachFromDisposeScope();
        SquareAverage = zeros_like(value).DetachFromDisposeScope();
    }

    /// <summary>Name in the module, such as "encoder.layers.0.weight".</summary>
    public string Name { get; }

    /// <summary>The parameter.</summary>
    public Parameter Value { get; }

    /// <summary>Whether weight decay applies to it.</summary>
    public bool Decays { get; }

    /// <summary>How fast it learns.</summary>
    public ParameterRate Rate { get; }

    /// <summary>Moving average of the gradient; shape of the parameter.</summary>
    public Tensor Average { get; private set; }

    /// <summary>Moving average of the squared gradient; shape of the parameter.</summary>
    public Tensor SquareAverage { get; private set; }

    /// <summary>Updates this parameter has had; steps in which it had no gradient do not count.</summary>
    public long Steps { get; set; }

    /// <summary>
    /// Whether a parameter is decayed: matrices and larger are, except those of norms; biases, gains and other vectors are not,
    /// since shrinking them regularizes nothing (Loshchilov and Hutter decay all; GPT, BERT and MAE code leaves these out).
    /// </summary>
    /// <param name="name">Name in the module.</param>
    /// <param name="rank">Number of dimensions.</param>
    public static bool IsDecayed(string name, long rank)
    {
        if (rank <= 1)
            return false;
        string[] parts = name.Split('.');
        if (parts[^1] is "bias")
            return false;
        return !parts.Any(part => part.Contains("norm", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Moves value and state into parts of larger vectors, which are then changed there.</summary>
    /// <param name="value">As many elements as the parameter has.</param>
    /// <param name="average">As many.</param>
    /// <param name="squareAverage">As many.</param>
    public void MoveInto(Tensor value, Tensor average, Tensor squareAverage)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long[] shape = Value.shape;
        Value.set_(value.view(shape).copy_(Value));
        (Tensor formerAverage, Tensor formerSquareAverage) = (Average, SquareAverage);
        Average = average.view(shape).copy_(formerAverage).DetachFromDisposeScope();
        SquareAverage = squareAverage.view(shape).copy_(formerSquareAverage).DetachFromDisposeScope();
        formerAverage.Dispose();
        formerSquareAverage.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Average.Dispose();
        SquareAverage.Dispose();
    }
}
