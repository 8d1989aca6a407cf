namespace Ssl.Estimators.Encoders;

/// <summary>How much a word counts in a text: how often it stands there times how rare it is, both as logarithms.</summary>
internal static class TfIdf
{
    /// <summary>How rare a word is.</summary>
    /// <param name="texts">Number of texts.</param>
    /// <param name="withIt">Those in which it stands.</param>
    public static float Rarity(double texts, int withIt) => (float)(Math.Log((1 + texts) / (1 + withIt)) + 1);

    /// <summary>Its weight in a text before that is brought to length 1.</summary>
    /// <param name="count">How often it stands there, at least once.</param>
    /// <param name="rarity">What <see cref="Rarity"/> gave.</param>
    public static float Weight(int count, float rarity) => (1 + MathF.Log(count)) * rarity;
}
