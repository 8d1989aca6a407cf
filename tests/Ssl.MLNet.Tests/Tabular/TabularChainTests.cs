using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Tabular;

/// <summary>Tables in chains: keys and vectors as inputs, fine-tuning in the same chain, saving.</summary>
[TestClass]
public sealed class TabularChainTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    private static Row[] Rows(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var kind = random.Next(3);
            return new Row { Age = 20 + 10 * kind + random.Next(3), Sizes = [kind + random.NextSingle(), -kind], Work = $"w{kind}",
                Buys = kind == 1 };
        })];
    }

    private static ScarfTrainer.Options Options => new()
    {
        InputColumnNames = ["Age", "Sizes", "WorkKey"], Encoder = TabularEncoders.Mlp(2, 16), BatchSize = 32, NumberOfEpochs = 5,
    };

    [TestMethod]
    public void Keys_and_vectors_go_through_a_saved_chain()
    {
        var data = _mlContext.Data.LoadFromEnumerable(Rows(120, 1));
        using var model = _mlContext.Transforms.Conversion.MapValueToKey("WorkKey", "Work")
            .Append(_mlContext.SelfSupervised().Tabular.Scarf(Options)).Fit(data);
        using var file = new MemoryStream();
        _mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var loaded = TestDevice.Context(2).Model.Load(file, out _);
        var other = _mlContext.Data.LoadFromEnumerable(Rows(30, 2));
        foreach (var (expected, actual) in model.Transform(other).GetColumn<float[]>("Features")
            .Zip(loaded.Transform(other).GetColumn<float[]>("Features")))
            Assert.IsLessThan(2e-5f, expected.Zip(actual).Max(p => Math.Abs(p.First - p.Second)));
    }

    [TestMethod]
    public void Pretraining_and_fine_tuning_in_one_chain()
    {
        var ssl = _mlContext.SelfSupervised();
        var data = _mlContext.Data.LoadFromEnumerable(Rows(300, 1));
        using var model = _mlContext.Transforms.Conversion.MapValueToKey("WorkKey", "Work")
            .Append(ssl.Tabular.Scarf(Options))
            .Append(ssl.FineTune.BinaryClassification("Buys", numberOfEpochs: 20, learningRate: 1e-2)).Fit(data);
        var metrics = _mlContext.BinaryClassification.Evaluate(model.Transform(_mlContext.Data.LoadFromEnumerable(Rows(200, 2))), "Buys");
        Assert.IsGreaterThan(0.95, metrics.Accuracy);
    }

    private sealed class Row
    {
        public int Age { get; set; }
        [VectorType(2)] public float[] Sizes { get; set; } = [];
        public string Work { get; set; } = "";
        public bool Buys { get; set; }
    }
}
