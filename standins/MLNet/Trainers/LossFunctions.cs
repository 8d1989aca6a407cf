namespace Microsoft.ML.Trainers;

/// <summary>What a wrong output costs.</summary>
public interface ILossFunction<in TOutput, in TLabel>
{
    double Loss(TOutput output, TLabel label);
}

/// <summary>A loss of single numbers, with its derivative by the output.</summary>
public interface IScalarLoss : ILossFunction<float, float>
{
    float Derivative(float output, float label);
}

public interface IRegressionLoss : IScalarLoss
{
}

/// <summary>A loss whose dual can be raised one example at a time.</summary>
public interface ISupportSdcaLoss : IScalarLoss
{
    float ComputeDualUpdateInvariant(float scaledFeaturesNormSquared);
    float DualUpdate(float output, float label, float dual, float invariant, int maxNumThreads);
    double DualLoss(float label, float dual);
}

public interface ISupportSdcaRegressionLoss : ISupportSdcaLoss, IRegressionLoss
{
}

/// <summary>The square of the difference.</summary>
public sealed class SquaredLoss : ISupportSdcaRegressionLoss
{
    public SquaredLoss()
    {
    }

    public double Loss(float output, float label) => (output - label) * (output - label);

    public float Derivative(float output, float label) => 2 * (output - label);

    public float ComputeDualUpdateInvariant(float scaledFeaturesNormSquared) => 1 / (0.5f + scaledFeaturesNormSquared);

    public float DualUpdate(float output, float label, float dual, float invariant, int maxNumThreads)
    {
        var update = (label - output - (0.5f * dual)) * invariant;
        return maxNumThreads >= 2 ? update / maxNumThreads : update;
    }

    public double DualLoss(float label, float dual) => -dual * ((dual / 4) - label);
}
