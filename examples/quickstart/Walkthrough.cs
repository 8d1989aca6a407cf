using System.Diagnostics;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Quickstart;

/// <summary>The quickstart from the text to the closing table, in the order in which it is shown.</summary>
public sealed class Walkthrough(Arguments arguments, Stopwatch clock)
{
    private const string EncoderFile = "encoder.ssl";
    private const int ShownResults = 3;
    private const int LabelDraws = 5;
    private const int QuestionsToSecondProcess = 200;
    private static readonly int[] CutOffs = [1, 5, 10];

    private static readonly string[] ExampleQueries =
        ["read all lines of a file", "wait until another thread has finished", "remove white space at both ends of a text", "check a certificate's signature"];

    private readonly MLContext _mlContext = new(seed: arguments.Seed);
    private readonly Report _report = new();

    /// <summary>Runs everything; with <c>--query</c> and an encoder from an earlier run only the search.</summary>
    /// <returns>The exit code.</returns>
    public int Run()
    {
        Directory.CreateDirectory(arguments.Output);
        var corpus = ReadCorpus();
        var saved = Path.Combine(arguments.Output, EncoderFile);
        if (arguments.Queries.Count > 0 && File.Exists(saved))
        {
            Console.WriteLine($"asking the encoder of an earlier run ({saved})");
            using var known = _mlContext.SelfSupervised().LoadEncoder(saved);
            ShowSearch(known, corpus, arguments.Queries);
            return 0;
        }

        // The baseline that reads words.
        var tfidf = new TfIdf(corpus.Training.SelectMany(document => new[] { document.Text, document.Pair }));
        var ranks = tfidf.Ranks([.. corpus.HeldOut.Select(document => document.Pair)], [.. corpus.HeldOut.Select(document => document.Text)]);
        AddRecall("tfidf", [.. CutOffs.Select(k => ranks.Count(rank => rank <= k) / (double)ranks.Length)]);

        // The same network before and after it has read the texts. A trainer makes a tokenizer by itself where it gets none; here both share one.
        var tokenizer = WordPieceTokenizer.Train(corpus.Training.SelectMany(document => new[] { document.Text, document.Pair }));
        var rows = _mlContext.Data.LoadFromEnumerable(corpus.Training.Select(TextRow.Of).ToArray());
        using var untrained = Pretrain(rows, tokenizer, epochs: 0);
        AddRecall("untrained", Search.Recall(_mlContext, untrained, corpus.HeldOut, CutOffs));

        Console.WriteLine($"pretraining on {corpus.Training.Count:N0} pairs, no labels, epochs: {arguments.Epochs}");
        var start = clock.Elapsed;
        using var pretrained = Pretrain(rows, tokenizer, arguments.Epochs);
        _report.Add("seconds/pretraining", (clock.Elapsed - start).TotalSeconds, "s");
        AddRecall("pretrained", Search.Recall(_mlContext, pretrained, corpus.HeldOut, CutOffs));
        _mlContext.SelfSupervised().SaveEncoder(pretrained, saved);

        ShowSearch(pretrained, corpus, arguments.Queries.Count > 0 ? arguments.Queries : arguments.Data is null ? ExampleQueries : [.. corpus.HeldOut.Take(3).Select(d => d.Pair)]);
        var model = Classify(corpus, tfidf, untrained, pretrained) ?? pretrained;
        var same = CompareProcesses(model, corpus);

        _report.Add("seconds/total", clock.Elapsed.TotalSeconds, "s");
        _report.Print();
        var results = Path.Combine(arguments.Output, "results.json");
        _report.Save(results, arguments.Seed, $"{corpus.Source}: {corpus.Training.Count:N0} pairs, {corpus.HeldOut.Count:N0} held out", arguments.Epochs);
        Console.WriteLine($"\nseed {arguments.Seed}; figures in {results}. Ask it something:  dotnet run -c Release --project examples/quickstart -- --query \"...\"");
        return same ? 0 : 1;
    }

    private Corpus ReadCorpus()
    {
        var start = clock.Elapsed;
        var (heldOut, limit) = arguments.Small ? (60, 600) : (2_000, int.MaxValue);
        Corpus corpus;
        if (arguments.Data is { } path)
            corpus = Corpus.Create(path, UserText.Read(path, arguments.Columns), heldOut, limit, arguments.Seed);
        else
        {
            var sdk = ReferenceDocumentation.FindSdk();
            corpus = Corpus.Create("the .NET reference documentation", ReferenceDocumentation.Read(sdk), heldOut, limit, arguments.Seed);
        }
        Console.WriteLine($"read {corpus.Source}: {corpus.DocumentsRead:N0} pairs of texts, {corpus.Training.Count + corpus.HeldOut.Count:N0} without duplicates, "
            + $"{corpus.HeldOut.Count:N0} held out ({(clock.Elapsed - start).TotalSeconds:0.0} s)");
        return corpus;
    }

    /// <summary>The whole of the learning: an estimator like any other of ML.NET.</summary>
    private EncoderTransformer Pretrain(IDataView rows, TextTokenizer tokenizer, int epochs)
    {
        using var progress = new ConsoleProgress();
        return _mlContext.SelfSupervised().Text.PairedContrastive(new PairedContrastiveTrainer.Options
        {
            InputColumnName = nameof(TextRow.Text),
            PairColumnName = nameof(TextRow.Pair),
            Encoder = TextEncoders.Bag(embeddingDimension: 256, tokenDimension: 512),
            Tokenizer = tokenizer,
            NumberOfEpochs = epochs,
            BatchSize = arguments.Small ? 64 : 512,
            LearningRate = 2e-3,
            Progress = epochs > 0 ? progress : null,
        }).Fit(rows);
    }

    private void AddRecall(string side, double[] recall)
    {
        for (var i = 0; i < CutOffs.Length; i++)
            _report.Add($"recall@{CutOffs[i]}/{side}", recall[i], "share");
    }

    private void ShowSearch(EncoderTransformer encoder, Corpus corpus, IReadOnlyList<string> queries)
    {
        var all = corpus.All.ToArray();
        using var search = new Search(_mlContext, encoder, all, ShownResults);
        foreach (var (query, found) in queries.Zip(search.Ask(queries)))
        {
            Console.WriteLine($"\n  \"{(query.Length > 100 ? query[..100] + "..." : query)}\"");
            foreach (var (name, score) in found.Neighbors.Zip(found.Scores))
                Console.WriteLine($"    {score:0.00}  {name}");
        }
        Console.WriteLine();
    }

    private ITransformer? Classify(Corpus corpus, TfIdf tfidf, EncoderTransformer untrained, EncoderTransformer pretrained)
    {
        var task = new Classification(_mlContext, corpus, arguments.Small ? 12 : 100);
        if (!task.IsPossible)
            return null;
        var draws = Enumerable.Range(0, arguments.Small ? 1 : LabelDraws).Select(task.Draw).ToArray();
        Console.WriteLine($"classification: {task.Classes.Count} classes with at least {task.FewestMembers} members, 10 labels each, "
            + $"label draws: {draws.Length}, held-out texts: {task.TestCount:N0}");
        AddAccuracy("tfidf", task.OnTfIdf(tfidf, draws));
        AddAccuracy("untrained", task.OnEmbedding(untrained, draws));
        AddAccuracy("pretrained", task.OnEmbedding(pretrained, draws));
        return task.Chain(pretrained, draws[0]);
    }

    private void AddAccuracy(string side, double[] values)
    {
        var mean = values.Average();
        var spread = values.Length < 2 ? (double?)null : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        _report.Add($"namespace-accuracy/{side}", mean, "share", spread);
    }

    private bool CompareProcesses(ITransformer model, Corpus corpus)
    {
        var (questions, sameLabels, difference) = SecondProcess.Compare(_mlContext, model, arguments.Output, [.. corpus.HeldOut.Take(QuestionsToSecondProcess)]);
        Console.WriteLine($"saved, loaded in a second process: {sameLabels} of {questions} predictions the same, largest difference of an embedding value {difference:0.0e+0}");
        return sameLabels == questions && difference < 1e-4;
    }
}
