using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>A copy, in host memory, of a module's weights and buffers as they were after the epoch of the lowest validation loss.</summary>
internal sealed class BestWeights : IDisposable
{
    private readonly Dictionary<string, Tensor> _copies = [];

    /// <summary>The epoch of the copy, from 1; 0 while there is none.</summary>
    public int Epoch { get; private set; }

    /// <summary>The tensors by their names in the module; on the CPU.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _copies;

    /// <summary>Copies a module's weights and buffers, into the memory of the copy before.</summary>
    /// <param name="module">The module; always the same one.</param>
    /// <param name="epoch">Number of its epoch, from 1.</param>
    public void Take(nn.Module module, int epoch) => Take(module.state_dict(), epoch);

    /// <summary>Copies tensors read from a checkpoint.</summary>
    /// <param name="tensors">The tensors by their names in the module.</param>
    /// <param name="epoch">Number of their epoch, from 1.</param>
    public void Take(IReadOnlyDictionary<string, Tensor> tensors, int epoch)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach ((string name, Tensor value) in tensors)
        {
            if (_copies.TryGetValue(name, out Tensor? copy))
                copy.copy_(value);
            else
                _copies[name] = value.detach().to(CPU, copy: true).DetachFromDisposeScope();
        }
        Epoch = epoch;
    }

    /// <summary>Puts the copy back into the module.</summary>
    public void Restore(nn.Module module) => Copy(_copies, module);

    /// <summary>Copies named tensors into a module's weights and buffers of these names.</summary>
    public static void Copy(IReadOnlyDictionary<string, Tensor> source, nn.Module module)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach ((string name, Tensor value) in module.state_dict())
            value.copy_(source[name]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor copy in _copies.Values)
            copy.Dispose();
        _copies.Clear();
        Epoch = 0;
    }
}
