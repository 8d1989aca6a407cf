using Microsoft.ML;

namespace Ssl.MLNet.Tests.FewLabels;

/// <summary>Rows of three classes for tests of few labels.</summary>
internal static class FewLabelsData
{
    /// <summary>Makes keys "Label" of the column "Class": "class 0", "class 1" and "class 2"; an empty text has none.</summary>
    public static IEstimator<ITransformer> Keys(MLContext mlContext) => mlContext.Transforms.Conversion.MapValueToKey("Label", "Class",
        keyData: mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 3).Select(i => new Key { Class = $"class {i}" })));

    /// <summary>A text of ten words, of which one is told and the others are chance.</summary>
    /// <param name="random">Draws them.</param>
    /// <param name="others">How many words chance may take.</param>
    /// <param name="telling">Number of the one word, from 0 to 8.</param>
    public static string Text(Random random, int others, Func<int> telling)
    {
        string[] words = [.. Enumerable.Range(0, 10).Select(_ => Word(9 + random.Next(others)))];
        words[random.Next(10)] = Word(telling());
        return string.Join(' ', words);

        static string Word(int number) => $"{(char)('a' + number / 10)}{(char)('k' + number % 10)}";
    }

    private sealed class Key
    {
        public string Class { get; set; } = "";
    }
}
