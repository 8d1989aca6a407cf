using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace OwnMethod.Tests;

/// <summary>The contract of a method of one's own, for a kind of data that the pack has.</summary>
[TestClass]
public sealed class AlignmentUniformityContract : ImagePretrainingContract
{
    [ClassInitialize]
    public static void Register(TestContext context) => StridedConvNetFactory.Register();

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
        => mlContext.SelfSupervised().Images.AlignmentUniformity(Small<AlignmentUniformityTrainer.Options>(change,
            new StridedConvNetFactory(new ImageShape(2, 8, 8), embeddingDimension: 16)));

    // The encoder computes in the precision that it was written for.
    protected override IReadOnlyDictionary<string, string> OptionsWithoutEffect { get; } = new Dictionary<string, string>
    {
        ["MixedPrecision"] = "not for an encoder of one's own",
        ["RecomputesBatchStatistics"] = "the network has no batch norms",
    };

    protected override object? Other(System.Reflection.PropertyInfo option, object? now)
        => option.Name == nameof(AlignmentUniformityTrainer.Options.View) ? new Shading() : base.Other(option, now);
}

/// <summary>A row of the contract's with a set of points.</summary>
public sealed class PointSetRow : ContractRow
{
    public float[] Points { get; set; } = [];
}

/// <summary>The contract of a kind of column of one's own, with its method.</summary>
[TestClass]
public sealed class PointSetContrastContract : PretrainingContract<PointSetRow>
{
    [ClassInitialize]
    public static void Register(TestContext context) => PointSetFormat.Register();

    protected override IReadOnlyList<string> TrainingColumns => ["Points"];

    protected override IEstimator<EncoderTransformer> Create(MLContext mlContext, Action<PretrainingOptions>? change = null)
    {
        var options = new PointSetContrastTrainer.Options
        {
            Encoder = new PointSetEncoderFactory(16, hiddenDimension: 16), BatchSize = 16, NumberOfEpochs = 2,
        };
        change?.Invoke(options);
        return mlContext.SelfSupervised().PointSetContrast(options);
    }

    // The encoder computes in the precision that it was written for.
    protected override IReadOnlyDictionary<string, string> OptionsWithoutEffect { get; } = new Dictionary<string, string>
    {
        ["MixedPrecision"] = "not for an encoder of one's own",
    };

    protected override List<PointSetRow> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var shown = PointRow.Of(random.Next(4), random);
            return new PointSetRow { Id = i, Label = shown.Shape, Numbers = [i, -i], Points = shown.Points };
        })];
    }

    protected override (IReadOnlyList<PointSetRow> Rows, string Word) Unusable
        => ([new PointSetRow(), new PointSetRow { Points = [float.NaN, 1] }], "lacks a point");

    protected override IReadOnlyList<PointSetRow> Odd =>
    [
        new PointSetRow(),
        new PointSetRow { Points = [float.NaN, float.NaN, 1, float.PositiveInfinity] },
        new PointSetRow { Points = [1e30f, -1e30f] },
        new PointSetRow { Points = [.. Enumerable.Repeat(3f, 2_000)] },
    ];

    protected override (string Column, string Expected, string Got) Wrong => ("Label", "Vector<Single> or VarVector<Single>", "String");
}
