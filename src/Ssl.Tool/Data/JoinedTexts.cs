using Microsoft.ML;

namespace Ssl.Tool.Data;

/// <summary>Several text columns as one: ML.NET's own stage, as docs/methods.md shows it.</summary>
internal static class JoinedTexts
{
    /// <summary>The columns in their order, a space between two.</summary>
    public static IEstimator<ITransformer> Join(MLContext mlContext, string name, IReadOnlyList<string> parts)
    {
        string[] parameters = [.. parts.Select((_, i) => $"t{i}")];
        return mlContext.Transforms.Expression(name, $"({string.Join(", ", parameters)}) => concat({string.Join(", \" \", ", parameters)})", [.. parts]);
    }
}
