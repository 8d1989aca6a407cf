using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms
{
    /// <summary>
    /// Computes a column by an expression. Here only a constant text: <c>x => "text"</c>. Everything else is refused by name.
    /// </summary>
    [LoadableTransformer(LoaderSignature)]
    public sealed class ExpressionTransformer : RowToRowTransformerBase
    {
        public const string LoaderSignature = "ExprTransform";

        private readonly string _output;
        private readonly string _expression;
        private readonly string[] _inputs;
        private readonly string _text;

        internal ExpressionTransformer(IHostEnvironment env, string output, string expression, string[] inputs)
            : base(env.Register(nameof(ExpressionTransformer)))
        {
            Host.CheckNonEmpty(output, "name");
            _output = output;
            _expression = expression;
            _inputs = inputs;
            _text = ConstantTextExpression.Parse(Host, expression, inputs.Length);
        }

        internal static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
            new ExpressionTransformer(env, ctx.Reader.ReadString(), ctx.Reader.ReadString(), ctx.ReadArray(ctx.Reader.ReadString));

        private protected override void SaveModel(ModelSaveContext ctx)
        {
            ctx.SetSignature(LoaderSignature);
            ctx.Writer.Write(_output);
            ctx.Writer.Write(_expression);
            ctx.WriteArray(_inputs, ctx.Writer.Write);
        }

        private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

        private sealed class Mapper : RowMapper
        {
            private readonly ExpressionTransformer _parent;
            private readonly int[] _sources;

            public Mapper(ExpressionTransformer parent, DataViewSchema schema)
                : base(schema)
            {
                _parent = parent;
                var columns = parent._inputs.Select(name => parent.Host.FindColumn(schema, name)).ToArray();
                foreach (var column in columns)
                {
                    if (column.Type is VectorDataViewType)
                    {
                        throw parent.Host.ExceptNotSupported(
                            $"Expression over the vector column '{column.Name}' is not supported here: only constant texts over scalars are.");
                    }
                }

                _sources = [.. columns.Select(column => column.Index)];
            }

            public override IEnumerable<int> Dependencies(int output) => _sources;

            public override Delegate MakeGetter(DataViewRow input, int output, out Action disposer)
            {
                disposer = null;
                var text = _parent._text.AsMemory();
                return (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = text);
            }

            protected override DataViewSchema.DetachedColumn[] MakeOutputs() => [new(_parent._output, TextDataViewType.Instance)];
        }
    }

    /// <summary>The estimator of <see cref="ExpressionTransformer"/>.</summary>
    public sealed class ExpressionEstimator : IEstimator<ExpressionTransformer>
    {
        private readonly IHost _host;
        private readonly string _output;
        private readonly string _expression;
        private readonly string[] _inputs;

        internal ExpressionEstimator(IHostEnvironment env, string output, string expression, string[] inputs)
        {
            _host = env.Register(nameof(ExpressionEstimator));
            _host.CheckNonEmpty(output, "outputColumnName");
            _host.CheckNonEmpty(expression, nameof(expression));
            _host.CheckParam(inputs is { Length: > 0 }, "inputColumnNames", "Input columns not specified");
            _output = output;
            _expression = expression;
            _inputs = inputs;
        }

        public ExpressionTransformer Fit(IDataView input)
        {
            _host.CheckValue(input, nameof(input));
            var result = new ExpressionTransformer(_host, _output, _expression, _inputs);
            result.GetOutputSchema(input.Schema);
            return result;
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            _host.CheckValue(inputSchema, nameof(inputSchema));
            foreach (var name in _inputs)
            {
                _host.FindColumn(inputSchema, name);
            }

            ConstantTextExpression.Parse(_host, _expression, _inputs.Length);
            return inputSchema.With(new SchemaShape.Column(_output, default, TextDataViewType.Instance, false));
        }
    }

    /// <summary>Reads <c>x => "text"</c>, <c>(x, y) : "text"</c> and the like.</summary>
    internal static class ConstantTextExpression
    {
        public static string Parse(IExceptionContext context, string expression, int inputs)
        {
            var at = 0;
            var parameters = Parameters(expression, ref at);
            SkipSpace(expression, ref at);
            if (parameters < 0 || !(Take(expression, "=>", ref at) || Take(expression, ":", ref at)))
            {
                throw Refuse(context, expression);
            }

            context.CheckParam(
                parameters == inputs,
                "expression",
                $"The expression has {parameters} parameters, but {inputs} input columns were given");
            SkipSpace(expression, ref at);
            if (at >= expression.Length || expression[at] != '"')
            {
                throw Refuse(context, expression);
            }

            var text = Literal(context, expression, ref at);
            SkipSpace(expression, ref at);
            if (at != expression.Length)
            {
                throw Refuse(context, expression);
            }

            // Literals are interned, like those of compiled code: the same text is the same object everywhere.
            return string.Intern(text);
        }

        private static string Literal(IExceptionContext context, string expression, ref int at)
        {
            var end = expression.AsSpan(at + 1).IndexOfAny("\"\\\n\r");
            if (end >= 0 && expression[at + 1 + end] == '"')
            {
                // The long texts of models have no escapes: one copy.
                var plain = expression.Substring(at + 1, end);
                at += end + 2;
                return plain;
            }

            var result = new System.Text.StringBuilder();
            for (at++; ;)
            {
                var current = at < expression.Length ? expression[at] : '\n';
                switch (current)
                {
                    case '"':
                        at++;
                        return result.ToString();
                    case '\n' or '\r' or '\u2028' or '\u2029' or '\u0085':
                        throw context.Except("Error in expression: Newline in constant");
                    case '\\':
                        at++;
                        result.Append(Escape(context, expression, ref at));
                        break;
                    default:
                        result.Append(current);
                        at++;
                        break;
                }
            }
        }

        private static string Escape(IExceptionContext context, string expression, ref int at)
        {
            var kind = at < expression.Length ? expression[at++] : '\0';
            var simple = "'\"\\0abfnrtv".IndexOf(kind);
            if (simple >= 0 && kind != '\0')
            {
                return "'\"\\\0\a\b\f\n\r\t\v"[simple].ToString();
            }

            var digits = kind switch { 'u' or 'x' or 'X' => 4, 'U' => 8, _ => 0 };
            var first = at;
            while (at < expression.Length && at - first < digits && char.IsAsciiHexDigit(expression[at]))
            {
                at++;
            }

            var complete = kind is 'x' or 'X' ? at > first : at - first == digits;
            if (digits == 0 || !complete)
            {
                throw context.Except("Error in expression: Bad escape sequence");
            }

            var code = Convert.ToUInt32(expression[first..at], 16);
            return code < 0x10000 ? ((char)code).ToString()
                : code <= 0x10FFFF ? char.ConvertFromUtf32((int)code)
                : throw context.Except("Error in expression: Bad escape sequence");
        }

        private static int Parameters(string expression, ref int at)
        {
            SkipSpace(expression, ref at);
            if (!Take(expression, "(", ref at))
            {
                return Identifier(expression, ref at) ? 1 : -1;
            }

            for (var count = 1; ; count++)
            {
                SkipSpace(expression, ref at);
                if (!Identifier(expression, ref at))
                {
                    return -1;
                }

                SkipSpace(expression, ref at);
                if (Take(expression, ")", ref at))
                {
                    return count;
                }

                if (!Take(expression, ",", ref at))
                {
                    return -1;
                }
            }
        }

        private static bool Identifier(string expression, ref int at)
        {
            var first = at;
            while (at < expression.Length
                && (char.IsLetter(expression[at]) || expression[at] == '_' || (at > first && char.IsDigit(expression[at]))))
            {
                at++;
            }

            return at > first;
        }

        private static void SkipSpace(string expression, ref int at)
        {
            while (at < expression.Length && char.IsWhiteSpace(expression[at]))
            {
                at++;
            }
        }

        private static bool Take(string expression, string token, ref int at)
        {
            if (string.CompareOrdinal(expression, at, token, 0, token.Length) != 0)
            {
                return false;
            }

            at += token.Length;
            return true;
        }

        private static Exception Refuse(IExceptionContext context, string expression) =>
            context.ExceptNotSupported(
                $"The expression '{(expression.Length > 60 ? expression[..60] + "..." : expression)}' is not supported here: " +
                "only constant texts such as x => \"text\" are.");
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Transforms;

    /// <summary>Columns computed by expressions.</summary>
    public static class ExpressionCatalog
    {
        public static ExpressionEstimator Expression(
            this TransformsCatalog catalog,
            string outputColumnName,
            string expression,
            params string[] inputColumnNames) =>
            new(catalog.Environment, outputColumnName, expression, inputColumnNames);
    }
}
