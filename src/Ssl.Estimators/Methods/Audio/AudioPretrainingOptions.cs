using Ssl.Estimators.Data;

namespace Ssl.Estimators;

/// <summary>Settings of the pretraining methods for sound: those for time series, on the column "Sound".</summary>
public abstract class AudioPretrainingOptions : TimeSeriesPretrainingOptions
{
    /// <summary>Settings with the method's own defaults.</summary>
    protected AudioPretrainingOptions(int batchSize, int numberOfEpochs, double learningRate, double weightDecay = 0.01)
        : base(batchSize, numberOfEpochs, learningRate, weightDecay) => InputColumnName = ColumnNames.Sound;
}
