using Microsoft.Extensions.AI;

namespace Ssl.Extensions.VectorData;

/// <summary>The types in which records hold a vector of Single.</summary>
internal static class VectorTypes
{
    /// <summary>Whether a type is one of them.</summary>
    public static bool IsVector(Type type)
        => Plain(type) is var plain && (plain == typeof(ReadOnlyMemory<float>) || plain == typeof(float[]) || plain == typeof(Embedding<float>));

    /// <summary>A vector as a value of a type.</summary>
    public static object Box(float[] vector, Type type)
        => Plain(type) is var plain && plain == typeof(float[]) ? vector
            : plain == typeof(Embedding<float>) ? new Embedding<float>(vector) : (ReadOnlyMemory<float>)vector;

    /// <summary>The values; null where there are none.</summary>
    public static ReadOnlyMemory<float>? Unbox(object? value) => value switch
    {
        ReadOnlyMemory<float> memory => memory,
        float[] array => array,
        Embedding<float> embedding => embedding.Vector,
        // Null alone would be an empty vector: it converts to an array, which converts to memory.
        _ => (ReadOnlyMemory<float>?)null,
    };

    private static Type Plain(Type type) => Nullable.GetUnderlyingType(type) ?? type;
}
