using Microsoft.ML.Data;
using Microsoft.ML.Numeric;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>Trainers that go through the rows in random order.</summary>
public abstract class StochasticTrainerBase<TTransformer, TModel> : TrainerEstimatorBase<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    private static readonly TrainerInfo _info = new(needNormalization: true, wantCaching: true);

    private protected StochasticTrainerBase(IHost host, string feature, SchemaShape.Column label, string weight)
        : base(host, feature, label, weight)
    {
    }

    public override TrainerInfo Info => _info;
}

/// <summary>Stochastic dual coordinate ascent (Shalev-Shwartz and Zhang, 2013), on one thread: repeatable.</summary>
public abstract class SdcaTrainerBase<TOptions, TTransformer, TModel> : StochasticTrainerBase<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
    where TOptions : SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
{
    private readonly TOptions _options;

    private protected SdcaTrainerBase(IHostEnvironment env, TOptions options, SchemaShape.Column label)
        : base(env.Register("SdcaTrainerBase"), options.FeatureColumnName, label, options.ExampleWeightColumnName)
    {
        Host.CheckUserArg(options.L2Regularization is null or >= 0, nameof(options.L2Regularization), "L2 constant must be non-negative.");
        Host.CheckUserArg(options.L1Regularization is null or >= 0, nameof(options.L1Regularization), "L1 threshold must be non-negative.");
        Host.CheckUserArg(options.MaximumNumberOfIterations is null or > 0, nameof(options.MaximumNumberOfIterations),
            "Max number of iterations must be positive.");
        Host.CheckUserArg(options.ConvergenceTolerance is > 0 and <= 1, nameof(options.ConvergenceTolerance),
            "Convergence tolerance must be positive and no larger than 1.");
        Host.CheckUserArg(options.NumberOfThreads is null or > 0, nameof(options.NumberOfThreads), "Must be positive");
        _options = options;
    }

    /// <summary>Bias first, then the weights. Without an L2 weight it is chosen by the number of rows; without an L1 weight it is
    /// 0.</summary>
    private protected float[] Ascend(TrainingRows rows, ISupportSdcaLoss loss)
    {
        Host.Check(rows.Count > 0, "Training set has 0 instances, aborting training.");
        var l2 = _options.L2Regularization ?? (rows.Count > 10_000 ? 1e-4f : rows.Count < 200 ? 1e-2f : 1e-3f);
        Host.CheckUserArg(l2 > 0, nameof(_options.L2Regularization), "L2 constant must be positive.");
        var l1 = _options.L1Regularization ?? 0;
        var iterations = _options.MaximumNumberOfIterations ?? Math.Clamp(10_000_000 / rows.Count, 20, 1000);
        var check = _options.ConvergenceCheckFrequency ?? Math.Max(1, iterations / 20);
        var state = new DualState(rows, loss, l1, l2);
        var order = Enumerable.Range(0, rows.Count).ToArray();
        for (var iteration = 1; iteration <= iterations; iteration++)
        {
            if (_options.Shuffle)
            {
                Host.Rand.Shuffle(order);
            }

            foreach (var row in order)
            {
                state.Update(row);
            }

            if (iteration % check == 0 && state.RelativeGap() < _options.ConvergenceTolerance)
            {
                break;
            }
        }

        return [state.Weights[^1], .. state.Weights.AsSpan(0, rows.FeatureCount)];
    }

    /// <summary>Settings of all such trainers.</summary>
    public abstract class OptionsBase : TrainerInputBaseWithWeight
    {
        public float? L2Regularization;
        public float? L1Regularization;
        public int? NumberOfThreads;
        public float ConvergenceTolerance = 0.1f;
        public int? MaximumNumberOfIterations;
        public bool Shuffle = true;
        public int? ConvergenceCheckFrequency;
        public float BiasLearningRate;

        private protected OptionsBase()
        {
        }
    }

    // The bias is the weight of one more slot that is always 1.
    private sealed class DualState
    {
        private readonly TrainingRows _rows;
        private readonly ISupportSdcaLoss _loss;
        private readonly float _l1;
        private readonly float _l2;
        private readonly float[] _duals;
        private readonly float[] _sums;
        private readonly float[] _norms;

        public DualState(TrainingRows rows, ISupportSdcaLoss loss, float l1, float l2)
        {
            (_rows, _loss, _l1, _l2) = (rows, loss, l1, l2);
            _duals = new float[rows.Count];
            _sums = new float[rows.FeatureCount + 1];
            Weights = new float[rows.FeatureCount + 1];
            _norms = [.. Enumerable.Range(0, rows.Count).Select(row => 1 + (rows.IsDense
                ? FloatMath.Dot(rows.Row(row), rows.Row(row))
                : FloatMath.Dot(rows.SparseValues(row), rows.SparseValues(row))))];
        }

        public float[] Weights { get; }

        public void Update(int row)
        {
            var scale = _rows.Weight(row) / (_l2 * _rows.Count);
            var invariant = _loss.ComputeDualUpdateInvariant(_norms[row] * scale);
            var update = _loss.DualUpdate(Output(row), _rows.Labels[row], _duals[row], invariant, 1);
            _duals[row] += update;
            var step = update * scale;
            if (_rows.IsDense)
            {
                var values = _rows.Row(row);
                for (var i = 0; i < values.Length; i++)
                {
                    Move(i, step * values[i]);
                }
            }
            else
            {
                var values = _rows.SparseValues(row);
                var indices = _rows.SparseIndices(row);
                for (var i = 0; i < values.Length; i++)
                {
                    Move(indices[i], step * values[i]);
                }
            }

            _sums[^1] += step;
            Weights[^1] = _sums[^1];
        }

        public double RelativeGap()
        {
            var (primal, dual) = (0d, 0d);
            for (var row = 0; row < _rows.Count; row++)
            {
                primal += _rows.Weight(row) * _loss.Loss(Output(row), _rows.Labels[row]);
                dual += _rows.Weight(row) * _loss.DualLoss(_rows.Labels[row], _duals[row]);
            }

            var penalty = _l2 * FloatMath.Dot(Weights, Weights) / 2;
            primal = (primal / _rows.Count) + penalty + (_l1 * Weights.AsSpan(0, _rows.FeatureCount).ToArray().Sum(Math.Abs));
            return primal > 0 ? (primal - (dual / _rows.Count) + penalty) / primal : 0;
        }

        private void Move(int slot, float amount)
        {
            // An L1 weight cuts everything below a threshold.
            _sums[slot] += amount;
            var size = Math.Abs(_sums[slot]) - (_l1 / _l2);
            Weights[slot] = _l1 == 0 ? _sums[slot] : size > 0 ? MathF.CopySign(size, _sums[slot]) : 0;
        }

        private float Output(int row)
        {
            if (_rows.IsDense)
            {
                return Weights[^1] + FloatMath.Dot(Weights.AsSpan(0, _rows.FeatureCount), _rows.Row(row));
            }

            var values = _rows.SparseValues(row);
            var indices = _rows.SparseIndices(row);
            var sum = Weights[^1];
            for (var i = 0; i < values.Length; i++)
            {
                sum += Weights[indices[i]] * values[i];
            }

            return sum;
        }
    }
}

/// <summary>Linear regression.</summary>
public sealed class SdcaRegressionTrainer
    : SdcaTrainerBase<SdcaRegressionTrainer.Options, RegressionPredictionTransformer<LinearRegressionModelParameters>,
        LinearRegressionModelParameters>
{
    private readonly ISupportSdcaRegressionLoss _loss;

    internal SdcaRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, options, MakeLabel(options.LabelColumnName, NumberDataViewType.Single, isKey: false)) =>
            _loss = options.LossFunction ?? new SquaredLoss();

    private protected override LinearRegressionModelParameters TrainModel(
        TrainingRows rows, DataViewType labelType, object initial, IChannel channel)
    {
        var parameters = Ascend(rows, _loss);
        return new LinearRegressionModelParameters(parameters[0], parameters[1..]);
    }

    private protected override RegressionPredictionTransformer<LinearRegressionModelParameters> MakeTransformer(
        LinearRegressionModelParameters model, DataViewType featureType, DataViewSchema label) =>
            new(Host, model, FeatureColumn.Name, featureType, label);

    private protected override SchemaShape.Column[] OutputColumns(SchemaShape inputSchema) =>
        [ScalarOutput("Score", NumberDataViewType.Single)];

    public sealed class Options : OptionsBase
    {
        public Options()
        {
            ConvergenceTolerance = 0.01f;
            BiasLearningRate = 1;
        }

        public ISupportSdcaRegressionLoss LossFunction { get; set; } = new SquaredLoss();
    }
}
