using System.Globalization;

namespace Ssl.Estimators.Training;

/// <summary>Progress in words, the same in ML.NET's log and on the console.</summary>
internal static class ProgressText
{
    /// <summary>
    /// "epoch 3/12, step 117/540, loss 1.234, 12,345 samples/s, 0:42 left"; before the training "reading rows: 12,345 so far, 2,300 rows/s".
    /// </summary>
    public static string Line(PretrainingProgress progress)
    {
        if (progress.Phase == PretrainingPhase.ReadingRows)
            return Format($"reading rows: {progress.RowsRead:N0} so far, {progress.SamplesPerSecond:N0} rows/s");
        if (progress.Phase == PretrainingPhase.TrainingTokenizer)
            return Format($"training the tokenizer: {progress.TokensLearned:N0} tokens so far");
        string steps = progress.EpochCompleted
            ? Format($"{progress.Step:N0} steps")
            : progress.NumberOfSteps is { } all ? Format($"step {progress.Step:N0}/{all:N0}") : Format($"step {progress.Step:N0}");
        string left = progress.Remaining is { } remaining ? $", {Time(remaining)} left" : "";
        string validation = progress.ValidationLoss is { } loss ? $", validation loss {Number(loss)}" : "";
        return Format($"epoch {progress.Epoch}/{progress.NumberOfEpochs}, {steps}, loss {Number(progress.Loss)}{validation}, ")
            + Format($"{progress.SamplesPerSecond:N0} samples/s{left}");
    }

    /// <summary>
    /// "training completed: 12 epochs, 6,480 steps, loss 0.345, weights of epoch 9 with the lowest validation loss 0.412, 1:23".
    /// </summary>
    public static string Line(TrainingResult result)
    {
        string end = result.End switch
        {
            TrainingEnd.Completed => "completed",
            TrainingEnd.EarlyStopped => "stopped early, the validation loss no longer falls",
            TrainingEnd.TimeLimit => "ended by MaximumTrainingTime",
            _ => "canceled",
        };
        string weights = result is { BestEpoch: { } epoch, BestValidationLoss: { } loss }
            ? $"weights of epoch {epoch} with the lowest validation loss {Number(loss)}, "
            : result.End is TrainingEnd.Completed ? "" : "weights of the last step, ";
        return Format($"training {end}: {result.EpochsCompleted} epochs, {result.StepsCompleted:N0} steps, ")
            + Format($"loss {Number(result.FinalLoss)}, {weights}{Time(result.Elapsed)}");
    }

    /// <summary>"0:42", "12:05", "3:07:00".</summary>
    public static string Time(TimeSpan span)
    {
        TimeSpan whole = TimeSpan.FromSeconds(Math.Round(span.TotalSeconds));
        return whole.TotalHours >= 1
            ? Format($"{(long)whole.TotalHours}:{whole.Minutes:00}:{whole.Seconds:00}")
            : Format($"{whole.Minutes}:{whole.Seconds:00}");
    }

    /// <summary>A loss with three decimals, small or huge ones with an exponent.</summary>
    public static string Number(double value)
        => value != 0 && double.IsFinite(value) && (Math.Abs(value) < 0.01 || Math.Abs(value) >= 1e5)
            ? Format($"{value:0.00e+0}") : Format($"{value:0.000}");

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
