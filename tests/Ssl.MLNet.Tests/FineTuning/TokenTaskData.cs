using Microsoft.ML;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.FineTuning;

/// <summary>A text whose words have labels, and the same entities by their places.</summary>
public sealed class TaggedRow
{
    public string Text { get; set; } = "";

    public string[] Labels { get; set; } = [];

    public string[] Kinds { get; set; } = [];

    public int[] Starts { get; set; } = [];

    public int[] Lengths { get; set; } = [];
}

/// <summary>What a model found.</summary>
public sealed class FoundRow
{
    public string Text { get; set; } = "";

    public string[] Predicted { get; set; } = [];

    public string[] EntityText { get; set; } = [];

    public string[] EntityLabel { get; set; } = [];

    public int[] EntityStart { get; set; } = [];

    public int[] EntityLength { get; set; } = [];

    public float[] EntityScore { get; set; } = [];
}

/// <summary>A question, a text and the answer in it.</summary>
public sealed class QuestionRow
{
    public string Question { get; set; } = "";

    public string Context { get; set; } = "";

    public string TrainingAnswer { get; set; } = "";

    public int AnswerIndex { get; set; }
}

/// <summary>Small generated data for the tasks on tokens, and an encoder that is quick to train on them.</summary>
internal static class TokenTaskData
{
    private static readonly string[] s_people = ["ann", "bob", "carla", "dieter", "eva maria", "fritz", "gina", "hans peter"];
    private static readonly string[] s_places = ["oslo", "new york", "rome", "paris", "san marino", "bern", "lima", "cape town"];
    private static readonly string[] s_colors = ["red", "blue", "green", "black", "white", "gray"];
    private static readonly string[] s_things = ["pens", "cups", "keys", "nails", "coins", "books"];

    /// <summary>Sentences about people and places. A name is a person or a place by what stands before it: each may be either.</summary>
    public static List<TaggedRow> Tagged(int count, int seed = 1)
    {
        var random = new Random(seed);
        string[] names = [.. s_people, .. s_places];
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var row = new Builder();
            row.Add(random.Next(2) == 0 ? "please call" : "today we met");
            row.Add(names[random.Next(names.Length)], "PERSON");
            if (random.Next(3) > 0)
            {
                row.Add(random.Next(2) == 0 ? "who lives in" : "on the way to");
                row.Add(names[random.Next(names.Length)], "PLACE");
            }
            row.Add(random.Next(2) == 0 ? "again" : "at noon");
            return row.ToRow();
        })];
    }

    /// <summary>Boxes of colors and what is in them; every fifth question is about a box that is not there.</summary>
    public static List<QuestionRow> Questions(int count, int seed = 1, int boxes = 2)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            string[] colors = [.. s_colors];
            random.Shuffle(colors);
            string[] contents = [.. Enumerable.Range(0, boxes).Select(_ => $"{random.Next(2, 9)} {s_things[random.Next(s_things.Length)]}")];
            var context = string.Join(" ", contents.Select((content, box) => $"the {colors[box]} box holds {content}."));
            var asked = i % 5 == 4 ? boxes : random.Next(boxes);
            var answer = asked < boxes ? contents[asked] : "";
            return new QuestionRow
            {
                Question = $"what is in the {colors[asked]} box?", Context = context, TrainingAnswer = answer,
                AnswerIndex = asked < boxes ? context.IndexOf($"the {colors[asked]} box", StringComparison.Ordinal) + $"the {colors[asked]} box holds ".Length : -1,
            };
        })];
    }

    public static MaskedLanguageModelTrainer Pretrainer(MLContext mlContext, string input, int epochs = 1, int maximumTokens = 32)
        => mlContext.SelfSupervised().Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
        {
            InputColumnName = input,
            Encoder = TextEncoders.Transformer(2, 32, 2, maximumTokens: maximumTokens, dropout: 0),
            BatchSize = 32,
            NumberOfEpochs = epochs,
            VocabularySize = 200,
            MinimumTokenCount = 1,
        });

    public static EncoderTransformer Encoder(MLContext mlContext, int maximumTokens = 32)
        => Pretrainer(mlContext, "Text", maximumTokens: maximumTokens).Fit(mlContext.Data.LoadFromEnumerable(Tagged(200)));

    /// <summary>The rows with their labels as keys: of words in "Label", of entities in "Kind".</summary>
    public static IDataView WithKeys(MLContext mlContext, IEnumerable<TaggedRow> rows)
    {
        var view = mlContext.Data.LoadFromEnumerable(rows);
        var values = mlContext.Data.LoadFromEnumerable(new[] { "PERSON", "PLACE", "0" }.Select(value => new KeyRow { Value = value }));
        return mlContext.Transforms.Conversion.MapValueToKey("Label", "Labels", keyData: values)
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Kind", "Kinds", keyData: values)).Fit(view).Transform(view);
    }

    public sealed class KeyRow
    {
        public string Value { get; set; } = "";
    }

    private sealed class Builder
    {
        private readonly List<string> _words = [], _labels = [], _kinds = [];
        private readonly List<int> _starts = [], _lengths = [];

        public void Add(string words, string kind = "0")
        {
            if (kind != "0")
            {
                _kinds.Add(kind);
                _starts.Add(_words.Sum(word => word.Length + 1));
                _lengths.Add(words.Length);
            }
            foreach (var word in words.Split(' '))
            {
                _words.Add(word);
                _labels.Add(kind);
            }
        }

        public TaggedRow ToRow() => new()
        {
            Text = string.Join(' ', _words), Labels = [.. _labels], Kinds = [.. _kinds], Starts = [.. _starts], Lengths = [.. _lengths],
        };
    }
}
