using System.Reflection;
using System.Runtime.CompilerServices;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

/// <summary>Every number of every view has a range, and is named where it is outside.</summary>
[TestClass]
public sealed class RangeTests
{
    private static readonly TokenVocabulary s_vocabulary = new(200, 0, 1, 2, 3, 4, 5);

    [TestMethod]
    public void NumbersThatAreNoneAreNamed()
    {
        var constructors = typeof(ImageView).Assembly.GetExportedTypes()
            .Where(type => !type.IsAbstract && new[] { typeof(ImageView), typeof(TableView), typeof(SeriesView), typeof(TextView) }.Any(type.IsSubclassOf))
            .SelectMany(type => type.GetConstructors()).ToArray();
        var count = 0;
        foreach (var constructor in constructors)
        {
            foreach (var parameter in constructor.GetParameters().Where(parameter => parameter.ParameterType == typeof(double) || parameter.ParameterType == typeof(int)))
            {
                object?[] arguments = [.. constructor.GetParameters().Select(other => other.Position != parameter.Position ? Something(other)
                    : parameter.ParameterType == typeof(int) ? (object)int.MinValue : double.NaN)];
                var fault = Reflected.Fault(constructor, null, arguments);
                Assert.IsInstanceOfType<ArgumentOutOfRangeException>(fault, $"{constructor.DeclaringType!.Name}, {parameter.Name}: {fault}");
                // As a parameter or, of an option, by the same word in capitals.
                StringAssert.Contains(fault.Message.ToUpperInvariant(), parameter.Name!.ToUpperInvariant());
                count++;
            }
        }
        Assert.IsGreaterThan(40, count);
    }

    [TestMethod]
    public void TheEndsOfRangesBelongToThemWhereTheySaySo()
    {
        Assert.IsNotNull(new FeatureSubset(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FeatureSubset(0));
        Assert.AreEqual(0.5, new LearnableStrength("x", 0.25, 0.75).Initial);
        using var scope = NewDisposeScope();
        var inside = ones(2, 4, dtype: ScalarType.Bool);
        Assert.Throws<ArgumentOutOfRangeException>(() => SeriesPatchMasker.Draw(inside, 0, new Generator(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => SeriesPatchMasker.Draw(inside, 1, new Generator(1)));
    }

    [TestMethod]
    public void StrengthsThatCannotBeLearnedAreNamed()
    {
        Assert.IsNotNull(new Strengths(new LearnableStrength("a", 0.5, 0.5)));
        Refused("at least one strength");
        Refused("minimum that is at most its maximum", new LearnableStrength("a", 1, 0.5));
        Refused("minimum that is at most its maximum", new LearnableStrength("a", double.NaN, 0.5));
        Refused("minimum that is at most its maximum", new LearnableStrength("a", 0, double.PositiveInfinity));
        Refused("minimum that is at most its maximum", new LearnableStrength("a", double.NegativeInfinity, 1));
        Refused("must be named once", new LearnableStrength("a", 0, 1), new LearnableStrength("a", 0, 1));

        static void Refused(string words, params LearnableStrength[] strengths)
            => StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new Strengths(strengths)).Message, words);
    }

    [TestMethod]
    public void SynonymsAreTokensOfTheVocabularyWithAtLeastOneEach()
    {
        Refused("got none", []);
        Refused("a token without any", new() { [10] = [11], [12] = [] });
        Refused("synonyms", new() { [s_vocabulary.SpecialCount - 1] = [11] });
        Refused("synonyms", new() { [10] = [s_vocabulary.Size] });
        Assert.IsNotNull(new SynonymReplacement(s_vocabulary, new Dictionary<int, int[]> { [s_vocabulary.SpecialCount] = [s_vocabulary.Size - 1] }));
        using var scope = NewDisposeScope();
        var batch = new TokenBatch(full([2_000, 1], 10L), ones(2_000, 1, dtype: ScalarType.Bool));
        var seen = new SynonymReplacement(s_vocabulary, new Dictionary<int, int[]> { [10] = [11, 12, 13], [20] = [21] }, 1).Apply(batch, new Generator(1)).Ids;
        CollectionAssert.IsSubsetOf(new long[] { 11, 12, 13 }, seen.data<long>().ToArray().Distinct().ToArray());

        static void Refused(string words, Dictionary<int, int[]> synonyms)
            => StringAssert.Contains(Assert.Throws<ArgumentException>(() => new SynonymReplacement(s_vocabulary, synonyms)).Message, words);
    }

    [TestMethod]
    public void OneViewIsItsOwnComposition()
    {
        var (text, table, series) = (new TokenDeletion(s_vocabulary), new MarginalSwap(), new Jitter());
        Assert.AreSame(text, TextViews.Compose(text));
        Assert.AreSame(table, TableViews.Compose(table));
        Assert.AreSame(series, SeriesViews.Compose(series));
        Assert.AreNotSame(text, TextViews.Compose(text, text));
        Assert.AreNotSame(table, TableViews.Compose(table, table));
        Assert.AreNotSame(series, SeriesViews.Compose(series, series));
    }

    private static object? Something(ParameterInfo parameter) => parameter.HasDefaultValue ? parameter.DefaultValue : parameter.ParameterType switch
    {
        var type when type == typeof(TokenVocabulary) => s_vocabulary,
        var type when type == typeof(int) => 3,
        var type when type == typeof(double) => 0.5,
        var type when type.IsAssignableFrom(typeof(Grayscale)) => new Grayscale(),
        var type when type.IsAssignableFrom(typeof(Dictionary<int, int[]>)) => new Dictionary<int, int[]> { [10] = [11] },
        var type when type.IsAssignableFrom(typeof(int[])) => new[] { 6 },
        var type => RuntimeHelpers.GetUninitializedObject(type),
    };

    private sealed class Strengths(params LearnableStrength[] strengths) : LearnableImageView(strengths, 1)
    {
        protected internal override Tensor Apply(Tensor images, IReadOnlyList<Tensor> strengths, Generator generator) => images.alias();
    }
}
