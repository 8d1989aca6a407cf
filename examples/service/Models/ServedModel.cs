using System.Collections.Concurrent;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace SearchService.Models;

/// <summary>
/// A model in memory, for any number of threads. It counts its users: the store that serves it is one, a computation under way another, and the last one
/// that releases it frees its native memory. So a model that was replaced ends with the last request that it answers.
/// </summary>
public sealed class ServedModel
{
    // Other processors round otherwise; a damaged encoder, or one of another library, is off by far more.
    private const float ProbeTolerance = 1e-3f;

    private static int s_inMemory;

    private readonly TransformerChain<ITransformer> _chain;
    private readonly EncoderTransformer _encoder;
    private readonly Dictionary<string, CatalogRow> _catalog;
    private readonly EnginePool<Neighbors> _search;
    private readonly EnginePool<Classes>? _classifier;
    private int _users = 1;

    internal ServedModel(MLContext mlContext, ITransformer chain, IReadOnlyList<CatalogRow> catalog, string version, Manifest manifest)
    {
        _chain = chain as TransformerChain<ITransformer> ?? new TransformerChain<ITransformer>(chain);
        Interlocked.Increment(ref s_inMemory);
        try
        {
            ITransformer[] stages = [.. _chain];
            _encoder = stages.OfType<EncoderTransformer>().SingleOrDefault() ?? throw new FormatException("Its chain has no encoder.");
            var search = stages.OfType<NearestNeighborsTransformer>().SingleOrDefault() ?? throw new FormatException("Its chain has no search.");
            _catalog = catalog.ToDictionary(row => row.Id);
            (Version, Created, TrainedOn, MostMatches) = (version, manifest.Created, manifest.TrainedOn, search.NumberOfNeighbors);

            // The stages behind the encoder, on vectors: what is embedded in one batch is looked up and classified row by row.
            _search = new EnginePool<Neighbors>(mlContext, search, Dimension);
            ITransformer[] behind = [.. stages.SkipWhile(stage => stage != search).Skip(1)];
            if (behind.Length > 0)
                _classifier = new EnginePool<Classes>(mlContext, new TransformerChain<ITransformer>(behind), Dimension);
            Labels = _classifier?.SlotNames(nameof(Classes.Score)) ?? [];
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>Models whose memory is not freed yet: 1, and 2 while one replaces the other.</summary>
    public static int InMemory => Volatile.Read(ref s_inMemory);

    /// <summary>First digits of the file's SHA-256.</summary>
    public string Version { get; } = "";

    /// <summary>When it was trained.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>What it learned from.</summary>
    public string TrainedOn { get; } = "";

    /// <summary>Since when it is in memory.</summary>
    public DateTimeOffset Loaded { get; } = DateTimeOffset.UtcNow;

    /// <summary>Length of an embedding.</summary>
    public int Dimension => _encoder.EmbeddingDimension;

    /// <summary>Rows of the catalog.</summary>
    public int CatalogRows => _catalog.Count;

    /// <summary>Rows that a search gives at most.</summary>
    public int MostMatches { get; }

    /// <summary>The classes; empty without a classifier.</summary>
    public IReadOnlyList<string> Labels { get; } = [];

    /// <summary>One more user, unless the last one is gone already.</summary>
    public bool TryUse()
    {
        for (var users = Volatile.Read(ref _users); users > 0;)
        {
            var before = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (before == users)
                return true;
            users = before;
        }
        return false;
    }

    /// <summary>One user less; the last one frees the weights and the index.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) != 0)
            return;
        _chain.Dispose();
        Interlocked.Decrement(ref s_inMemory);
    }

    /// <summary>The row of the catalog with that id; null where there is none.</summary>
    public CatalogRow? Row(string id) => _catalog.GetValueOrDefault(id);

    /// <summary>One embedding a text, computed together.</summary>
    public IReadOnlyList<float[]> Embed(IEnumerable<string> texts) => _encoder.Embed(texts);

    /// <summary>The nearest rows of the catalog.</summary>
    /// <param name="embedding">What is looked for.</param>
    /// <param name="count">How many rows at most.</param>
    /// <param name="except">The id of a row that does not count; null for none.</param>
    public IReadOnlyList<Match> Search(float[] embedding, int count, string? except = null)
    {
        var found = _search.Predict(embedding);
        var matches = new List<Match>(count);
        for (var i = 0; i < found.Ids.Length && matches.Count < count; i++)
        {
            // Where the catalog is smaller than what is asked for, the rest is empty.
            if (found.Ids[i] != "" && found.Ids[i] != except && _catalog[found.Ids[i]] is var row)
                matches.Add(new Match(row.Id, row.Text, row.Label, found.Scores[i]));
        }
        return matches;
    }

    /// <summary>The class of an embedding; null where the model has no classifier.</summary>
    public Prediction? Classify(float[] embedding)
    {
        if (_classifier is null)
            return null;
        var classes = _classifier.Predict(embedding);
        return new Prediction(classes.PredictedLabel,
            [.. Labels.Zip(classes.Score, (label, score) => new LabelScore(label, score)).OrderByDescending(label => label.Score)]);
    }

    /// <summary>Embeds a short text: whether it does is what readiness means.</summary>
    /// <exception cref="InvalidOperationException">The embedding holds something that is no number.</exception>
    public void Probe()
    {
        if (!Embed(["ready?"])[0].All(float.IsFinite))
            throw new InvalidOperationException("The model's embedding of a probe text holds values that are no numbers.");
    }

    /// <summary>Asks what the model was asked when it was trained.</summary>
    /// <exception cref="FormatException">It answers something else.</exception>
    internal void CheckProbe(Probe probe)
    {
        var embedding = Embed([probe.Text])[0];
        var norm = MathF.Sqrt(probe.Embedding.Sum(value => value * value));
        var difference = embedding.Length != probe.Embedding.Length ? float.NaN
            : embedding.Zip(probe.Embedding, (now, then) => Math.Abs(now - then)).Max();
        if (!(difference <= ProbeTolerance * norm))
            throw new FormatException($"Its embedding of '{probe.Text}' differs by {difference} from the one that it had when it was trained.");
        _ = Search(embedding, 1);
        _ = Classify(embedding);
    }

    /// <summary>Prediction engines of stages on a vector; one belongs to one thread at a time.</summary>
    private sealed class EnginePool<TResult> where TResult : class, new()
    {
        private readonly ConcurrentBag<PredictionEngine<Vector, TResult>> _idle = [];
        private readonly Func<PredictionEngine<Vector, TResult>> _create;
        private readonly DataViewSchema _schema;

        public EnginePool(MLContext mlContext, ITransformer stages, int dimension)
        {
            var input = SchemaDefinition.Create(typeof(Vector));
            input[nameof(Vector.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimension);
            _create = () => mlContext.Model.CreatePredictionEngine<Vector, TResult>(stages, inputSchemaDefinition: input);
            var first = _create();
            _schema = first.OutputSchema;
            _idle.Add(first);
        }

        public TResult Predict(float[] embedding)
        {
            if (!_idle.TryTake(out var engine))
                engine = _create();
            var result = engine.Predict(new Vector { Features = embedding });
            _idle.Add(engine);
            return result;
        }

        public IReadOnlyList<string> SlotNames(string column)
        {
            VBuffer<ReadOnlyMemory<char>> names = default;
            _schema[column].GetSlotNames(ref names);
            return [.. names.DenseValues().Select(name => name.ToString())];
        }
    }

    private sealed class Vector
    {
        public float[] Features { get; set; } = [];
    }

    private sealed class Neighbors
    {
        [ColumnName("Neighbors")]
        public string[] Ids { get; set; } = [];

        public float[] Scores { get; set; } = [];
    }

    private sealed class Classes
    {
        public string PredictedLabel { get; set; } = "";

        public float[] Score { get; set; } = [];
    }
}
