using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;
using Quickstart;
using Ssl.Estimators;
using Ssl.Estimators.Data;
using Ssl.Estimators.Tasks;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>
/// What pretraining is worth to tasks on words: entities in news (places, dates, amounts, marked by rules that no side sees) against a linear
/// tagger on the shapes of words, and questions on the .NET documentation against the member whose words fit best.
/// </summary>
public sealed partial class TokenTasks : BenchCase
{
    private const int Unlabeled = 4_700, TestTexts = 1_500, Questions = 12_000, TestQuestions = 1_000, Members = 5;

    // Taken for places wherever they stand; about every third is in no text of a hundred.
    private const string Places = "United States|New York|Los Angeles|San Francisco|Washington|Chicago|Boston|Florida|California|Texas|London|Britain|England|France|Paris|Germany|Berlin|"
        + "Italy|Rome|Spain|Madrid|Greece|Athens|Russia|Moscow|Ukraine|Turkey|Iraq|Baghdad|Najaf|Fallujah|Iran|Tehran|Israel|Jerusalem|Gaza|Afghanistan|Kabul|Pakistan|India|New Delhi|"
        + "China|Beijing|Hong Kong|Taiwan|Japan|Tokyo|South Korea|North Korea|Seoul|Indonesia|Jakarta|Australia|Sydney|Canada|Toronto|Mexico|Venezuela|Brazil|Cuba|Haiti|Sudan|Darfur|"
        + "South Africa|Nigeria|Kenya|Egypt|Saudi Arabia|Syria|Lebanon|Ireland|Scotland|Poland|Sweden|Norway|Austria|Switzerland|Netherlands|Belgium|Singapore|Malaysia|Thailand|Vietnam";

    [GeneratedRegex($@"\b(?:{Places})\b")]
    private static partial Regex Place();

    [GeneratedRegex(@"\b(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan\.|Feb\.|Aug\.|Sept\.|Oct\.|Nov\.|Dec\.)(?: \d{1,2})?(?:, (?:19|20)\d\d)?|(?:19|20)\d\d)(?!\w)")]
    private static partial Regex Date();

    [GeneratedRegex(@"\$\d[\d,.]*\d?(?: (?:million|billion|trillion))?|\b\d[\d,.]* (?:percent|million|billion|cents|dollars|euros)\b")]
    private static partial Regex Amount();

    [GeneratedRegex(@"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")]
    private static partial Regex NameWord();

    /// <inheritdoc/>
    public override string Name => "token-tasks";

    /// <inheritdoc/>
    public override int Minutes => 20;

    /// <inheritdoc/>
    public override string Description => "entities in news and questions on documentation: with and without pretraining, against a linear tagger and the best overlap of words";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        if (settings.Sets?.Contains("entities") ?? true)
            Entities(results, settings.Quick);
        if (settings.Sets?.Contains("questions") ?? true)
            Answers(results, settings.Quick);
        results.Note(FormattableString.Invariant($"Entities: AG News, {TestTexts:N0} test texts, F1 of whole entities; a transformer of 2 layers and 128 numbers, pretrained as a masked language model on {Unlabeled:N0} texts, then 15 epochs or 600 steps, whichever is more; the tagger: L-BFGS on word, shape, beginning and end of a word and of its two neighbors on each side, its penalty in five folds of the labeled texts. Mean of three draws of 100 labeled texts, one of 1,000."));
        results.Note(FormattableString.Invariant($"Questions: summaries of .NET members, the member to be named among {Members} of its type by what its parameters, result and exceptions say; every sixth is not there. {Questions:N0} to learn from, {TestQuestions:N0} of other types to test. Overlap: cosine of TF-IDF between the question and a member's name and text, none below the limit that is best on the training rows."));
    }

    private static void Entities(BenchResults results, bool quick)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        string[] texts = [.. BenchText.Labeled("ag-news", "train").Select(row => row.Text)];
        new Random(BenchResults.Seed).Shuffle(texts);
        var unlabeled = mlContext.Data.LoadFromEnumerable(texts.Take(quick ? 1_000 : Unlabeled).Select(text => new TextRow { Text = text }).ToArray());
        TaggedText[] test = [.. BenchText.Labeled("ag-news", "test").Take(quick ? 200 : TestTexts).Select(row => TaggedText.Of(row.Text))];
        results.Add("entities in the test texts", test.Sum(row => row.Kinds.Length), "");
        EncoderTransformer Encoder(int epochs) => mlContext.SelfSupervised().Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
        {
            // Capitals tell names: they are kept.
            Encoder = TextEncoders.Transformer(maximumTokens: 96), NumberOfEpochs = epochs, Seed = BenchResults.Seed, LowerCase = false,
        }).Fit(unlabeled);
        using var untrained = Encoder(0);
        using var pretrained = Encoder(quick ? 1 : 40);
        foreach (var (count, draws) in quick ? new[] { (50, 1) } : [(100, 3), (1_000, 1)])
        {
            var figures = new Dictionary<string, List<double>> { ["linear tagger"] = [], ["not pretrained"] = [], ["pretrained"] = [], ["pretrained, no features of words"] = [] };
            for (var draw = 0; draw < draws; draw++)
            {
                // Not among the texts that were pretrained on.
                TaggedText[] labeled = [.. texts.Skip(Unlabeled + draw * count).Take(count).Select(TaggedText.Of)];
                figures["linear tagger"].Add(Measure(mlContext, test, LinearTagger.Tag(mlContext, labeled, test)));
                foreach (var (name, encoder) in new[] { ("not pretrained", untrained), ("pretrained", pretrained), ("pretrained, no features of words", pretrained) })
                {
                    using var model = mlContext.SelfSupervised().FineTune.NamedEntities(new NamedEntitiesTrainer.Options
                    {
                        Encoder = encoder, LabelColumnName = "Label", StartColumnName = nameof(TaggedText.Starts), LengthColumnName = nameof(TaggedText.Lengths),
                        NumberOfEpochs = quick ? 2 : Math.Max(15, 600 * 16 / count), BatchSize = 16, Seed = draw,
                        UsesWordFeatures = !name.EndsWith("no features of words", StringComparison.Ordinal),
                    }).Fit(Keyed(mlContext, labeled));
                    figures[name].Add(mlContext.SelfSupervised().EvaluateTagging(model.Transform(Keyed(mlContext, test)), "Label", startColumnName: nameof(TaggedText.Starts), lengthColumnName: nameof(TaggedText.Lengths)).F1);
                }
            }
            foreach (var (name, values) in figures)
                Report(results, $"entities, {count} labeled texts, {name}", values.Average());
        }
    }

    private static void Answers(BenchResults results, bool quick)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var (training, test) = QuestionRow.Make(quick ? 300 : Questions, quick ? 100 : TestQuestions);
        results.Add("questions without an answer, share", test.Average(row => row.TrainingAnswer == "" ? 1.0 : 0), "");
        var limit = Overlap.BestLimit(training.Take(2_000).ToArray());
        Report(results, "questions, overlap of words", Overlap.Accuracy(test, limit));
        var data = mlContext.Data.LoadFromEnumerable(training);
        foreach (var epochs in quick ? new[] { 0 } : [0, 3])
        {
            using var encoder = mlContext.SelfSupervised().Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
            {
                InputColumnName = nameof(QuestionRow.Context), Encoder = TextEncoders.Transformer(maximumTokens: 192), NumberOfEpochs = epochs, Seed = BenchResults.Seed,
            }).Fit(data);
            using var model = mlContext.SelfSupervised().FineTune.QuestionAnswering(encoder, topK: 1, numberOfEpochs: quick ? 1 : 4).Fit(data);
            var metrics = mlContext.SelfSupervised().EvaluateAnswers(model.Transform(mlContext.Data.LoadFromEnumerable(test)));
            Report(results, $"questions, {(epochs == 0 ? "not pretrained" : "pretrained")}", metrics.ExactMatch);
            results.Add($"questions, {(epochs == 0 ? "not pretrained" : "pretrained")}, no answer told", metrics.UnansweredAccuracy ?? 0, "");
        }
    }

    private static void Report(BenchResults results, string name, double value)
    {
        Console.WriteLine(FormattableString.Invariant($"  {name}: {value:0.000}"));
        results.Add(name, value, "");
    }

    private static IDataView Keyed(MLContext mlContext, TaggedText[] rows)
    {
        var view = mlContext.Data.LoadFromEnumerable(rows);
        var kinds = mlContext.Data.LoadFromEnumerable(TaggedText.AllKinds.Select(kind => new KindRow { Value = kind }));
        return mlContext.Transforms.Conversion.MapValueToKey("Label", nameof(TaggedText.Kinds), keyData: kinds).Fit(view).Transform(view);
    }

    private static double Measure(MLContext mlContext, TaggedText[] test, List<EntitySpan>[] found)
    {
        var rows = test.Zip(found, (row, spans) => new ComparedText
        {
            Kinds = row.Kinds, Starts = row.Starts, Lengths = row.Lengths, EntityLabel = [.. spans.Select(span => TaggedText.AllKinds[span.Kind])],
            EntityStart = [.. spans.Select(span => row.Pieces[span.First].Start)],
            EntityLength = [.. spans.Select(span => row.Pieces[span.Last].End - row.Pieces[span.First].Start)],
        });
        return mlContext.SelfSupervised().EvaluateTagging(mlContext.Data.LoadFromEnumerable(rows), nameof(ComparedText.Kinds), startColumnName: nameof(ComparedText.Starts), lengthColumnName: nameof(ComparedText.Lengths)).F1;
    }

    private sealed class KindRow
    {
        public string Value { get; set; } = "";
    }

    private sealed class ComparedText
    {
        public string[] Kinds { get; set; } = [];

        public int[] Starts { get; set; } = [];

        public int[] Lengths { get; set; } = [];

        public string[] EntityLabel { get; set; } = [];

        public int[] EntityStart { get; set; } = [];

        public int[] EntityLength { get; set; } = [];
    }

    internal sealed class TaggedText
    {
        public static readonly string[] AllKinds = ["PLACE", "DATE", "AMOUNT"];

        public string Text { get; set; } = "";

        public string[] Kinds { get; set; } = [];

        public int[] Starts { get; set; } = [];

        public int[] Lengths { get; set; } = [];

        [NoColumn]
        public List<TextUnit> Pieces { get; set; } = [];

        public static TaggedText Of(string text)
        {
            var found = new[] { Place(), Date(), Amount() }.SelectMany((rule, kind) => rule.Matches(text).Select(match => (Kind: AllKinds[kind], match.Index, match.Length)))
                .OrderBy(entity => entity.Index).ToList();
            for (var i = 1; i < found.Count; i++)
            {
                if (found[i].Index < found[i - 1].Index + found[i - 1].Length)
                    found.RemoveAt(i--);
            }
            var row = new TaggedText
            {
                Text = text, Kinds = [.. found.Select(entity => entity.Kind)], Starts = [.. found.Select(entity => entity.Index)], Lengths = [.. found.Select(entity => entity.Length)],
            };
            TextUnits.Cut(text, UnitKind.Pieces, row.Pieces);
            return row;
        }

        public int[] Tags() => EntityTags.OfEntities(Pieces.Count, Kinds.Select((kind, i) => UnitSpan.Of(Pieces, Starts[i], Starts[i] + Lengths[i]) is { } span
            ? new EntitySpan(span.First, span.Last, Array.IndexOf(AllKinds, kind)) : default));
    }

    // What one builds on ML.NET alone: each piece a row, the words around it as features.
    private static class LinearTagger
    {
        private const int Folds = 5;

        private static readonly float[] s_penalties = [1e-3f, 1e-2f, 0.1f, 1];

        public static List<EntitySpan>[] Tag(MLContext mlContext, TaggedText[] labeled, TaggedText[] test)
        {
            var fold = labeled.Length / Folds;
            var best = s_penalties.MaxBy(penalty => Measure(mlContext, labeled[..(Folds * fold)], [.. Enumerable.Range(0, Folds).SelectMany(i => Tag(mlContext,
                [.. labeled[..(i * fold)], .. labeled[((i + 1) * fold)..]], labeled[(i * fold)..((i + 1) * fold)], penalty))]));
            return Tag(mlContext, labeled, test, best);
        }

        private static List<EntitySpan>[] Tag(MLContext mlContext, TaggedText[] labeled, TaggedText[] test, float penalty)
        {
            var slots = new Dictionary<string, int>();
            foreach (var feature in labeled.SelectMany(row => Enumerable.Range(0, row.Pieces.Count).SelectMany(i => Features(row, i))))
                slots.TryAdd(feature, slots.Count);
            var schema = SchemaDefinition.Create(typeof(PieceRow));
            schema[nameof(PieceRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, slots.Count);
            IEnumerable<PieceRow> Rows(TaggedText row)
            {
                var tags = row.Tags();
                return Enumerable.Range(0, row.Pieces.Count).Select(i => new PieceRow { Tag = tags[i], Features = Vector(slots, Features(row, i)) });
            }
            var count = 1 + 2 * TaggedText.AllKinds.Length;
            var model = mlContext.Transforms.Conversion.MapValueToKey("Label", nameof(PieceRow.Tag), keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
                .Append(mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: penalty))
                .Fit(mlContext.Data.LoadFromEnumerable(labeled.SelectMany(Rows), schema));
            var scored = model.Transform(mlContext.Data.LoadFromEnumerable(test.SelectMany(Rows), schema));
            VBuffer<int> values = default;
            scored.Schema["Label"].GetKeyValues(ref values);
            int[] seen = [.. values.DenseValues()];                         // a rare tag may be in no labeled text
            using var scores = scored.GetColumn<float[]>("Score").GetEnumerator();
            return [.. test.Select(row =>
            {
                var log = new float[row.Pieces.Count * count];
                Array.Fill(log, -30);
                for (var i = 0; i < row.Pieces.Count && scores.MoveNext(); i++)
                {
                    for (var slot = 0; slot < seen.Length; slot++)
                        log[i * count + seen[slot]] = MathF.Log(Math.Max(1e-12f, scores.Current[slot]));
                }
                return EntityTags.Entities(EntityTags.Decode(log, count));
            })];
        }

        private static IEnumerable<string> Features(TaggedText row, int piece)
        {
            for (var offset = -2; offset <= 2; offset++)
            {
                var at = piece + offset;
                var word = at < 0 ? "<" : at >= row.Pieces.Count ? ">" : row.Text.Substring(row.Pieces[at].Start, row.Pieces[at].Length);
                var shape = Regex.Replace(Regex.Replace(Regex.Replace(word, @"\p{Lu}", "X"), @"\p{Ll}", "x"), @"\d", "d");
                yield return $"{offset} word {word.ToLowerInvariant()}";
                yield return $"{offset} shape {Regex.Replace(shape, "(.)\\1{3,}", "$1$1$1+")}";
                yield return $"{offset} begins {word[..Math.Min(3, word.Length)]}";
                yield return $"{offset} ends {word[^Math.Min(3, word.Length)..]}";
            }
        }

        private static VBuffer<float> Vector(Dictionary<string, int> slots, IEnumerable<string> features)
        {
            int[] present = [.. features.Where(slots.ContainsKey).Select(feature => slots[feature]).Distinct().Order()];
            return new VBuffer<float>(slots.Count, present.Length, [.. present.Select(_ => 1f)], present);
        }

        private sealed class PieceRow
        {
            public int Tag { get; set; }

            public VBuffer<float> Features { get; set; }
        }
    }

    internal sealed class QuestionRow
    {
        public string Question { get; set; } = "";

        public string Context { get; set; } = "";

        public string TrainingAnswer { get; set; } = "";

        public int AnswerIndex { get; set; }

        [NoColumn]
        public List<(string Name, string Text)> Members { get; set; } = [];

        public static (QuestionRow[] Training, QuestionRow[] Test) Make(int training, int test)
        {
            var random = new Random(BenchResults.Seed);
            var types = ReferenceDocumentation.Read(ReferenceDocumentation.FindSdk())
                .Select(document => (Type: TypeOf(document.Name), Name: ShortName(document.Name), document.Text, document.Pair))
                .Where(member => member.Name.Length > 2 && member.Pair.Length >= 20)
                .GroupBy(member => member.Type).Select(type => type.DistinctBy(member => member.Name).DistinctBy(member => member.Text).DistinctBy(member => member.Pair).ToArray())
                .Where(type => type.Length > TokenTasks.Members).ToArray();
            random.Shuffle(types);
            var rows = new List<QuestionRow>();
            // A type is in one part only.
            for (var held = true; ; held = false)
            {
                var wanted = held ? test : test + training;
                var own = held ? types[..(types.Length / 5)] : types[(types.Length / 5)..];
                while (rows.Count < wanted)
                {
                    var type = own[random.Next(own.Length)];
                    random.Shuffle(type);
                    var (shown, none) = (type[..TokenTasks.Members], rows.Count % 6 == 5);
                    var asked = none ? type[TokenTasks.Members] : shown[random.Next(TokenTasks.Members)];
                    var row = new QuestionRow { Question = Cut(asked.Text, 25), Members = [.. shown.Select(member => (member.Name, Cut(member.Pair, 25)))] };
                    row.Context = string.Join(" ", row.Members.Select(member => $"{member.Name}: {member.Text}"));
                    (row.TrainingAnswer, row.AnswerIndex) = none ? ("", -1) : (asked.Name, 0);
                    foreach (var (name, text) in row.Members.TakeWhile(member => !none && member.Name != asked.Name))
                        row.AnswerIndex += name.Length + text.Length + 3;
                    rows.Add(row);
                }
                if (!held)
                    return ([.. rows.Skip(test)], [.. rows.Take(test)]);
            }
        }

        private static string Cut(string text, int words) => string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(words));

        private static string TypeOf(string name) => name.Split('(')[0] is var plain && plain.LastIndexOf('.') is > 0 and var dot ? plain[..dot] : "";

        private static string ShortName(string name) => name.Split('(')[0] is var plain ? string.Concat(plain[(plain.LastIndexOf('.') + 1)..].TakeWhile(c => char.IsLetterOrDigit(c))) : "";
    }

    // The member whose name and text have the most in common with the question.
    private static class Overlap
    {
        public static double BestLimit(QuestionRow[] rows) => Enumerable.Range(0, 20).Select(i => i * 0.02).MaxBy(limit => Accuracy(rows, limit));

        public static double Accuracy(QuestionRow[] rows, double limit)
        {
            var words = new TfIdf([.. rows.SelectMany(row => row.Members.Select(Words)).Distinct()]);
            return rows.Average(row =>
            {
                var question = words.Vector(row.Question);
                var (score, name) = row.Members.Select(member => (Score: Cosine(question, words.Vector(Words(member))), member.Name)).MaxBy(member => member.Score);
                return (score < limit ? "" : name) == row.TrainingAnswer ? 1.0 : 0;
            });
        }

        private static string Words((string Name, string Text) member) => string.Join(' ', NameWord().Matches(member.Name).Select(match => match.Value)) + " " + member.Text;

        private static double Cosine(Dictionary<int, float> first, Dictionary<int, float> second) => first.Sum(word => word.Value * (double)second.GetValueOrDefault(word.Key));
    }
}
