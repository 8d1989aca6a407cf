using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.MLNet.Testing;
using static TorchSharp.torch;

namespace Ssl.MLNet.Tests.Contracts;

/// <summary>What every method of the pack must hold within its training, step by step, where only friends can look.</summary>
[TestClass]
public sealed class TrainingContract
{
    /// <summary>All contracts of this assembly.</summary>
    public static IEnumerable<object[]> Contracts => typeof(TrainingContract).Assembly.GetTypes()
        .Where(type => !type.IsAbstract && IsContract(type.BaseType)).Select(type => (object[])[type]);

    [TestMethod]
    [DynamicData(nameof(Contracts))]
    public void Measuring_rows_kept_aside_leaves_the_training_as_it_was(Type contract)
    {
        var (plainLosses, plain) = Train(contract, measures: false);
        var (losses, measured) = Train(contract, measures: true);
        CollectionAssert.AreEqual(plainLosses, losses, "training losses");
        foreach (var (name, bytes) in plain)
            CollectionAssert.AreEqual(bytes, measured[name], name);
    }

    private static bool IsContract(Type? type)
        => type is not null && (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(PretrainingContract<>) || IsContract(type.BaseType));

    private static T Call<T>(object target, string method, params object?[] arguments)
    {
        for (var type = target.GetType(); ; type = type.BaseType!)
        {
            if (type.GetMethod(method, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.DeclaredOnly) is { IsAbstract: false } found)
                return (T)found.Invoke(target, arguments)!;
        }
    }

    // The losses and all weights, buffers and random streams at the end of a training on three quarters of the rows.
    private static (double[] Losses, Dictionary<string, byte[]> State) Train(Type type, bool measures)
    {
        var mlContext = new MLContext(5);
        var contract = Activator.CreateInstance(type)!;
        Action<PretrainingOptions> change = o => (o.ValidationFraction, o.NumberOfEpochs) = (0.25, 3);
        var trainer = Call<PretrainingTrainer>(contract, "Create", mlContext, change);
        using var streams = new RandomStreams(7);
        using var channel = ((IChannelProvider)mlContext).Start("test");
        using var run = Call<PretrainingRun>(trainer, "Prepare", Call<IDataView>(contract, "View", mlContext, 128, 1), streams, channel);
        var held = new HeldOutLoss(run.Method, run.Source.HeldOut, streams, CPU, mixedPrecision: false);
        var falling = 0.0;
        var validation = new EpochValidation(() =>
        {
            Assert.IsTrue(double.IsFinite(held.Measure(default)!.Value));
            return --falling;       // the last epoch counts as the best, so that its weights stay
        }, Patience: null);
        var settings = new TrainingSettings { NumberOfEpochs = 3, BatchSize = 16 };
        var result = PretrainingLoop.Run(run.Method, run.Source, settings, streams, CPU, null, measures ? validation : null, default);
        using var scope = NewDisposeScope();
        var state = run.Method.state_dict().ToDictionary(item => item.Key, item => item.Value.contiguous().bytes.ToArray());
        foreach (var (name, bytes) in streams.GetState())
            state.Add($"stream {name}", bytes);
        return ([.. result.History.Steps.Select(step => step.Loss)], state);
    }
}
