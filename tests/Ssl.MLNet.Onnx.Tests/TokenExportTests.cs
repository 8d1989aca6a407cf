using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators;
using Ssl.Estimators.Data;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.MLNet.Tests.FineTuning;

namespace Ssl.MLNet.Onnx.Tests;

/// <summary>Models that say something of every token: what is made of the file's scores is what the model makes of its own.</summary>
[TestClass]
public sealed class TokenExportTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);

    [TestMethod]
    [DataRow(48)]
    [DataRow(16)]
    public void Answers(int maximumTokens)
    {
        using var encoder = TokenTaskData.Pretrainer(s_mlContext, "Context", maximumTokens: maximumTokens).Fit(s_mlContext.Data.LoadFromEnumerable(TokenTaskData.Questions(200)));
        using var model = s_mlContext.SelfSupervised().FineTune.QuestionAnswering(new QuestionAnsweringTrainer.Options
        {
            Encoder = encoder, NumberOfEpochs = 3, BatchSize = 32, LearningRate = 0.003, Seed = 1,
        }).Fit(s_mlContext.Data.LoadFromEnumerable(TokenTaskData.Questions(200)));
        var test = TokenTaskData.Questions(20, seed: 2);
        var data = s_mlContext.Data.LoadFromEnumerable(test);
        var path = Exports.File("model.onnx");
        var result = s_mlContext.SelfSupervised().ExportOnnx(model, path, data);
        Assert.IsLessThan(1e-5, result.LargestDifference, result.ToString());
        Assert.AreEqual(20, result.CheckedRows);
        Assert.AreEqual("start_logits Single[batch, length], end_logits Single[batch, length]", string.Join(", ", result.Outputs));
        Assert.HasCount(1, result.Files);
        if (maximumTokens < 48)
            return;

        // Question and context in one row here; the pair of places whose probability is largest is the answer.
        using var session = new InferenceSession(path);
        var answers = model.Transform(data).GetColumn<int[]>("AnswerStart").ToArray();
        var reader = new WindowedText.Reader((TextRowFormat)model.Model.Parts.Encoder.Format, UnitKind.Pieces, 0, hasQuestion: true);
        foreach (var (row, starts) in test.Zip(answers))
        {
            var text = reader.Read(row.Context, row.Question);
            Assert.HasCount(1, text.Windows);
            var (begins, ends) = (Run(session, text, "start_logits"), Run(session, text, "end_logits"));
            int[] places = [0, .. Enumerable.Range(0, text.Units.Count).Select(unit => text.Position(unit, 0))];
            var best = (from first in Enumerable.Range(0, places.Length) from last in Enumerable.Range(first, places.Length - first)
                where first > 0 || last == 0 orderby begins[places[first]] + ends[places[last]] descending select first).First();
            Assert.AreEqual(best == 0 ? -1 : text.Units[best - 1].Start, starts[0]);
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Entities(bool usesWordFeatures)
    {
        using var encoder = TokenTaskData.Encoder(s_mlContext);
        var data = TokenTaskData.WithKeys(s_mlContext, TokenTaskData.Tagged(100));
        using var model = s_mlContext.SelfSupervised().FineTune.NamedEntities(new NamedEntitiesTrainer.Options
        {
            Encoder = encoder, NumberOfEpochs = 3, BatchSize = 32, LearningRate = 0.003, Seed = 1, UsesWordFeatures = usesWordFeatures,
        }).Fit(data);
        var path = Exports.File("model.onnx");
        var result = s_mlContext.SelfSupervised().ExportOnnx(model, path, data);
        Assert.IsLessThan(2e-5, result.LargestDifference, result.ToString());
        Assert.AreEqual(usesWordFeatures ? "input_ids, attention_mask, word_features" : "input_ids, attention_mask", string.Join(", ", result.Inputs.Select(input => input.Name)));
        Assert.AreEqual(usesWordFeatures, result.Preparation.Contains("word_features"));
        using var session = new InferenceSession(path);
        Assert.AreEqual("O,B-PERSON,I-PERSON,B-PLACE,I-PLACE", string.Join(',', JsonSerializer.Deserialize<string[]>(session.ModelMetadata.CustomMetadataMap["tags"])!));
        // Without data texts are made up.
        Assert.IsLessThan(2e-5, s_mlContext.SelfSupervised().ExportOnnx(model, Exports.File("model.onnx")).LargestDifference);

        var predicted = model.Transform(data);
        var reader = new WindowedText.Reader((TextRowFormat)model.Model.Parts.Encoder.Format, model.Model.Kind, 0, hasQuestion: false);
        var (same, all) = (0, 0);
        foreach (var (row, keys) in TokenTaskData.Tagged(100).Zip(predicted.GetColumn<uint[]>("PredictedLabel")))
        {
            var text = reader.Read(row.Text);
            var scores = Run(session, text, "logits", usesWordFeatures ? WordFeatures.Of(row.Text, text.Units) : null);
            for (var unit = 0; unit < keys.Length; unit++)
            {
                float[] own = scores[(text.Position(unit, 0) * 5)..][..5];
                // Keys are PERSON, PLACE, 0; tags 0, then two for each kind.
                var tag = Array.IndexOf(own, own.Max());
                same += keys[unit] == (tag == 0 ? 3u : (uint)(tag + 1) / 2) ? 1 : 0;
                all++;
            }
        }
        // A sequence that is none (I- without its B-) is read as another.
        Assert.IsGreaterThan(0.97, (double)same / all);
    }

    [TestMethod]
    public void ColumnsThatAreNoTextsAreNamed()
    {
        using var encoder = TokenTaskData.Encoder(s_mlContext);
        using var model = s_mlContext.SelfSupervised().FineTune.NamedEntities(new NamedEntitiesTrainer.Options { Encoder = encoder, NumberOfEpochs = 1, Seed = 1 })
            .Fit(TokenTaskData.WithKeys(s_mlContext, TokenTaskData.Tagged(20)));
        // Texts without a word have nothing to compare: others are made up.
        var empty = s_mlContext.Data.LoadFromEnumerable([new { Text = "" }, new { Text = "  " }]);
        Assert.IsGreaterThan(5, s_mlContext.SelfSupervised().ExportOnnx(model, Exports.File("model.onnx"), empty).CheckedRows);
        var numbers = s_mlContext.Data.LoadFromEnumerable([new { Text = 1f }]);
        Assert.Contains("'Text'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => s_mlContext.SelfSupervised().ExportOnnx(model, Exports.File("model.onnx"), numbers)).Message);
    }

    // The scores of a text's first window.
    private static float[] Run(InferenceSession session, WindowedText text, string output, int[]? features = null)
    {
        long[] ids = [.. text.Ids(0).Select(id => (long)id)];
        using var options = new RunOptions();
        var inputs = new Dictionary<string, OrtValue>
        {
            ["input_ids"] = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]),
            ["attention_mask"] = OrtValue.CreateTensorValueFromMemory(ids.Select(_ => 1L).ToArray(), [1, ids.Length]),
        };
        if (features is not null)
        {
            var numbers = new long[ids.Length * WordFeatures.Count];
            for (var unit = 0; unit < text.Units.Count; unit++)
            {
                for (var i = 0; i < WordFeatures.Count; i++)
                    numbers[text.Position(unit, 0) * WordFeatures.Count + i] = features[unit * WordFeatures.Count + i];
            }
            inputs["word_features"] = OrtValue.CreateTensorValueFromMemory(numbers, [1, ids.Length, WordFeatures.Count]);
        }
        using var outputs = session.Run(options, inputs, [output]);
        foreach (var input in inputs.Values)
            input.Dispose();
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
