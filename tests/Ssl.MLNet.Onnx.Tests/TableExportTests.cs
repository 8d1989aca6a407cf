using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Onnx.Tests;

[TestClass]
public sealed class TableExportTests
{
    /// <summary>Every network of tables, by what it is.</summary>
    internal static IReadOnlyDictionary<string, TabularEncoderFactory> Factories { get; } = new Dictionary<string, TabularEncoderFactory>
    {
        ["MLP"] = TabularEncoders.Mlp(3, 12),
        ["residual, piecewise linear"] = TabularEncoders.ResidualMlp(2, 12, NumericEmbedding.PiecewiseLinear, 5),
        ["residual, periodic"] = TabularEncoders.ResidualMlp(1, 12, NumericEmbedding.Periodic, 5),
        ["column transformer"] = TabularEncoders.ColumnTransformer(2, 16, 2),
    };

    public static IEnumerable<object[]> Cases => from name in Factories.Keys
                                                 from scaling in Enum.GetValues<NumericScaling>()
                                                 from features in new[] { false, true }
                                                 where features == (name == "MLP") || scaling == NumericScaling.Quantile
                                                 select new object[] { name, scaling, features };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void ModelGivesTheEncodersNumbers(string name, NumericScaling scaling, bool features)
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable(People(150));
        using var encoder = Fit(mlContext, data, Factories[name], scaling, features);
        var path = Exports.File("model.onnx");
        var result = mlContext.SelfSupervised().ExportOnnx(encoder, path, mlContext.Data.LoadFromEnumerable(People(200, 2)));
        Assert.IsLessThan(1e-4, result.LargestDifference, result.ToString());
        Assert.AreEqual(200, result.CheckedRows);
        var madeUp = mlContext.SelfSupervised().ExportOnnx(encoder, path);
        Assert.IsLessThan(1e-4, madeUp.LargestDifference, madeUp.ToString());
    }

    // The columns as they are, strings included: the whole preparation is in the model.
    [TestMethod]
    public void ModelRunsInMLNetOnTheColumns()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable(People(150));
        using var encoder = Fit(mlContext, data, Factories["MLP"], NumericScaling.Quantile, features: true);
        var path = Exports.File("model.onnx");
        mlContext.SelfSupervised().ExportOnnx(encoder, path, data);
        var others = mlContext.Data.LoadFromEnumerable(People(60));
        var prepared = Prepared(mlContext, others);
        var onnx = mlContext.Transforms.ApplyOnnxModel([encoder.OutputColumnName], [.. encoder.InputColumnNames], path).Fit(prepared).Transform(prepared);
        Exports.AreClose([.. encoder.Transform(others).GetColumn<float[]>("Features").SelectMany(row => row)],
            [.. onnx.GetColumn<float[]>("Features").SelectMany(row => row)], 1e-4);
    }

    internal static EncoderTransformer Fit(MLContext mlContext, IDataView data, TabularEncoderFactory factory, NumericScaling scaling, bool features)
        => mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["Income", "Member", "Work", "Visits", "Born", "Tenure", "Only"], Encoder = factory, NumericScaling = scaling, IncludeInputFeatures = features,
            BatchSize = 32, NumberOfEpochs = 1, Seed = 1,
        }).Fit(data);

    internal static Person[] People(int count, int seed = 1)
    {
        var random = new Random(seed);
        string[] works = ["farm", "office", "school", "ship", " rare" + seed];
        return [.. Enumerable.Range(0, count).Select(i => new Person
        {
            Income = i % 11 == 0 ? float.NaN : i % 7 == 0 ? 40 : MathF.Exp(random.NextSingle() * 6),
            Member = random.Next(2) == 0,
            Work = i % 13 == 0 ? "" : works[random.Next(i % 20 == 0 ? 5 : 4)],
            Visits = [random.Next(4), i % 17 == 0 ? float.PositiveInfinity : random.NextSingle() * 100 - 50],
            Born = DateTime.UnixEpoch.AddDays(random.Next(20_000)).AddSeconds(random.Next(86_400)),
            Tenure = TimeSpan.FromSeconds(random.Next(100_000)),
            Only = seed == 1 || i % 5 > 0 ? 3 : random.NextSingle(),
            Label = random.Next(2) == 0,
        })];
    }

    internal sealed class Person
    {
        public float Income { get; set; }
        public bool Member { get; set; }
        public string Work { get; set; } = "";

        [VectorType(2)]
        public float[] Visits { get; set; } = [0, 0];
        public DateTime Born { get; set; }
        public TimeSpan Tenure { get; set; }
        public float Only { get; set; }
        public bool Label { get; set; }
    }

    /// <summary>What has to be done before the model: dates and durations in seconds, texts without white space at their ends.</summary>
    internal static IDataView Prepared(MLContext mlContext, IDataView people) => mlContext.Transforms.CustomMapping<Person, Seconds>((person, prepared)
        => (prepared.Born, prepared.Tenure, prepared.Work) = ((person.Born - DateTime.UnixEpoch).TotalSeconds, person.Tenure.TotalSeconds, person.Work.Trim()), null)
        .Fit(people).Transform(people);

    internal sealed class Seconds
    {
        public string Work { get; set; } = "";
        public double Born { get; set; }
        public double Tenure { get; set; }
    }
}
