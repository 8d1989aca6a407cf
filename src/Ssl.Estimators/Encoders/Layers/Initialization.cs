using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Layers whose initial weights come from a given generator.</summary>
internal static class Initialization
{
    /// <summary>A linear layer: weights uniform in +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010), bias 0.</summary>
    public static Linear Linear(long inputs, long outputs, Generator generator, bool hasBias = true)
    {
        var layer = nn.Linear(inputs, outputs, hasBias);
        double bound = Math.Sqrt(6.0 / (inputs + outputs));
        nn.init.uniform_(layer.weight, -bound, bound, generator);
        if (hasBias)
            nn.init.zeros_(layer.bias!);
        return layer;
    }

    /// <summary>A linear layer of a transformer: weights normal with the given deviation (BERT: 0.02), bias 0.</summary>
    public static Linear NormalLinear(long inputs, long outputs, double deviation, Generator generator)
    {
        var layer = nn.Linear(inputs, outputs);
        nn.init.normal_(layer.weight, 0, deviation, generator);
        nn.init.zeros_(layer.bias!);
        return layer;
    }

    /// <summary>An embedding table with normal entries.</summary>
    public static Embedding Embedding(long count, long dimension, double deviation, Generator generator)
    {
        var table = nn.Embedding(count, dimension);
        nn.init.normal_(table.weight!, 0, deviation, generator);
        return table;
    }
}
