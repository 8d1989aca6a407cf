using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// Judges what may help on labeled rows that it has not seen, and makes one model of what does. A candidate gives log-odds (in a regression
/// the value) of every held-out row; those are calibrated, weighed against each other, and fitted once more on all labeled rows.
/// </summary>
internal sealed class FewLabelsSearch : IDisposable
{
    // A copy of the encoder for every fold takes most of the time: no more of them than held-out rows are needed to tell candidates apart.
    private const int FoldsOfAdaptation = 3, HeldRowsOfAdaptation = 200;

    // How self-training goes: labeled rows count so much against a row that the model is sure of, and so often it is asked.
    private const double LabeledWeight = 10;
    private const int Rounds = 3;

    // Under a stronger penalty the log-odds are so small that the bias, which has none, drowns them in the soft labels.
    private const double StrongestToTeach = 1;

    private static readonly TimeSpan s_shortestTraining = TimeSpan.FromSeconds(1);

    // Imagined rows that speak for the class shares. In a regression the mean would draw every value towards it.
    private const double RowsForClassShares = 2;

    // Of its own: the user's would be asked for random numbers.
    private readonly MLContext _trainers = new(seed: 0);
    private readonly PredictionTask _task;
    private readonly FewLabelsTrainer.Options _options;
    private readonly float[][] _rows;
    private readonly double[] _labels;
    private readonly int _inputSlots;
    private readonly Action<FewLabelsCandidate> _judged;
    private readonly Action<string> _tell;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly TimeSpan? _limit;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly FeatureSpace _space;
    private readonly Tensor _targets;
    private readonly (int[] Used, int[] Held)[] _folds;
    private readonly int _outputs;
    private readonly PlainRows? _plain;
    private readonly FeatureSpace? _plainSpace;
    private readonly EncoderAdaptation? _adaptation;
    private PretrainingMethod? _adapted;

    /// <param name="task">What is predicted.</param>
    /// <param name="options">The settings.</param>
    /// <param name="random">Cuts the folds.</param>
    /// <param name="rows">Vectors of the labeled rows.</param>
    /// <param name="labels">Their labels.</param>
    /// <param name="unlabeled">Vectors of the unlabeled rows.</param>
    /// <param name="inputSlots">Slots of the vectors that are the row's own cells.</param>
    /// <param name="plain">What stands plainly in the same rows; null where that is not to be tried. The caller's.</param>
    /// <param name="adaptation">Adapts the encoder that the vectors come from; null where that is not to be tried.</param>
    /// <param name="limit">Time after which nothing more is tried; null for none.</param>
    /// <param name="judged">Told of every candidate.</param>
    /// <param name="tell">Gets lines for the log.</param>
    public FewLabelsSearch(PredictionTask task, FewLabelsTrainer.Options options, Random random, float[][] rows,
        double[] labels, float[][] unlabeled, int inputSlots, PlainRows? plain, EncoderAdaptation? adaptation, TimeSpan? limit,
        Action<FewLabelsCandidate> judged, Action<string> tell)
    {
        (_task, _options, _rows, _labels, _inputSlots, _plain, _adaptation) = (task, options, rows, labels, inputSlots, plain, adaptation);
        (_limit, _judged, _tell, _outputs) = (limit, judged, tell, FewLabelsModel.OutputsOf(task));
        using var noGrad = no_grad();
        _space = new FeatureSpace(Matrix(rows), Matrix(unlabeled));
        _plainSpace = plain is null ? null : new FeatureSpace(plain.Labeled, plain.Unlabeled);
        _targets = Targets(labels);
        _folds = adaptation is not null ? FoldsToAdapt(Cut(random, FoldsOfAdaptation))
            : [.. Enumerable.Range(0, labels.Length < LabeledRowSearch.RowsForOneCut ? 2 : 1).SelectMany(_ => Cut(random, int.MaxValue))];

        Tensor Matrix(float[][] vectors) => tensor(vectors.SelectMany(vector => vector).ToArray(), [vectors.Length, rows[0].Length]);
    }

    private bool IsRegression => _task.Kind == PredictionKind.Regression;

    private bool IsOver => _options.CancellationToken.IsCancellationRequested || _clock.Elapsed > (_limit ?? TimeSpan.MaxValue);

    /// <summary>Tries everything and makes the model.</summary>
    /// <param name="inputColumn">The column of vectors.</param>
    /// <returns>The model, and the encoders whose embeddings stand behind the column's vectors in it, where they pay.</returns>
    public (FewLabelsModel Model, FewLabelsEncoders Encoders) Run(string inputColumn)
    {
        using var noGrad = no_grad();
        var candidates = new List<Candidate>();
        Add(Linear("linear", Frozen, _rows[0].Length, out var teacher));
        if (_inputSlots > 0 && _inputSlots < _rows[0].Length && !IsOver)
            Add(Linear("linear on the cells", Frozen, _inputSlots, out _));
        if (_plain is not null && Goes($"linear on the {_plain.Encoder.What}"))
            Add(Linear($"linear on the {_plain.Encoder.What}", Plain, PlainSlots, out _));
        var (both, bothTeach) = (_plain is not null && Goes("linear on both") ? Spaces.Of(0, _space.Beside(_plainSpace!), readsPlain: true) : null, (Teacher?)null);
        if (both is not null)
            Add(Linear("linear on both", both, _rows[0].Length + PlainSlots, out bothTeach) with { Usage = _options.PlainFeatures });
        var usesTrees = _options.Trees == FewLabelsTrainer.Usage.Always
            || _options.Trees == FewLabelsTrainer.Usage.WhenItPays && (_inputSlots > 0 || _plain is { Encoder.SuitsTrees: true });
        if (usesTrees && Goes("boosted trees") && Trees() is { } trees)
            Add(trees);
        if (SelfTrains && Goes("self-training"))
            SelfTrained("self-training", Frozen, teacher).ForEach(Add);
        if (SelfTrains && both is not null && Goes("self-training on both"))
            SelfTrained("self-training on both", both, bothTeach!).ForEach(Add);
        if (_adaptation is not null && Goes("adapted encoder"))
            Adapted().ForEach(Add);
        Add(Base());

        var shares = Shares(candidates);
        // What nobody reads is not in the model: what stands behind it moves up.
        var readsPlain = candidates.Zip(shares).Any(pair => pair.Second > 0 && pair.First.Space is { ReadsPlain: true });
        int Place(int slot) => slot >= _rows[0].Length + PlainSlots && !readsPlain ? slot - PlainSlots : slot;
        var tried = new List<FewLabelsCandidate>();
        var parts = new List<LinearPart>();
        TreePart? treePart = null;
        float[]? baseline = null;
        var baseShare = 0.0;
        foreach (var (candidate, share) in candidates.Zip(shares))
        {
            tried.Add(candidate.Judgment with { Share = share });
            if (share == 0 && candidate.Baseline is null)
                continue;
            if (candidate.Baseline is { } found)
                (baseline, baseShare) = (found, share);
            else if (candidate.Trees is { } grow)
                treePart = new TreePart(grow(), Place(candidate.Space!.FirstSlot), candidate.Temperature, share);
            else
                parts.Add(new LinearPart(candidate.Weights!(), Place(candidate.Space!.FirstSlot), candidate.Temperature, share));
        }
        var dimension = _rows[0].Length + (readsPlain ? PlainSlots : 0) + (_adapted is null ? 0 : _adaptation!.Dimension);
        var model = new FewLabelsModel(_task, inputColumn, dimension, parts, treePart, baseline!, baseShare, tried);
        return (model, new FewLabelsEncoders(readsPlain ? _plain!.Encoder.Model : null, _adapted is null ? null : _adaptation!.ToModel(_adapted)));

        void Add(Candidate candidate)
        {
            candidates.Add(candidate);
            _judged(candidate.Judgment);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _adapted?.Dispose();
        _scope.Dispose();
    }

    private bool SelfTrains => !IsRegression && _space.Unlabeled.shape[0] > 0 && _options.SelfTraining != FewLabelsTrainer.Usage.Never;

    private int PlainSlots => _plain?.Slots ?? 0;

    private Spaces Frozen => Spaces.Of(0, _space);

    // The plain vectors stand behind those of the column.
    private Spaces Plain => Spaces.Of(_rows[0].Length, _plainSpace!, readsPlain: true);

    // What is left out for want of time is told.
    private bool Goes(string name)
    {
        if (!IsOver)
            return true;
        _tell($"  {name}: not tried, the time is over");
        return false;
    }

    private Candidate Linear(string name, Spaces spaces, int slots, out Teacher teacher)
    {
        using var scope = NewDisposeScope();
        var path = LabeledRowSearch.Penalties(spaces.OfFold(0).IsSparse && !IsRegression);
        var held = path.Select(_ => new List<Tensor>()).ToArray();
        foreach (var (number, (used, kept)) in _folds.Index())
        {
            using var fold = NewDisposeScope();
            var features = spaces.OfFold(number).Labeled.narrow(1, 0, slots);
            var (x, y, z) = (LinearModels.Take(features, used), LinearModels.Take(_targets, used), LinearModels.Take(features, kept));
            Tensor? last = null;
            for (var i = 0; i < path.Length; i++)
            {
                last = FitLinear(x, y, null, path[i], i > 0 && path[i].L1 == path[i - 1].L1 ? last : null);
                held[i].Add(LinearModels.Outputs(z, last).MoveToOuterDisposeScope());
            }
        }
        var judged = path.Select((penalty, i) => Judge(name, Describe(penalty), cat([.. held[i]]))).ToArray();
        var best = judged.MinBy(candidate => candidate.Judgment.Loss)!;
        var penalty = path[Array.IndexOf(judged, best)];
        var (ofTeacher, teaching) = path.Zip(judged).Where(pair => pair.First.L2 <= StrongestToTeach).MinBy(pair => pair.Second.Judgment.Loss);
        teacher = new Teacher(ofTeacher, teaching.Temperature);
        return best with
        {
            Space = spaces,
            Weights = () =>
            {
                using var final = NewDisposeScope();
                var space = spaces.Final();
                return space.Unscaled(Floats(FitLinear(space.Labeled.narrow(1, 0, slots), _targets, null, penalty, null)), _outputs);
            },
        };
    }

    // Calibrated soft labels, squared so that what is sure counts more, weighted by how sure the model is of the row.
    private List<Candidate> SelfTrained(string name, Spaces spaces, Teacher teacher)
    {
        using var scope = NewDisposeScope();
        var held = new List<Tensor>();
        foreach (var (number, (used, kept)) in _folds.Index())
        {
            if (IsOver)
                return [];
            using var fold = NewDisposeScope();
            var space = spaces.OfFold(number);
            var parameters = Train(LinearModels.Take(space.Labeled, used), LinearModels.Take(_targets, used), space.Unlabeled);
            held.Add(LinearModels.Outputs(LinearModels.Take(space.Labeled, kept), parameters).MoveToOuterDisposeScope());
        }
        return [Judge(name, string.Create(CultureInfo.InvariantCulture, $"{spaces.OfFold(0).Unlabeled.shape[0]:N0} unlabeled rows, {Describe(teacher.Penalty)}"),
            cat([.. held])) with
        {
            Usage = _options.SelfTraining,
            Space = spaces,
            Weights = () =>
            {
                using var final = NewDisposeScope();
                var space = spaces.Final();
                return space.Unscaled(Floats(Train(space.Labeled, _targets, space.Unlabeled)), _outputs);
            },
        }];

        Tensor Train(Tensor features, Tensor targets, Tensor unlabeled)
        {
            using var training = NewDisposeScope();
            var parameters = FitLinear(features, targets, null, teacher.Penalty, null);
            var all = cat([features, unlabeled]);
            for (var round = 0; round < Rounds; round++)
            {
                var sharp = LinearModels.Outputs(unlabeled, parameters).mul(Number(2 / teacher.Temperature)).softmax(1);                         // [U, K]
                var sure = sharp.max(1).values;
                var weights = cat([full([features.shape[0]], Number(LabeledWeight), ScalarType.Float32), sure]);
                parameters = FitLinear(all, cat([targets, sharp]), weights, teacher.Penalty, parameters);
            }
            return parameters.MoveToOuterDisposeScope();
        }
    }

    // A copy of the encoder for every fold, which has not seen the held-out rows, and one of all labeled rows for the model.
    private List<Candidate> Adapted()
    {
        using var scope = NewDisposeScope();
        var spaces = new FeatureSpace[_folds.Length];
        var (limit, embedding) = ((TimeSpan?)null, _limit is null ? TimeSpan.Zero : _adaptation!.EstimateEmbedding());
        for (var fold = 0; fold < _folds.Length; fold++)
        {
            var share = TimeForOneOf(_folds.Length - fold + 1);
            // Training goes first; what it leaves of the share is for the unlabeled rows.
            limit = share - TimeSpan.FromTicks(Math.Min(embedding.Ticks, ((share ?? TimeSpan.Zero) * EncoderAdaptation.EmbeddingShare).Ticks));
            if (limit < s_shortestTraining)
            {
                // Known only now: how long all rows take to embed.
                _tell(FormattableString.Invariant($"  adapted encoder: given up after {fold} of {_folds.Length} folds, the time is too short"));
                return [];
            }
            _tell(FormattableString.Invariant($"  adapting the encoder to the labeled rows of fold {fold + 1} of {_folds.Length}"));
            var before = _clock.Elapsed;
            using var trained = _adaptation!.Train(_folds[fold].Used, limit, _options.CancellationToken);
            if (_options.CancellationToken.IsCancellationRequested)
                return [];
            if (share is { } whole && _adaptation.KeepWhatFits(embedding, whole - (_clock.Elapsed - before)) is { } kept)
                _tell(FormattableString.Invariant($"  {kept:N0} unlabeled rows from now on: all take {embedding.TotalSeconds:0} s to embed, of {whole.TotalSeconds:0} s for a copy"));
            before = _clock.Elapsed;
            spaces[fold] = _adaptation.Embed(trained);
            embedding = _clock.Elapsed - before;
        }
        FeatureSpace? all = null;
        var found = new Spaces(_rows[0].Length + PlainSlots, fold => spaces[fold], () => all ??= EmbedForAll(limit));
        var candidates = new List<Candidate>
        {
            Linear("adapted encoder", found, _adaptation!.Dimension, out var teacher) with { Usage = _options.Adaptation },
        };
        if (SelfTrains && Goes("self-training on the adapted encoder"))
            candidates.AddRange(SelfTrained("self-training on the adapted encoder", found, teacher));
        return candidates;
    }

    // A copy that learned of all labeled rows; several models are fitted on it, each in a scope of its own.
    private FeatureSpace EmbedForAll(TimeSpan? limit)
    {
        _tell("  adapting the encoder to all labeled rows");
        _adapted = _adaptation!.Train([.. Enumerable.Range(0, _labels.Length)], limit, _options.CancellationToken);
        var all = _adaptation.Embed(_adapted);
        all.Labeled.MoveToOtherDisposeScope(_scope);
        all.Unlabeled.MoveToOtherDisposeScope(_scope);
        return all;
    }

    // The rest of the time in equal parts; some of it is left for what is fitted on the embeddings.
    private TimeSpan? TimeForOneOf(int parts) => _limit is { } limit ? 0.8 * (limit - _clock.Elapsed) / parts : null;

    private Candidate? Trees()
    {
        var plain = _inputSlots == 0 && _plain is { Encoder.SuitsTrees: true } ? _plain : null;
        float[][] cells = plain is not null ? [.. Floats(plain.Labeled).Chunk(PlainSlots)]
            : [.. _rows.Select(row => row[..(_inputSlots > 0 ? _inputSlots : row.Length)])];
        Candidate? best = null;
        foreach (var settings in LabeledRowSearch.Trees)
        {
            if (settings.RowsPerLeaf * 4 > _rows.Length && best is not null || IsOver)
                break;
            var held = new List<float>();
            foreach (var (used, kept) in _folds)
            {
                var trees = Grow([.. used.Select(i => cells[i])], [.. used.Select(i => _labels[i])], settings);
                var outputs = new double[_outputs];
                foreach (var row in kept)
                {
                    trees.Score(cells[row], outputs);
                    held.AddRange(outputs.Select(output => (float)output));
                }
            }
            using var scope = NewDisposeScope();
            var judged = Judge("boosted trees", string.Create(CultureInfo.InvariantCulture,
                $"{settings.Leaves} leaves, {settings.RowsPerLeaf} rows a leaf, {settings.Rounds} rounds"), tensor(held.ToArray()).view(-1, _outputs));
            if (best is null || judged.Judgment.Loss < best.Judgment.Loss)
                best = judged with
                {
                    Usage = _options.Trees,
                    Space = plain is null ? Frozen : Plain,
                    Trees = () => Grow(cells, _labels, settings),
                };
        }
        return best;

        TreeEnsemble Grow(float[][] rows, double[] labels, TreeSettings settings)
            => TreeEnsemble.Fit(_trainers, rows, [.. labels.Select(label => IsRegression ? Standardized(label) : (float)label)], IsRegression ? 0 : _outputs, settings);
    }

    // What holds whatever the row: with hardly any labels it is the hardest to beat.
    private Candidate Base()
    {
        using var scope = NewDisposeScope();
        var held = new List<Tensor>();
        foreach (var (used, kept) in _folds)
            held.Add(Of(LinearModels.Take(_targets, used)).expand(kept.Length, -1));
        var baseline = Floats(IsRegression ? Of(_targets) : Of(_targets).exp());
        return Judge(IsRegression ? "mean" : "class shares", "for every row", cat([.. held]), calibrates: false) with { Baseline = baseline };

        // A tenth of a row more for every class, so that none is impossible.
        Tensor Of(Tensor targets)
        {
            if (IsRegression)
                return targets.mean([0]);
            var counts = targets.sum(dim: 0L).add(Number(0.1), One);
            return counts.div(counts.sum()).log();
        }
    }

    private Candidate Judge(string name, string settings, Tensor outputs, bool calibrates = true)
    {
        var (values, held) = (Floats(outputs), HeldRows());
        if (IsRegression)
        {
            var errors = held.Select((row, i) => Math.Pow(values[i] - Standardized(_labels[row]), 2)).ToArray();
            var error = errors.Average();
            return new Candidate(new FewLabelsCandidate(name, settings, Math.Sqrt(error) * _task.Deviation,
                error * _task.Deviation * _task.Deviation, 0), 1, errors);
        }
        var right = held.Select((row, i) => Largest(values.AsSpan(i * _outputs, _outputs)) == (int)_labels[row]).Count(hit => hit);
        int[] classes = [.. held.Select(row => (int)_labels[row])];
        var calibrated = calibrates ? Calibration.Of(values, classes, HeldLabels) : Calibration.At(1, values, classes);
        return new Candidate(new FewLabelsCandidate(name, settings, (double)right / held.Length, calibrated.Loss, 0), calibrated.Temperature,
            calibrated.Likelihoods);
    }

    private double[] Shares(List<Candidate> candidates)
    {
        // In a regression: errors of the best candidate's size.
        var variance = candidates.Min(candidate => candidate.Held.Average());
        double[][] likelihoods = [.. candidates.Select(candidate => IsRegression
            ? candidate.Held.Select(error => Math.Exp(-error / (2 * Math.Max(variance, 1e-12)))).ToArray() : candidate.Held)];
        var repeats = likelihoods[0].Length / HeldLabels;
        // The class shares only dull what is surely better than they are.
        double[] shares = !IsRegression && candidates.SkipLast(1).Any(candidate => IsSurelyBetter(candidate.Held, candidates[^1].Held))
            ? [.. Stacking.Weights(likelihoods[..^1], repeats, 0), 0]
            : Stacking.Weights(likelihoods, repeats, IsRegression ? 0 : RowsForClassShares);
        for (var i = 0; i < shares.Length; i++)
        {
            // Asked for in any case: at least as much as its equals.
            if (candidates[i].Usage == FewLabelsTrainer.Usage.Always)
                shares[i] = Math.Max(shares[i], 1.0 / candidates.Count);
            else if (shares[i] < 0.02)
                shares[i] = 0;
        }
        var sum = shares.Sum();
        return [.. shares.Select(share => share / sum)];
    }

    // By more than two standard errors of the mean difference of log-losses: of the candidates of a few rows one is better by one of them by luck.
    private bool IsSurelyBetter(double[] likelihoods, double[] others)
    {
        var gains = likelihoods.Zip(others, (a, b) => Math.Log(Math.Max(a, 1e-12)) - Math.Log(Math.Max(b, 1e-12))).ToArray();
        var mean = gains.Average();
        return mean > 2 * Math.Sqrt(gains.Average(gain => (gain - mean) * (gain - mean)) / HeldLabels);
    }

    private Tensor FitLinear(Tensor features, Tensor targets, Tensor? weights, Penalty penalty, Tensor? start)
        => IsRegression ? LinearModels.Ridge(features, targets, penalty.L2)
            : SoftmaxRegression.Fit(new DenseDesign(features), targets, weights, penalty, start, cancellationToken: _options.CancellationToken);

    private Tensor Targets(double[] labels)
    {
        if (IsRegression)
            return tensor(labels.Select(Standardized).ToArray(), [labels.Length, 1]);
        var targets = new float[labels.Length * _outputs];
        for (var i = 0; i < labels.Length; i++)
            targets[i * _outputs + (int)labels[i]] = 1;
        return tensor(targets, [labels.Length, _outputs]);
    }

    private float Standardized(double label) => _task.Deviation > 0 ? (float)((label - _task.Mean) / _task.Deviation) : 0;

    private (int[] Used, int[] Held)[] Cut(Random random, int most)
        => LabeledRowSearch.Cut(IsRegression ? new double[_labels.Length] : _labels, Math.Min(_options.NumberOfFolds, most), random);

    // The first ones that have held-out rows enough.
    internal static (int[] Used, int[] Held)[] FoldsToAdapt((int[] Used, int[] Held)[] folds)
    {
        var (count, held) = (0, 0);
        while (count < folds.Length && held < HeldRowsOfAdaptation)
            held += folds[count++].Held.Length;
        return folds[..count];
    }

    // Labeled rows that are held out at all: not all are where an encoder is adapted.
    private int HeldLabels => Math.Min(_labels.Length, _folds.Sum(fold => fold.Held.Length));

    private int[] HeldRows() => [.. _folds.SelectMany(fold => fold.Held)];

    private static int Largest(ReadOnlySpan<float> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
                best = i;
        }
        return best;
    }

    private static float[] Floats(Tensor values)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, float>(values.contiguous().bytes).ToArray();
    }

    private static string Describe(Penalty penalty) => string.Create(CultureInfo.InvariantCulture,
        $"{(penalty.L1 > 0 ? $"L1 {penalty.L1:0.####}, " : "")}L2 {penalty.L2:0.####}");

    // Held: of every held-out row how likely its label was, in a regression the squared error.
    private sealed record Candidate(FewLabelsCandidate Judgment, double Temperature, double[] Held)
    {
        public FewLabelsTrainer.Usage Usage { get; init; }

        // What it reads; null for the class shares.
        public Spaces? Space { get; init; }

        public Func<float[]>? Weights { get; init; }

        public Func<TreeEnsemble>? Trees { get; init; }

        public float[]? Baseline { get; init; }
    }

    // The linear model whose answers are the soft labels of self-training.
    private sealed record Teacher(Penalty Penalty, double Temperature);

    // The vectors that a fold is fitted on, those that the model is, where they stand in a row of the model, and whether plain ones are among them.
    private sealed record Spaces(int FirstSlot, Func<int, FeatureSpace> OfFold, Func<FeatureSpace> Final, bool ReadsPlain = false)
    {
        // The same for every fold and the model.
        public static Spaces Of(int firstSlot, FeatureSpace space, bool readsPlain = false) => new(firstSlot, _ => space, () => space, readsPlain);
    }
}
