using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Ssl.Estimators.Transformers;

/// <summary>What all stages made with one context keep to when they score.</summary>
internal sealed class ScoringSettings
{
    /// <summary>900,000 embeddings of 128 numbers.</summary>
    public const int DefaultMemoryLimit = 512;

    private static readonly ConditionalWeakTable<MLContext, ScoringSettings> s_settings = [];

    private readonly MLContext _mlContext;
    private int _memoryLimit = DefaultMemoryLimit;

    private ScoringSettings(MLContext mlContext) => _mlContext = mlContext;

    /// <summary>Megabytes in which one view keeps its results; 0 keeps none.</summary>
    public int MemoryLimit
    {
        get => Volatile.Read(ref _memoryLimit);
        set
        {
            if (value < 0)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "EmbeddingMemoryLimit must be at least 0 megabytes "
                    + $"(0 keeps no embedding), got {value}.");
            }
            Volatile.Write(ref _memoryLimit, value);
        }
    }

    /// <summary>Those of a context.</summary>
    public static ScoringSettings Of(MLContext mlContext) => s_settings.GetValue(mlContext, static context => new ScoringSettings(context));

    /// <summary>Warns through the context's log. Draws nothing from its random numbers, as a host of its own would.</summary>
    public void Warn(string text)
    {
        using var channel = ((IChannelProvider)_mlContext).Start("Score");
        channel.Warning(MessageSensitivity.None, "{0}", text);
    }
}
