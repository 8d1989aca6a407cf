using System.Linq.Expressions;
using Microsoft.Extensions.VectorData.ProviderServices;
using Microsoft.Extensions.VectorData.ProviderServices.Filter;

namespace VectorStoreExample.SqliteVec;

/// <summary>A filter of records as a condition of SQL: comparisons of a property with a value, and what joins them.</summary>
internal sealed class SqliteVecFilter : FilterTranslatorBase
{
    private readonly List<object> _values = [];

    private SqliteVecFilter()
    {
    }

    /// <summary>Translates a filter.</summary>
    /// <returns>The condition, and the values of its parameters $p0, $p1, ….</returns>
    /// <exception cref="NotSupportedException">It has something else in it.</exception>
    public static (string Condition, IReadOnlyList<object> Values) Translate(LambdaExpression filter, CollectionModel model)
    {
        var translator = new SqliteVecFilter();
        var condition = translator.Condition(translator.PreprocessFilter(filter, model, new FilterPreprocessingOptions { SupportsParameterization = false }));
        return (condition, translator._values);
    }

    private string Condition(Expression expression) => expression switch
    {
        ConstantExpression { Value: bool value } => value ? "1" : "0",
        BinaryExpression { NodeType: ExpressionType.AndAlso } and => $"({Condition(and.Left)} AND {Condition(and.Right)})",
        BinaryExpression { NodeType: ExpressionType.OrElse } or => $"({Condition(or.Left)} OR {Condition(or.Right)})",
        UnaryExpression { NodeType: ExpressionType.Not } not => $"NOT ({Condition(not.Operand)})",
        BinaryExpression comparison when OperatorOf(comparison.NodeType) is { } sign => Compare(comparison.Left, sign, comparison.Right),
        _ when TryBindProperty(expression, out var flag) && flag.Type == typeof(bool) => $"{SqliteValues.Quoted(flag.StorageName)} = 1",
        _ => throw new NotSupportedException($"'{expression}' is not translated: compare properties with values, and join that by &&, || and !."),
    };

    private string Compare(Expression left, string sign, Expression right)
    {
        if (!TryBindProperty(left, out var property))
        {
            (left, right) = (right, left);
            sign = sign.Replace('<', '#').Replace('>', '<').Replace('#', '>');
            if (!TryBindProperty(left, out property))
                throw new NotSupportedException($"'{left}' is no property of the record.");
        }
        while (right is UnaryExpression { NodeType: ExpressionType.Convert } convert)
            right = convert.Operand;
        if (right is not ConstantExpression constant)
            throw new NotSupportedException($"'{right}' is no value.");
        var column = SqliteValues.Quoted(property.StorageName);
        if (constant.Value is null)
            return sign == "=" ? $"{column} IS NULL" : $"{column} IS NOT NULL";
        _values.Add(SqliteValues.ToSqlite(constant.Value));
        return $"{column} {sign} $p{_values.Count - 1}";
    }

    private static string? OperatorOf(ExpressionType type) => type switch
    {
        ExpressionType.Equal => "=",
        ExpressionType.NotEqual => "<>",
        ExpressionType.LessThan => "<",
        ExpressionType.LessThanOrEqual => "<=",
        ExpressionType.GreaterThan => ">",
        ExpressionType.GreaterThanOrEqual => ">=",
        _ => null,
    };
}
