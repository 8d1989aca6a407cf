using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Quickstart;

/// <summary>
/// Few labels: the class of a text from ten labeled examples a class, by the same stock trainer on the frozen embedding and on TF-IDF.
/// </summary>
public sealed class Classification
{
    private const int LabelsPerClass = 10;

    // The strength of the L2 penalty that suits a feature depends on its scale, so each kind gets its own choice, made on the labeled rows of the first draw.
    private static readonly float[] L2Choices = [30, 3, 0.3f, 0.03f];

    // ML.NET's default, 1e-7, takes twice the time for the same share of right classes.
    private const float Tolerance = 1e-4f;

    private readonly MLContext _mlContext;
    private readonly Document[] _training;
    private readonly Document[] _test;

    /// <summary>Takes the classes that have enough members.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="corpus">Training documents lend labels, held-out documents test.</param>
    /// <param name="fewestMembers">Training documents that a class must have.</param>
    public Classification(MLContext mlContext, Corpus corpus, int fewestMembers)
    {
        _mlContext = mlContext;
        FewestMembers = fewestMembers;
        Classes = corpus.Training.Where(document => document.Label.Length > 0).GroupBy(document => document.Label)
            .Where(group => group.Count() >= fewestMembers).Select(group => group.Key).Order(StringComparer.Ordinal).ToArray();
        var known = Classes.ToHashSet();
        _training = corpus.Training.Where(document => known.Contains(document.Label)).ToArray();
        _test = corpus.HeldOut.Where(document => known.Contains(document.Label)).ToArray();
    }

    /// <summary>The classes in play.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Training documents that a class must have.</summary>
    public int FewestMembers { get; }

    /// <summary>Held-out documents of these classes.</summary>
    public int TestCount => _test.Length;

    /// <summary>Whether there is anything to tell apart and to test on.</summary>
    public bool IsPossible => Classes.Count > 1 && _test.Length > 0;

    /// <summary>A random draw of ten labeled documents a class.</summary>
    public Document[] Draw(int seed)
    {
        var random = new Random(seed);
        return _training.GroupBy(document => document.Label).OrderBy(group => group.Key, StringComparer.Ordinal).SelectMany(group =>
        {
            var members = group.ToArray();
            random.Shuffle(members);
            return members.Take(LabelsPerClass);
        }).ToArray();
    }

    /// <summary>Share of held-out documents whose class is found through the frozen embedding, one value a draw.</summary>
    public double[] OnEmbedding(EncoderTransformer encoder, Document[][] draws) => Accuracies(draws, documents => Embed(encoder, documents));

    /// <summary>The same through TF-IDF.</summary>
    public double[] OnTfIdf(TfIdf tfidf, Document[][] draws) => Accuracies(draws, documents => Weigh(tfidf, documents));

    /// <summary>The chain that goes to production: embed, classify, name the class.</summary>
    public ITransformer Chain(EncoderTransformer encoder, Document[] labeled)
        => _mlContext.Transforms.Conversion.MapValueToKey("LabelKey", "Label")
            .Append(_mlContext.SelfSupervised().Embed(encoder))
            .Append(_mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("LabelKey", "Features", l1Regularization: 0, l2Regularization: BestL2(Embed(encoder, labeled)), optimizationTolerance: Tolerance))
            .Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(_mlContext.Data.LoadFromEnumerable(labeled.Select(TextRow.Of)));

    private double[] Accuracies(Document[][] draws, Func<Document[], IDataView> features)
    {
        var test = features(_test);
        var l2 = BestL2(features(draws[0]));
        return [.. draws.AsParallel().AsOrdered().Select(labeled => Accuracy(features(labeled), test, l2))];
    }

    private double Accuracy(IDataView training, IDataView test, float l2)
    {
        var model = _mlContext.Transforms.Conversion.MapValueToKey("LabelKey", "Label")
            .Append(_mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("LabelKey", "Features", l1Regularization: 0, l2Regularization: l2, optimizationTolerance: Tolerance))
            .Fit(training);
        return _mlContext.MulticlassClassification.Evaluate(model.Transform(test), "LabelKey").MicroAccuracy;
    }

    private float BestL2(IDataView labeled)
    {
        var split = _mlContext.Data.TrainTestSplit(labeled, testFraction: 0.3, seed: 1);
        var accuracies = L2Choices.AsParallel().AsOrdered().Select(l2 => Accuracy(split.TrainSet, split.TestSet, l2)).ToArray();
        return L2Choices[Array.IndexOf(accuracies, accuracies.Max())];
    }

    private IDataView Embed(EncoderTransformer encoder, Document[] documents)
    {
        var rows = _mlContext.Data.LoadFromEnumerable(documents.Select(TextRow.Of));
        return _mlContext.Data.Cache(encoder.Transform(rows), "Label", "Features");
    }

    private IDataView Weigh(TfIdf tfidf, Document[] documents)
    {
        var schema = SchemaDefinition.Create(typeof(WeighedRow));
        schema[nameof(WeighedRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, tfidf.Size);
        return _mlContext.Data.LoadFromEnumerable(documents.Select(document => WeighedRow.Of(tfidf, document)).ToArray(), schema);
    }

    private sealed class WeighedRow
    {
        public string Label { get; set; } = "";

        public VBuffer<float> Features { get; set; }

        public static WeighedRow Of(TfIdf tfidf, Document document)
        {
            var words = tfidf.Vector(document.Text).OrderBy(word => word.Key).ToArray();
            return new WeighedRow
            {
                Label = document.Label,
                Features = new VBuffer<float>(tfidf.Size, words.Length, words.Select(word => word.Value).ToArray(), words.Select(word => word.Key).ToArray()),
            };
        }
    }
}
