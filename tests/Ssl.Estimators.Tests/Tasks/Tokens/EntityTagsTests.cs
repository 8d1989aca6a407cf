using System.Text.Json.Nodes;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Tests.Tasks.Tokens;

[TestClass]
public sealed class EntityTagsTests
{
    private static EntityTags Tags(params string[] classes) => new(ClassValues.FromJson(new JsonObject
    {
        ["kind"] = "String", ["values"] = new JsonArray([.. classes.Select(text => (JsonNode)text)]),
    }));

    private static int[] Of(EntityTags tags, string labels) => tags.OfClasses([.. labels.Split(' ').Select(tags.ClassOf)]);

    private static string Spans(EntityTags tags, int[] units)
        => string.Join(" ", EntityTags.Entities(units).Select(entity => $"{tags.Kinds[entity.Kind]}:{entity.First}-{entity.Last}"));

    [TestMethod]
    [DataRow("O B-PER I-PER O B-LOC", "PER:1-2 LOC:4-4")]
    [DataRow("B-PER B-PER I-PER", "PER:0-0 PER:1-2")]          // two that touch
    [DataRow("O I-PER I-PER", "PER:1-2")]                      // what goes on without a beginning begins
    [DataRow("B-PER I-LOC", "PER:0-0 LOC:1-1")]
    [DataRow("missing O", "")]
    public void BIO_labels_mark_entities(string labels, string expected)
    {
        var tags = Tags("O", "B-PER", "I-PER", "B-LOC", "I-LOC");
        Assert.AreEqual(expected, Spans(tags, Of(tags, labels)));
    }

    [TestMethod]
    [DataRow("PERSON 0 PERSON 0 0 0 COUNTRY", "PERSON:0-0 PERSON:2-2 COUNTRY:6-6")]        // ML.NET's own example
    [DataRow("CITY CITY 0 CITY", "CITY:0-1 CITY:3-3")]
    [DataRow("CITY PERSON", "CITY:0-0 PERSON:1-1")]
    public void Bare_kinds_mark_entities_of_neighbors(string labels, string expected)
    {
        var tags = Tags("PERSON", "CITY", "0", "COUNTRY");
        Assert.AreEqual(expected, Spans(tags, Of(tags, labels)));
    }

    [TestMethod]
    public void Predicted_tags_are_values_of_the_label_column()
    {
        var bio = Tags("B-PER", "O", "I-PER", "I-LOC");             // no value begins a LOC
        CollectionAssert.AreEqual(new uint[] { 2, 1, 3, 4, 4 }, Enumerable.Range(0, 5).Select(bio.Key).ToArray());
        var bare = Tags("CITY", "PERSON");                          // none means outside: the missing key
        CollectionAssert.AreEqual(new uint[] { 0, 1, 1, 2, 2 }, Enumerable.Range(0, 5).Select(bare.Key).ToArray());
    }

    [TestMethod]
    public void Labels_without_a_kind_or_of_another_scheme_are_refused()
    {
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Tags("O", "0")).Message, "no kind of entity");
        var bioes = Assert.ThrowsExactly<InvalidOperationException>(() => Tags("O", "B-PER", "I-PER", "E-PER", "S-PER"));
        StringAssert.Contains(bioes.Message, "S- and U- become B-, E- and L- become I-");
        CollectionAssert.AreEqual(new[] { "E-mail", "Phone" }, Tags("E-mail", "Phone", "O").Kinds, "a dash makes no scheme");
    }

    [TestMethod]
    public void Of_entities_that_overlap_the_first_counts()
    {
        CollectionAssert.AreEqual(new[] { 0, 1, 2, 0, 3 }, EntityTags.OfEntities(5, [new(1, 2, 0), new(2, 3, 1), new(4, 4, 1)]));
    }

    [TestMethod]
    public void The_likeliest_allowed_tags_are_found_by_trying_all()
    {
        var random = new Random(3);
        for (var run = 0; run < 300; run++)
        {
            var (units, tags) = (random.Next(1, 6), 1 + 2 * random.Next(1, 3));
            var scores = new float[units * tags];
            for (var i = 0; i < scores.Length; i++)
                scores[i] = random.NextSingle();
            var best = All(units, tags).Where(Allowed).MaxBy(sequence => Sum(sequence, scores, tags))!;
            var found = EntityTags.Decode(scores, tags);
            Assert.IsTrue(Allowed(found), string.Join(" ", found));
            Assert.AreEqual(Sum(best, scores, tags), Sum(found, scores, tags), 1e-6);
        }
        Assert.IsEmpty(EntityTags.Decode([], 3));

        static double Sum(int[] sequence, float[] scores, int tags) => sequence.Select((tag, unit) => (double)scores[unit * tags + tag]).Sum();

        static bool Allowed(int[] sequence) => sequence.Select((tag, unit) => tag == 0 || tag % 2 == 1
            || unit > 0 && (sequence[unit - 1] == tag || sequence[unit - 1] == tag - 1)).All(allowed => allowed);

        static IEnumerable<int[]> All(int units, int tags) => units == 0 ? [[]]
            : All(units - 1, tags).SelectMany(head => Enumerable.Range(0, tags).Select(tag => (int[])[.. head, tag]));
    }
}
