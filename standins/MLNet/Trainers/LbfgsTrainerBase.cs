using Microsoft.ML.Data;
using Microsoft.ML.Numeric;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>Linear models trained by L-BFGS.</summary>
public abstract class LbfgsTrainerBase<TOptions, TTransformer, TModel> : TrainerEstimatorBase<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
    where TOptions : LbfgsTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
{
    private static readonly TrainerInfo _info = new(needNormalization: true, wantCaching: true);
    private readonly TOptions _options;

    private protected LbfgsTrainerBase(IHostEnvironment env, TOptions options, SchemaShape.Column label)
        : base(env.Register("LbfgsTrainerBase"), options.FeatureColumnName, label, options.ExampleWeightColumnName)
    {
        Host.CheckUserArg(
            options.NumberOfThreads is null or > 0, nameof(options.NumberOfThreads), "Must be positive (or empty for default)");
        Host.CheckUserArg(options.L2Regularization >= 0, nameof(options.L2Regularization), "Must be non-negative");
        Host.CheckUserArg(options.L1Regularization >= 0, nameof(options.L1Regularization), "Must be non-negative");
        Host.CheckUserArg(options.OptimizationTolerance > 0, nameof(options.OptimizationTolerance), "Must be positive");
        Host.CheckUserArg(options.HistorySize > 0, nameof(options.HistorySize), "Must be positive");
        Host.CheckUserArg(options.MaximumNumberOfIterations > 0, nameof(options.MaximumNumberOfIterations), "Must be positive");
        _options = options;
    }

    public override TrainerInfo Info => _info;

    private protected float Tolerance => _options.OptimizationTolerance;
    private protected int MaximumIterations => _options.MaximumNumberOfIterations;

    /// <summary>Parameters: a bias for each output, then a row of weights for each output.</summary>
    private protected float[] Optimize(
        TrainingRows rows, int outputs, RowLoss loss, Func<LbfgsOptimizer, bool> terminate, float[] initial, IChannel channel)
    {
        Host.Check(rows.Count > 0, "No valid training instances found, all instances have missing features.");
        var size = outputs * (rows.FeatureCount + 1);
        if (initial == null)
        {
            initial = new float[size];
            for (var i = 0; _options.InitialWeightsDiameter > 0 && i < size; i++)
            {
                initial[i] = _options.InitialWeightsDiameter * (Host.Rand.NextSingle() - 0.5f);
            }
        }

        Host.Check(initial.Length == size, "The initialization predictor has different number of features than the training data.");
        var objective = new LinearObjective(rows, outputs, _options.L2Regularization, loss, _options.NumberOfThreads);
        var optimizer = new LbfgsOptimizer(
            objective.Evaluate, _options.HistorySize, outputs, _options.L1Regularization / rows.Count, _options.EnforceNonNegativity);
        try
        {
            optimizer.Minimize(initial, terminate);
        }
        catch (PrematureConvergenceException e)
        {
            if (!_options.Quiet)
            {
                channel.Warning(MessageSensitivity.None,
                    "Premature convergence occurred. The OptimizationTolerance may be set too small. {0}", e.Message);
            }
        }

        return optimizer.Point;
    }

    /// <summary>Settings of all L-BFGS trainers.</summary>
    public abstract class OptionsBase : TrainerInputBaseWithWeight
    {
        public float L2Regularization = 1;
        public float L1Regularization = 1;
        public float OptimizationTolerance = 1e-7f;
        public int HistorySize = 20;
        public int MaximumNumberOfIterations = int.MaxValue;
        public bool Quiet;
        public float InitialWeightsDiameter;
        public int? NumberOfThreads;
        public bool DenseOptimizer;
        public bool EnforceNonNegativity;

        protected OptionsBase()
        {
        }
    }
}
