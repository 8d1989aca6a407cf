using Microsoft.ML.Data;

namespace Microsoft.ML.Runtime;

/// <summary>
/// Makes (does not throw) exceptions of the types and sentences that callers know:
/// <c>throw host.ExceptSchemaMismatch(nameof(inputSchema), "input", name)</c>.
/// </summary>
internal static class Contracts
{
    public static void CheckValue<T>(this IExceptionContext context, T value, string name)
        where T : class
    {
        if (value == null)
        {
            throw context.ExceptValue(name);
        }
    }

    public static void CheckNonEmpty(this IExceptionContext context, string value, string name)
    {
        if (string.IsNullOrEmpty(value))
        {
            throw context.ExceptParam(name, $"{name} cannot be null or empty");
        }
    }

    public static void CheckNonWhiteSpace(this IExceptionContext context, string value, string name)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            throw context.ExceptParam(name, $"{name} cannot be null or white space");
        }
    }

    public static void CheckParam(this IExceptionContext context, bool condition, string name, string message = null)
    {
        if (!condition)
        {
            throw context.ExceptParam(name, message);
        }
    }

    public static void CheckUserArg(this IExceptionContext context, bool condition, string name, string message = null) =>
        context.CheckParam(condition, name, message);

    public static void Check(this IExceptionContext context, bool condition, string message = null)
    {
        if (!condition)
        {
            throw context.Except(message);
        }
    }

    public static void CheckDecode(this IExceptionContext context, bool condition, string message = null)
    {
        if (!condition)
        {
            throw context.ExceptDecode(message ?? "Corrupt model file");
        }
    }

    public static Exception Except(this IExceptionContext context, string message = null, Exception inner = null) =>
        Mark(context, message == null && inner == null ? new InvalidOperationException() : new InvalidOperationException(message, inner));

    public static Exception ExceptNotSupported(this IExceptionContext context, string message) =>
        Mark(context, new NotSupportedException(message));

    public static Exception ExceptValue(this IExceptionContext context, string name, string message = null) =>
        Mark(context, message == null ? new ArgumentNullException(name) : new ArgumentNullException(name, message));

    public static Exception ExceptParam(this IExceptionContext context, string name, string message = null) =>
        Mark(context, message == null ? new ArgumentOutOfRangeException(name) : new ArgumentOutOfRangeException(name, message));

    public static Exception ExceptUserArg(this IExceptionContext context, string name, string message = null) =>
        context.ExceptParam(name, message);

    public static Exception ExceptDecode(this IExceptionContext context, string message, Exception inner = null) =>
        Mark(context, new FormatException(message, inner));

    /// <summary>"Could not find {role} column '{name}'".</summary>
    public static Exception ExceptSchemaMismatch(this IExceptionContext context, string parameter, string role, string column) =>
        context.ExceptParam(parameter, $"Could not find {role} column '{column}'");

    /// <summary>"Schema mismatch for {role} column '{name}': expected {expected}, got {actual}".</summary>
    public static Exception ExceptSchemaMismatch(
        this IExceptionContext context,
        string parameter,
        string role,
        string column,
        string expected,
        string actual) =>
        context.ExceptParam(parameter, $"Schema mismatch for {role} column '{column}': expected {expected}, got {actual}");

    /// <summary>The column of that name, or the sentence that says it is missing.</summary>
    public static DataViewSchema.Column FindColumn(
        this IExceptionContext context,
        DataViewSchema schema,
        string name,
        string role = "input",
        string parameter = "inputSchema") =>
        schema.GetColumnOrNull(name) ?? throw context.ExceptSchemaMismatch(parameter, role, name);

    /// <summary>The same for a shape.</summary>
    public static SchemaShape.Column FindColumn(
        this IExceptionContext context,
        SchemaShape schema,
        string name,
        string role = "input",
        string parameter = "inputSchema") =>
        schema.TryFindColumn(name, out var column) ? column : throw context.ExceptSchemaMismatch(parameter, role, name);

    private static Exception Mark(IExceptionContext context, Exception exception) =>
        context == null ? exception : context.Process(exception);
}
