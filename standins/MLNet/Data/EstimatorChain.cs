using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data
{
    /// <summary>Estimators one after the other: each is fitted on what those before it make of the data.</summary>
    public sealed class EstimatorChain<TLastTransformer> : IEstimator<TransformerChain<TLastTransformer>>
        where TLastTransformer : class, ITransformer
    {
        private readonly IHostEnvironment _environment;
        private readonly IEstimator<ITransformer>[] _estimators;
        private readonly TransformerScope[] _scopes;
        private readonly bool[] _cacheAfter;

        public readonly IEstimator<TLastTransformer> LastEstimator;

        public EstimatorChain()
            : this(null, [], [], [])
        {
        }

        internal EstimatorChain(IHostEnvironment env, IEstimator<ITransformer>[] estimators, TransformerScope[] scopes, bool[] cacheAfter)
        {
            _environment = env;
            _estimators = estimators;
            _scopes = scopes;
            _cacheAfter = cacheAfter;
            LastEstimator = estimators.LastOrDefault() as IEstimator<TLastTransformer>;
        }

        public TransformerChain<TLastTransformer> Fit(IDataView input)
        {
            Contracts.CheckValue(null, input, nameof(input));

            // Ask every estimator about the schema first: a chain that cannot work says so before anything is trained.
            GetOutputSchema(SchemaShape.Create(input.Schema));
            var transformers = new ITransformer[_estimators.Length];
            var current = input;
            for (var i = 0; i < _estimators.Length; i++)
            {
                transformers[i] = _estimators[i].Fit(current);
                current = transformers[i].Transform(current);
                if (_cacheAfter[i] && i < _estimators.Length - 1)
                {
                    current = new CacheDataView(_environment, current, null);
                }
            }

            return new TransformerChain<TLastTransformer>(transformers, _scopes);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) =>
            _estimators.Aggregate(inputSchema, (shape, estimator) => estimator.GetOutputSchema(shape));

        public EstimatorChain<TNewTrans> Append<TNewTrans>(
            IEstimator<TNewTrans> estimator,
            TransformerScope scope = TransformerScope.Everything)
            where TNewTrans : class, ITransformer
        {
            Contracts.CheckValue(null, estimator, nameof(estimator));
            return new EstimatorChain<TNewTrans>(
                _environment,
                [.. _estimators, (IEstimator<ITransformer>)estimator],
                [.. _scopes, scope],
                [.. _cacheAfter, false]);
        }

        public EstimatorChain<TLastTransformer> AppendCacheCheckpoint(IHostEnvironment env)
        {
            Contracts.CheckValue(null, env, nameof(env));
            if (_estimators.Length == 0 || _cacheAfter[^1])
            {
                // A second checkpoint in a row, or one before anything, changes nothing.
                return this;
            }

            return new EstimatorChain<TLastTransformer>(_environment ?? env, _estimators, _scopes, [.. _cacheAfter[..^1], true]);
        }
    }
}

namespace Microsoft.ML
{
    using Microsoft.ML.Data;

    /// <summary>Puts estimators and transformers behind one another.</summary>
    public static class LearningPipelineExtensions
    {
        public static EstimatorChain<TTrans> Append<TTrans>(
            this IEstimator<ITransformer> start,
            IEstimator<TTrans> estimator,
            TransformerScope scope = TransformerScope.Everything)
            where TTrans : class, ITransformer
        {
            Contracts.CheckValue(null, start, nameof(start));
            Contracts.CheckValue(null, estimator, nameof(estimator));
            if (start is EstimatorChain<ITransformer> chain)
            {
                return chain.Append(estimator, scope);
            }

            return new EstimatorChain<ITransformer>().Append(start).Append(estimator, scope);
        }

        public static EstimatorChain<TTrans> AppendCacheCheckpoint<TTrans>(this IEstimator<TTrans> start, IHostEnvironment env)
            where TTrans : class, ITransformer => new EstimatorChain<ITransformer>().Append(start).AppendCacheCheckpoint(env);

        public static TransformerChain<TTrans> Append<TTrans>(this ITransformer start, TTrans transformer)
            where TTrans : class, ITransformer
        {
            Contracts.CheckValue(null, start, nameof(start));
            Contracts.CheckValue(null, transformer, nameof(transformer));
            if (start is TransformerChain<ITransformer> chain)
            {
                return chain.Append(transformer);
            }

            return new TransformerChain<TTrans>(start, transformer);
        }

        public static IEstimator<TTransformer> WithOnFitDelegate<TTransformer>(
            this IEstimator<TTransformer> estimator,
            Action<TTransformer> onFit)
            where TTransformer : class, ITransformer
        {
            Contracts.CheckValue(null, estimator, nameof(estimator));
            Contracts.CheckValue(null, onFit, nameof(onFit));
            return new DelegateEstimator<TTransformer>(estimator, onFit);
        }

        private sealed class DelegateEstimator<TTransformer>(
            IEstimator<TTransformer> estimator,
            Action<TTransformer> onFit) : IEstimator<TTransformer>
            where TTransformer : class, ITransformer
        {
            public TTransformer Fit(IDataView input)
            {
                var transformer = estimator.Fit(input);
                onFit(transformer);
                return transformer;
            }

            public SchemaShape GetOutputSchema(SchemaShape inputSchema) => estimator.GetOutputSchema(inputSchema);
        }
    }
}
