using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using LogisticModel = Microsoft.ML.Calibrators.CalibratedModelParametersBase<
    Microsoft.ML.Trainers.LinearBinaryModelParameters, Microsoft.ML.Calibrators.PlattCalibrator>;

namespace Microsoft.ML.Trainers;

/// <summary>Logistic regression.</summary>
public sealed class LbfgsLogisticRegressionBinaryTrainer
    : LbfgsTrainerBase<LbfgsLogisticRegressionBinaryTrainer.Options, BinaryPredictionTransformer<LogisticModel>, LogisticModel>
{
    internal LbfgsLogisticRegressionBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, options, MakeLabel(options.LabelColumnName, BooleanDataViewType.Instance, isKey: false))
    {
    }

    /// <summary>Goes on from a model that was trained before.</summary>
    public BinaryPredictionTransformer<LogisticModel> Fit(
        IDataView trainData, LinearModelParameters modelParameters) => Train(trainData, modelParameters);

    private protected override LogisticModel TrainModel(
        TrainingRows rows, DataViewType labelType, object initial, IChannel channel)
    {
        // Stops when the mean improvement of five iterations, relative to the value, falls below the tolerance.
        const int window = 5;
        var past = new Queue<float>(window);
        var parameters = Optimize(
            rows,
            1,
            RowLoss,
            state =>
            {
                if (past.Count < window)
                {
                    past.Enqueue(state.Value);
                    return false;
                }

                var improvement = (past.Dequeue() - state.Value) / window;
                past.Enqueue(state.Value);
                return improvement / Math.Abs(state.Value) < Tolerance || state.Iteration >= MaximumIterations;
            },
            initial is LinearModelParameters model ? [model.Bias, .. model.Weights] : null,
            channel);
        return new CalibratedModelParameters(new LinearBinaryModelParameters(parameters[0], parameters[1..]), new PlattCalibrator(-1, 0));
    }

    private protected override BinaryPredictionTransformer<LogisticModel> MakeTransformer(
        LogisticModel model, DataViewType featureType, DataViewSchema label) =>
        new(Host, model, FeatureColumn.Name, featureType, label);

    private protected override SchemaShape.Column[] OutputColumns(SchemaShape inputSchema) =>
    [
        ScalarOutput("Score", NumberDataViewType.Single),
        ScalarOutput("Probability", NumberDataViewType.Single, normalized: true),
        ScalarOutput("PredictedLabel", BooleanDataViewType.Instance),
    ];

    // log(1 + exp(-score)) for a positive row, log(1 + exp(score)) for a negative one.
    private static float RowLoss(Span<float> scores, float label)
    {
        var signed = label > 0 ? scores[0] : -scores[0];
        var loss = Math.Max(-signed, 0) + MathF.Log(1 + MathF.Exp(-Math.Abs(signed)));
        Contracts.Check(null, !float.IsNaN(loss), "Unexpected NaN");
        scores[0] = (1 / (1 + MathF.Exp(-scores[0]))) - (label > 0 ? 1 : 0);
        return loss;
    }

    public sealed class Options : OptionsBase
    {
        public bool ShowTrainingStatistics;
    }
}
