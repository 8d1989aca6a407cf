using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.FineTuning;

/// <summary>A text with a label for every task.</summary>
public sealed class LabeledRow
{
    public int Id { get; set; }

    public string Text { get; set; } = "";

    public string Subject { get; set; } = "";

    public bool Answer { get; set; }

    public float Number { get; set; }
}

/// <summary>What a model says of a row.</summary>
public sealed class Prediction
{
    public int Id { get; set; }

    public uint PredictedLabel { get; set; }

    public float[] Score { get; set; } = [];
}

/// <summary>Small generated data, and an encoder that is quick to train on them.</summary>
internal static class FineTuningData
{
    public static readonly string[] Subjects = ContractData.Subjects;

    /// <summary>Sentences of four subjects; the answer is whether it is about gardens or railways, the number that of the
    /// subject.</summary>
    public static List<LabeledRow> Rows(int count, int seed = 1) => [.. ContractData.Rows(count, seed).Select(row =>
    {
        var subject = Array.IndexOf(Subjects, row.Label);
        return new LabeledRow { Id = row.Id, Text = row.Text, Subject = row.Label, Answer = subject >= 2, Number = 10 * subject + 100 };
    })];

    public static IDataView View(MLContext mlContext, int count = 120, int seed = 1)
        => mlContext.Data.LoadFromEnumerable(Rows(count, seed));

    /// <summary>The view with the subject as the key "Label".</summary>
    public static IDataView WithKeys(MLContext mlContext, IDataView view)
        => mlContext.Transforms.Conversion.MapValueToKey("Label", "Subject").Fit(view).Transform(view);

    public static SimCseTrainer Pretrainer(MLContext mlContext, int epochs = 1, string output = "Features",
        TextEncoderFactory? encoder = null)
        => mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
    {
        OutputColumnName = output,
        Encoder = encoder ?? TextEncoders.Bag(embeddingDimension: 16),
        BatchSize = 32,
        NumberOfEpochs = epochs,
        VocabularySize = 300,
        MinimumTokenCount = 1,
    });

    public static EncoderTransformer Encoder(MLContext mlContext) => Pretrainer(mlContext).Fit(View(mlContext));

    public static float[][] Embeddings(EncoderTransformer encoder, IDataView data)
        => [.. encoder.Transform(data).GetColumn<float[]>("Features")];

    public static float[][] Scores(ITransformer model, IDataView data) => [.. model.Transform(data).GetColumn<float[]>("Score")];

    public static void AssertEqual(float[][] expected, float[][] actual, float tolerance)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.HasCount(expected[i].Length, actual[i]);
            for (var j = 0; j < expected[i].Length; j++)
                Assert.AreEqual(expected[i][j], actual[i][j], tolerance, $"row {i}, value {j}");
        }
    }
}
