using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>The methods for time series. Draws come from streams of the same seed.</summary>
[TestClass]
public sealed class TimeSeriesTests
{
    private const int Seed = 1, Channels = 2;

    // Yue et al., 2022 (arXiv:2106.10466), sections 3.2 to 3.4: two overlapping stretches, timestamps hidden from the encoder in each,
    // equations 1 to 3 where they overlap and on every coarser scale; here the mean over scales and a weight between the two contrasts.
    [TestMethod]
    [DataRow(12, 12, 12)]
    [DataRow(12, 5, 2)]
    [ByHand(typeof(Ts2VecTrainer.Method))]
    public void Ts2VecEncodesOverlappingStretchesAlike(int length0, int length1, int length2)
    {
        const int window = 9;
        int[] lengths = [length0, length1, length2];
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = new TinySeriesEncoder();
        using var method = new Ts2VecTrainer.Method(encoder, streams,
            new() { MaskRatio = 0.3f, InstanceWeight = 0.2f, MaximumCropLength = window });
        var series = TestSeries.Of(lengths);
        var overlaps = new List<int>();
        for (var step = 0; step < 6; step++)
        {
            var loss = method.Loss([series]);
            // At least two timestamps overlap; then where, and how far each stretch reaches beyond.
            float[] draws = TestSeries.Floats(Draws.Uniform([4], CPU, same.Views));
            int overlap = 2 + Below(draws[0], window - 1), left = Below(draws[1], window - overlap + 1), right = left + overlap;
            int outerLeft = Below(draws[2], left + 1), outerRight = right + Below(draws[3], window - right + 1);
            float[] shifts = TestSeries.Floats(Draws.Uniform([3, 1], CPU, same.Views));
            int[] starts = [.. lengths.Select((length, i) => Below(shifts[i], Math.Max(1, length - (outerRight - outerLeft) + 1)))];
            // From a place behind the start of both, so many timestamps; a draw each says which are hidden.
            double[][][] first = Encoded(0, right - outerLeft), second = Encoded(left - outerLeft, outerRight - left);
            double[][][] a = [.. first.Select(rows => rows[(left - outerLeft)..])], b = [.. second.Select(rows => rows[..overlap])];
            bool[][] inside = [.. lengths.Select((length, i) => Enumerable.Range(0, overlap)
                .Select(t => starts[i] + left - outerLeft + t < length).ToArray())];
            Numbers.AreEqual(Hierarchical(a, b, inside, 0.2), loss.Total, $"loss of step {step}");
            overlaps.Add(overlap);

            double[][][] Encoded(int from, int count)
            {
                var hidden = Draws.Uniform([3, count], CPU, same.Masks).lt(0.3f);
                long[] places = [.. starts.SelectMany(start => Enumerable.Range(start + from, count).Select(t => (long)t))];
                var at = tensor(places, [3, count]);
                var stretch = new SeriesBatch(series.Values.gather(2, at.unsqueeze(1).expand(3, Channels, count)),
                    series.Mask.gather(1, at), series.Observed.gather(1, at));
                using var noGrad = no_grad();
                return Numbers.Cubes(encoder.EncodeSteps(stretch, hidden));
            }
        }
        Assert.IsTrue(overlaps.Max() >= 5 && overlaps.Distinct().Count() >= 3, string.Join(", ", overlaps));

        static int Below(float draw, int limit) => Math.Min((int)(draw * limit), limit - 1);
    }

    // Equations 1 (between timestamps) and 2 (between series), and algorithm 1: halved by the larger of two neighbors until one is left.
    private static double Hierarchical(double[][][] a, double[][][] b, bool[][] inside, double instanceWeight)
    {
        double sum = 0;
        var scales = 0;
        while (true)
        {
            int length = a[0].Length;
            double temporal = 0, instance = 0, count = inside.Sum(row => row.Count(place => place));
            for (var i = 0; i < a.Length; i++)
            {
                for (var t = 0; t < length; t++)
                {
                    if (!inside[i][t])
                        continue;
                    int[] times = [.. Enumerable.Range(0, length).Where(other => inside[i][other])];
                    int[] rows = [.. Enumerable.Range(0, a.Length).Where(other => inside[other][t])];
                    temporal += Both(t, times, other => a[i][other], other => b[i][other]) / count;
                    instance += Both(i, rows, other => a[other][t], other => b[other][t]) / count;
                }
            }
            sum += instanceWeight * instance + (length > 1 ? (1 - instanceWeight) * temporal : 0);
            scales++;
            if (length == 1)
                return sum / scales;
            (a, b, inside) = (Halved(a, inside), Halved(b, inside), [.. inside.Select(row => HalvedPlaces(row))]);
        }

        // The mean over both sides of -log softmax at the partner, among all others of both sides but itself.
        static double Both(int own, int[] all, Func<int, double[]> a, Func<int, double[]> b)
        {
            double one(Func<int, double[]> mine, Func<int, double[]> theirs) => Numbers.LogSumExp([
                .. all.Select(other => Numbers.Dot(mine(own), theirs(other))),
                .. all.Where(other => other != own).Select(other => Numbers.Dot(mine(own), mine(other)))])
                - Numbers.Dot(mine(own), theirs(own));
            return (one(a, b) + one(b, a)) / 2;
        }

        static bool[] HalvedPlaces(bool[] row) => [.. Enumerable.Range(0, row.Length / 2).Select(t => row[2 * t] || row[2 * t + 1])];

        static double[][][] Halved(double[][][] vectors, bool[][] inside) => [.. vectors.Select((rows, i) => Enumerable
            .Range(0, rows.Length / 2).Select(t => inside[i][2 * t + 1]
                ? rows[2 * t].Zip(rows[2 * t + 1], Math.Max).ToArray() : rows[2 * t]).ToArray())];
    }

    // Nie et al., 2023 (arXiv:2211.14730), section 3.2: the mean squared error of the hidden patches, of values normalized for each
    // channel of each series; what is padding or was not observed does not count. Each channel is masked on its own, or all of a series
    // together.
    [TestMethod]
    [DataRow(false, true)]
    [DataRow(true, true)]
    [DataRow(true, false)]
    [ByHand(typeof(MaskedPatchesTrainer.Method))]
    public void HiddenPatchesAreRebuilt(bool normalizes, bool separates)
    {
        const int patch = 4, length = 20;
        int[] lengths = [20, 14, 8];
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var encoder = (PatchTransformerEncoder)TimeSeriesEncoders
            .PatchTransformer(patch, numberOfLayers: 1, dimension: 8, numberOfHeads: 2, dropout: 0, normalizes, separates)
            .Create(new SeriesLayout(Channels, null), streams);
        using var method = new MaskedPatchesTrainer.Method(encoder, streams, new() { MaskRatio = 0.45f });
        var whole = TestSeries.Of(lengths);
        // Timestamp 3 of every series was not observed.
        var seen = arange(length).ne(3).unsqueeze(0);
        var series = new SeriesBatch(whole.Values * seen.unsqueeze(0), whole.Mask, whole.Observed.logical_and(seen));
        double[][][] values = [.. Numbers.Values(series.Values).Chunk(length).Chunk(Channels)];
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([series]);
            using var noGrad = no_grad();
            int rows = lengths.Length * (separates ? Channels : 1);
            double[][] draws = Numbers.Rows(Draws.Uniform([rows, length / patch], CPU, same.Masks));
            bool[][] hidden = [.. draws
                .Select((row, i) => Hidden(row, (lengths[separates ? i / Channels : i] + patch - 1) / patch))];
            bool[] flags = [.. hidden.SelectMany(row => row)];
            var encoded = encoder.EncodePrepared(encoder.Prepare(series), tensor(flags, [hidden.Length, length / patch]));
            double[][][] rebuilt = Numbers.Cubes(Steps.Child<LinearLayer>(method, "output").call(encoded));
            List<double> errors = [];
            for (var i = 0; i < lengths.Length; i++)
            {
                for (var c = 0; c < Channels; c++)
                {
                    double[] channel = values[i][c];
                    int[] observed = [.. Enumerable.Range(0, lengths[i]).Where(t => t != 3)];
                    double mean = normalizes ? observed.Average(t => channel[t]) : 0;
                    double deviation = normalizes ? Math.Sqrt(observed.Average(t => Math.Pow(channel[t] - mean, 2)) + 1e-5) : 1;
                    // A row for each channel, or the channels one after the other in a patch.
                    var (row, offset) = separates ? (i * Channels + c, 0) : (i, c * patch);
                    errors.AddRange(observed.Where(t => hidden[row][t / patch])
                        .Select(t => Math.Pow(rebuilt[row][t / patch][offset + t % patch] - (channel[t] - mean) / deviation, 2)));
                }
            }
            Numbers.AreEqual(errors.Average(), loss.Total, $"loss of step {step}");
        }

        // The lowest draws inside the series: 45 % of its patches, rounded; at least one, not all.
        static bool[] Hidden(double[] draws, int patches)
        {
            int count = Math.Clamp((int)Math.Round(0.45 * patches), 1, patches - 1);
            int[] chosen = [.. Enumerable.Range(0, patches).OrderBy(place => draws[place]).Take(count)];
            return [.. Enumerable.Range(0, draws.Length).Select(place => chosen.Contains(place))];
        }
    }

    // Eldele et al., 2021 (arXiv:2106.14112), section 3.2 (the past of one view predicts the future of the other, among those of the batch)
    // and section 3.3 (NT-Xent between the contexts), weighted.
    [TestMethod]
    [DataRow(2f, 0.5f)]
    [DataRow(2f, 0f)]
    [DataRow(0f, 0.5f)]
    [ByHand(typeof(TemporalContextualContrastTrainer.Method))]
    public void ThePastOfOneViewPredictsTheFutureOfTheOther(float temporalWeight, float contextualWeight)
    {
        const int sections = 16, future = 3, length = 36;
        int[] lengths = [36, 36, 27, 20];
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(Seed), same = new(Seed);
        var (weak, strong) = (new RecordedSeriesView(2), new RecordedSeriesView(3));
        var encoder = new TinySeriesEncoder();
        using var method = new TemporalContextualContrastTrainer.Method(encoder, streams, new()
        {
            WeakView = weak, StrongView = strong, Temperature = 0.3f, TemporalWeight = temporalWeight,
            ContextualWeight = contextualWeight, FutureSections = future,
        });
        var head = Steps.Child<ContextHead>(method, "context");
        var context = Steps.Child<TransformerStack>(head, "stack");
        context.eval(); // without its dropout
        var series = TestSeries.Of(lengths);
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([series]);
            Assert.HasCount(step + 1, weak.Returned);
            Assert.HasCount(step + 1, strong.Returned);
            int past = 1 + (int)(TestSeries.Floats(Draws.Uniform([1], CPU, same.Views))[0] * (sections - future));
            using var noGrad = no_grad();
            double[][][] fromWeak = Sections(weak.Returned[step]), fromStrong = Sections(strong.Returned[step]);
            double[][][] all = [.. fromWeak, .. fromStrong];
            var contexts = Contexts([.. all.Select(rows => rows[..past])]);
            double temporal = 0, contextual = 0;
            if (temporalWeight > 0)
            {
                double[][][] predicted = Numbers.Parts(Steps.Child<LinearLayer>(method, "prediction").call(contexts), 2);
                temporal = Temporal(predicted[0], fromStrong, past) + Temporal(predicted[1], fromWeak, past);
                Numbers.AreEqual(temporal, loss, "temporal");
            }
            if (contextualWeight > 0)
            {
                double[][][] z = Numbers.Parts(Steps.Child<ProjectionMlp>(method, "projection").call(contexts), 2);
                contextual = ContrastiveNaive.NtXent(z[0], z[1], 0.3);
                Numbers.AreEqual(contextual, loss, "contextual");
            }
            Numbers.AreEqual(temporalWeight * temporal + contextualWeight * contextual, loss.Total, $"loss of step {step}");
        }

        // The encoder's steps averaged to 16 sections of the series' own length, each brought to length 1.
        double[][][] Sections(float[] values)
        {
            var changed = new SeriesBatch(tensor(values, [lengths.Length, Channels, length]), series.Mask, series.Observed);
            double[][][] steps = Numbers.Cubes(encoder.EncodeSteps(changed));
            return [.. steps.Select((rows, i) => Enumerable.Range(0, sections).Select(section =>
            {
                int from = section * lengths[i] / sections, to = (section + 1) * lengths[i] / sections;
                double[][] own = rows[from..to];
                return Numbers.Unit([.. Enumerable.Range(0, rows[0].Length).Select(d => own.Average(row => row[d]))]);
            }).ToArray())];
        }

        // What a transformer says at a token before the past: [2N, 64].
        Tensor Contexts(double[][][] pasts)
        {
            var inputs = Steps.Child<LinearLayer>(head, "input").call(Numbers.ToTensor(pasts));
            var tokens = cat([Steps.Weight(head, "token").expand(inputs.shape[0], 1, -1), inputs], 1);
            return context.call(tokens, ones(tokens.shape[0], tokens.shape[1], dtype: ScalarType.Bool)).select(1, 0);
        }

        // For each section of the future: the prediction of series i finds its own among those of all series.
        static double Temporal(double[][] predicted, double[][][] actual, int past)
        {
            double sum = 0;
            int width = actual[0][0].Length;
            for (var k = 0; k < future; k++)
            {
                for (var i = 0; i < predicted.Length; i++)
                {
                    double[] own = predicted[i][(k * width)..((k + 1) * width)];
                    sum += Numbers.CrossEntropy([.. actual.Select(rows => Numbers.Dot(own, rows[past + k]))], i);
                }
            }
            return sum / (future * predicted.Length);
        }
    }
}
