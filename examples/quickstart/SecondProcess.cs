using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML;

namespace Quickstart;

/// <summary>A saved model must give the same answers in a process that knows nothing but the file: this starts one and compares.</summary>
public static class SecondProcess
{
    private const string Model = "model.zip";
    private const string Questions = "questions.json";
    private const string Answers = "answers.json";

    private sealed record Answer(string? PredictedLabel, float[] Features);

    private sealed class AnswerRow
    {
        public string? PredictedLabel { get; set; }

        public float[] Features { get; set; } = [];
    }

    private sealed class EmbeddingRow
    {
        public float[] Features { get; set; } = [];
    }

    /// <summary>Saves, starts this program again on the saved file, and compares the answers.</summary>
    /// <returns>Number of questions, how many labels agree, and the largest difference between two embedding values.</returns>
    public static (int Questions, int SameLabels, float LargestDifference) Compare(
        MLContext mlContext, ITransformer model, string folder, IReadOnlyList<Document> documents)
    {
        var questions = documents.Select(TextRow.Of).ToArray();
        var data = mlContext.Data.LoadFromEnumerable(questions);
        mlContext.Model.Save(model, data.Schema, Path.Combine(folder, Model));
        File.WriteAllText(Path.Combine(folder, Questions), JsonSerializer.Serialize(questions));
        var here = Ask(mlContext, model, data);

        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(SecondProcess).Assembly.Location);
        start.ArgumentList.Add("--answer");
        start.ArgumentList.Add(folder);
        using var process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"The second process ended with exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}.");

        var there = JsonSerializer.Deserialize<Answer[]>(File.ReadAllText(Path.Combine(folder, Answers)))!;
        var same = here.Zip(there).Count(pair => pair.First.PredictedLabel == pair.Second.PredictedLabel);
        var difference = here.Zip(there).Max(pair => pair.First.Features.Zip(pair.Second.Features).Max(value => MathF.Abs(value.First - value.Second)));
        return (here.Length, same, difference);
    }

    /// <summary>The second process: loads the model and answers.</summary>
    /// <param name="folder">Where the first process put model and questions.</param>
    public static void Run(string folder)
    {
        var mlContext = new MLContext(seed: 0);
        var model = mlContext.Model.Load(Path.Combine(folder, Model), out _);
        var questions = JsonSerializer.Deserialize<TextRow[]>(File.ReadAllText(Path.Combine(folder, Questions)))!;
        var answers = Ask(mlContext, model, mlContext.Data.LoadFromEnumerable(questions));
        File.WriteAllText(Path.Combine(folder, Answers), JsonSerializer.Serialize(answers));
    }

    private static Answer[] Ask(MLContext mlContext, ITransformer model, IDataView questions)
    {
        var scored = model.Transform(questions);
        return scored.Schema.GetColumnOrNull("PredictedLabel") is null
            ? mlContext.Data.CreateEnumerable<EmbeddingRow>(scored, reuseRowObject: false).Select(row => new Answer(null, row.Features)).ToArray()
            : mlContext.Data.CreateEnumerable<AnswerRow>(scored, reuseRowObject: false).Select(row => new Answer(row.PredictedLabel, row.Features)).ToArray();
    }
}
