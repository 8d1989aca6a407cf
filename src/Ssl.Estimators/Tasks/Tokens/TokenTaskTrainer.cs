using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Training;
using Ssl.Estimators.Training.Optimizers;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Settings of the tasks that predict something of every token of a text.</summary>
public abstract class TokenTaskOptions : FineTuningOptions
{
    /// <summary>The defaults that are the same for every task.</summary>
    internal static class TokenDefaults
    {
        public const double WindowOverlap = 0.5;
    }

    /// <summary>
    /// A text that is longer than the encoder takes is read in windows, and each has this share of the one before it, so that a word stands
    /// far from a cut in one of them. In [0, 0.75].
    /// </summary>
    /// <value>The default value is 0.5.</value>
    [OptionRange(Minimum = 0, Maximum = UnitWindows.LargestOverlap)]
    public double WindowOverlap { get; set; } = TokenDefaults.WindowOverlap;
}

/// <summary>
/// What the tasks have in common that predict something of every token of a text: they need an encoder of texts that sees a token's context,
/// cut rows into windows, and train on these.
/// </summary>
/// <typeparam name="TTransformer">The fitted model.</typeparam>
public abstract class TokenTaskTrainer<TTransformer> : TaskTrainer<TTransformer> where TTransformer : class, ITransformer
{
    private protected TokenTaskTrainer(MLContext mlContext, string name, TokenTaskOptions options) : base(mlContext, name, options)
    {
    }

    /// <summary>Share of a window that the next one has, too.</summary>
    private protected double Overlap => ((TokenTaskOptions)Settings).WindowOverlap;

    /// <summary>Least tokens that the encoder must take.</summary>
    private protected virtual int LeastTokens => 3;

    private protected override void CheckEncoder(EncoderModel encoder) => FormatOf(encoder);

    /// <summary>How the encoder reads texts.</summary>
    /// <exception cref="InvalidOperationException">It reads something else, or tells nothing of single tokens in their context.</exception>
    private protected TextRowFormat FormatOf(EncoderModel encoder)
    {
        const string Advice = "Give an encoder that a text method pretrained with TextEncoders.Transformer, or a pretrained one "
            + "(mlContext.SelfSupervised().LoadPretrained).";
        if (encoder.Format is not TextRowFormat format)
            throw new InvalidOperationException($"{GetType().Name} needs an encoder of texts, got one of kind '{encoder.Modality}'. {Advice}");
        if (encoder.Network is not TextEncoder { IsContextual: true })
        {
            throw new InvalidOperationException($"What a word is in a text shows from the words around it, and this encoder ({encoder.Network.GetName()}) "
                + $"gives a word the same vector everywhere. {Advice}");
        }
        return format.Factory.MaximumTokens >= LeastTokens ? format
            : throw new InvalidOperationException($"{GetType().Name} needs an encoder of at least {LeastTokens} tokens, got one of {format.Factory.MaximumTokens}.");
    }

    /// <summary>Reads rows until they end or the caller cancels.</summary>
    /// <param name="input">The rows.</param>
    /// <param name="columns">The columns to read, in groups; each row brings one <see cref="RawRow"/> a group.</param>
    /// <param name="run">Where progress goes.</param>
    /// <param name="add">Takes the number of a row, from 0, and its groups, whose memory is valid during the call.</param>
    /// <returns>Whether all rows were read.</returns>
    private protected bool ReadRows(IDataView input, IReadOnlyList<IReadOnlyList<string>> columns, TaskRun run, Action<int, RawRow[]> add)
    {
        var preparation = new PreparationReporter(Settings.Progress, run.Inform, Settings.NumberOfEpochs);
        foreach (var (row, groups) in RowReader.Groups(new WatchedView(input, preparation.Row), columns).Index())
        {
            if (Settings.CancellationToken.IsCancellationRequested)
                return false;
            add(row, groups);
        }
        return !Settings.CancellationToken.IsCancellationRequested;
    }

    /// <summary>Trains on windows.</summary>
    /// <param name="model">The pretrained encoder.</param>
    /// <param name="windows">All that were read.</param>
    /// <param name="rows">Numbers of the rows that they are of.</param>
    /// <param name="areAll">Whether all rows were read; of others nothing is trained, since the caller canceled.</param>
    /// <param name="outputs">Outputs of the head a token.</param>
    /// <param name="create">Makes the method around a copy of the encoder and the head.</param>
    /// <param name="run">Device, seed, log.</param>
    /// <param name="words">What the features of words add to the head's outputs, on the CPU; null for nothing.</param>
    private protected HeadedEncoder Train(EncoderModel model, TokenWindows windows, List<int> rows, bool areAll, int outputs,
        Func<TextEncoder, PredictionHead, TokenMethod> create, TaskRun run, EmbeddingTable? words = null)
    {
        var (training, validation) = areAll ? Split(windows, rows, run.Streams.Shuffle) : (windows, null);
        var encoder = (TextEncoder)model.CreateTrainable(run.Streams);
        var head = new PredictionHead(encoder.TokenDimension, Settings.Head == FineTuningHead.Mlp ? encoder.TokenDimension : 0, outputs, run.Streams);
        using var method = create(encoder, head);
        var result = Train(method, training, (training.Count, BatchOrder.Count(training.Count, Settings.BatchSize, dropLast: false)),
            validation is null ? null : () => MeasureLoss(method, validation.InOrder(), run.Device), model, run, areAll ? Settings.CheckpointPath : null);
        return new HeadedEncoder(model.WithWeightsOf(encoder, run.Device, TrainingFacts.Of(GetType().Name, result)), head.Copy(), run.Device,
            typeof(TTransformer).Name, words);
    }

    // By rows: windows of one text overlap.
    private (TokenWindows Training, TokenWindows? Validation) Split(TokenWindows windows, List<int> rows, Random random)
    {
        if (Settings.ValidationFraction == 0)
            return (windows, null);
        int[] order = [.. rows];
        random.Shuffle(order);
        var count = Math.Min((int)Math.Round(Settings.ValidationFraction * order.Length), order.Length - 1);
        if (count == 0)
            throw NothingToValidateOn(order.Length);
        return (windows.Of(order[count..].ToHashSet()), windows.Of(order[..count].ToHashSet()));
    }
}

/// <summary>Supervised training of an encoder of texts with a head on its tokens.</summary>
internal abstract class TokenMethod : FineTuningMethod
{
    private readonly TextEncoder _tokens;

    /// <inheritdoc cref="FineTuningMethod(string, Encoder, PredictionHead, EncoderTuning)"/>
    protected TokenMethod(string name, TextEncoder encoder, PredictionHead head, EncoderTuning tuning) : base(name, encoder, head, tuning) => _tokens = encoder;

    /// <inheritdoc/>
    protected override Tensor Represent(Batch inputs) => _tokens.EncodeTokens((inputs as NumberedTokenBatch)?.Tokens ?? (TokenBatch)inputs);
}

/// <summary>
/// Softmax cross-entropy over T tags of every token that has one. What the head says is added to what another model says of the words, where there is one.
/// </summary>
internal sealed class TokenClassification : TokenMethod
{
    private const string ScoresName = "word_scores";

    private readonly double _labelSmoothing;

    /// <summary>The method.</summary>
    /// <param name="encoder">A copy of the pretrained encoder.</param>
    /// <param name="head">With T outputs.</param>
    /// <param name="tuning">Which weights of the encoder change.</param>
    /// <param name="labelSmoothing">Share of the target that is spread over all tags. From 0 to less than 1.</param>
    /// <param name="wordScores">What the other model says, which does not change: Single [1 + U, T], a row a word by its number. Null for nothing.</param>
    public TokenClassification(TextEncoder encoder, PredictionHead head, EncoderTuning tuning, double labelSmoothing, Tensor? wordScores = null)
        : base(nameof(TokenClassification), encoder, head, tuning)
    {
        _labelSmoothing = labelSmoothing;
        // Not in checkpoints: the same rows give it again.
        if (wordScores is not null)
            register_buffer(ScoresName, wordScores, persistent: false);
    }

    /// <inheritdoc/>
    protected override Tensor Predict(Batch inputs, Tensor outputs)
    {
        if (get_buffer(ScoresName) is not { } scores)
            return outputs;
        var words = ((NumberedTokenBatch)inputs).Words;
        return outputs.add(scores.index_select(0, words.flatten()).view(outputs.shape), One);        // [N, L, T]
    }

    /// <inheritdoc/>
    protected override StepLoss Loss(Tensor logits, Tensor labels)
    {
        var (scores, targets) = (logits.flatten(0, 1), labels.flatten());                           // [N * L, T], [N * L]
        var loss = nn.functional.cross_entropy(scores, targets, null, TokenWindows.Ignored, label_smoothing: _labelSmoothing);
        var counted = targets.ne(Number(TokenWindows.Ignored));
        var right = scores.detach().argmax(1).eq(targets).logical_and(counted).sum(ScalarType.Float32);
        return new StepLoss(loss, [("accuracy", right / counted.sum(ScalarType.Float32))]);
    }
}
