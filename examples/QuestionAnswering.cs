#:project ../src/Ssl.MLNet/Ssl.MLNet.csproj
#:property PublishAot=false
#:property NeedsNativeTorch=true

// QuestionAnswering: the answer to a question is pointed at in a text, or is said not to be there.
//   dotnet run examples/QuestionAnswering.cs [-- --small]
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

var small = args.Contains("--small");
var mlContext = new MLContext(seed: 1);
var ssl = mlContext.SelfSupervised();

// Data: stock lists, and questions about one shelf; the columns are those of ML.NET's own trainer.
string[] colors = ["red", "blue", "green", "black", "white"], things = ["pens", "cups", "keys", "nails", "coins", "books"];
var random = new Random(1);
Row Ask()
{
    string[] shelves = [.. colors.OrderBy(_ => random.Next())];
    var contents = new[] { 0, 1 }.Select(_ => $"{random.Next(2, 9)} {things[random.Next(things.Length)]}").ToArray();
    var (context, asked) = ($"the {shelves[0]} shelf has {contents[0]}. the {shelves[1]} shelf has {contents[1]}.", random.Next(3));
    return new Row
    {
        Question = $"what is on the {shelves[asked]} shelf?", Context = context, TrainingAnswer = asked < 2 ? contents[asked] : "",
        AnswerIndex = asked < 2 ? context.IndexOf(shelves[asked], StringComparison.Ordinal) + shelves[asked].Length + " shelf has ".Length : -1,
    };
}
Row[] Rows(int count) => [.. Enumerable.Range(0, count).Select(_ => Ask())];
var (data, test) = (mlContext.Data.LoadFromEnumerable(Rows(small ? 100 : 1_500)), mlContext.Data.LoadFromEnumerable(Rows(300)));

// Pretraining on the texts, then questions and answers.
using var encoder = ssl.Text.MaskedLanguageModel("Features", "Context", TextEncoders.Transformer(dimension: 64, maximumTokens: 48),
    numberOfEpochs: small ? 1 : 3).Fit(data);
using var model = ssl.FineTune.QuestionAnswering(encoder, numberOfEpochs: small ? 1 : 20).Fit(data);
var metrics = ssl.EvaluateAnswers(model.Transform(test));
Console.WriteLine($"exactly right: {metrics.ExactMatch:0.00}, of questions without an answer: {metrics.UnansweredAccuracy:0.00}");

using var engine = mlContext.Model.CreatePredictionEngine<Row, Answered>(model);
foreach (var question in new[] { "what is on the green shelf?", "what is on the black shelf?" })
{
    var answer = engine.Predict(new Row { Question = question, Context = "the green shelf has 4 cups. the red shelf has 7 keys." });
    Console.WriteLine($"{question} {(answer.AnswerStart[0] < 0 ? "the text does not say" : answer.Answer[0])}");
}

// Expected output:
// exactly right: 1.00, of questions without an answer: 1.00
// what is on the green shelf? 4 cups
// what is on the black shelf? the text does not say

internal sealed class Row
{
    public string Question { get; set; } = "";
    public string Context { get; set; } = "";
    public string TrainingAnswer { get; set; } = "";
    public int AnswerIndex { get; set; }
}

internal sealed class Answered
{
    public string[] Answer { get; set; } = [];
    public int[] AnswerStart { get; set; } = [];
}
