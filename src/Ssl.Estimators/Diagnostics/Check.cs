namespace Ssl.Estimators.Diagnostics;

/// <summary>The exceptions of ML.NET for schemas and data, with its sentences: what its own components throw, ours throw too.</summary>
/// <remarks>Strings only, so that code without ML.NET can use it. The methods make the exception; the caller throws it.</remarks>
internal static class Check
{
    /// <summary>The parameter that ML.NET names in a schema fault.</summary>
    public const string InputSchema = "inputSchema";

    /// <summary>"Could not find input column 'A'".</summary>
    /// <param name="role">What the column is for, as ML.NET says it: input, label, feature, score.</param>
    /// <param name="column">Name of the column.</param>
    /// <param name="available">Names of the columns that are there; they are listed behind the sentence, at most ten of them.</param>
    public static ArgumentOutOfRangeException MissingColumn(string role, string column, IEnumerable<string>? available = null)
        => new(InputSchema, $"Could not find {role} column '{column}'{Listed(available)}");

    /// <summary>"Schema mismatch for input column 'F': expected Vector&lt;Single&gt;, got String".</summary>
    /// <param name="role">What the column is for, as ML.NET says it: input, label, feature, score.</param>
    /// <param name="column">Name of the column.</param>
    /// <param name="expected">The type that is allowed, in ML.NET's words.</param>
    /// <param name="actual">The type that came, in ML.NET's words.</param>
    /// <param name="advice">What to do, a full sentence; optional.</param>
    public static ArgumentOutOfRangeException SchemaMismatch(string role, string column, string expected, string actual,
        string? advice = null)
        => new(InputSchema, $"Schema mismatch for {role} column '{column}': expected {expected}, got {actual}"
            + (advice is null ? "" : $". {advice}"));

    /// <summary>Several schema faults in one exception.</summary>
    /// <param name="faults">Exceptions made by the other methods; at least one.</param>
    public static ArgumentOutOfRangeException SchemaFaults(IReadOnlyList<ArgumentOutOfRangeException> faults)
        => faults.Count == 1
            ? faults[0]
            : new(InputSchema, string.Join(" ", faults.Select(fault => Sentence(fault).TrimEnd('.') + ".")));

    /// <summary>There is nothing to learn from.</summary>
    /// <param name="what">Why, as the end of the sentence; optional: "every text is empty".</param>
    public static InvalidOperationException NoTrainingData(string? what = null)
        => new(what is null ? "Training data has no rows. Give Fit a data view with at least one row."
            : $"Training data has nothing to learn from: {what}.");

    /// <summary>What an exception says, without the " (Parameter 'inputSchema')" that its message ends with.</summary>
    public static string Sentence(ArgumentException fault)
    {
        string suffix = $" (Parameter '{fault.ParamName}')";
        return fault.Message.EndsWith(suffix, StringComparison.Ordinal) ? fault.Message[..^suffix.Length] : fault.Message;
    }

    private static string Listed(IEnumerable<string>? available)
    {
        if (available is null)
            return "";
        string[] names = [.. available.Take(11)];
        if (names.Length == 0)
            return ". The data has no columns";
        string list = string.Join(", ", names.Take(10).Select(name => $"'{name}'"));
        return $". Columns there: {list}{(names.Length > 10 ? ", ..." : "")}";
    }
}
