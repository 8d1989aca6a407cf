using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>The methods that hide spans of sounds.</summary>
[TestClass]
public sealed class MaskedSoundTests
{
    private const int Channels = 2;

    // Liu et al., 2021 (arXiv:2007.06028): the mean absolute error of what time and frequency masks hide.
    [TestMethod]
    [DataRow(0f)]
    [DataRow(0.9f)]
    [ByHand(typeof(MaskedAcousticModelTrainer.Method))]
    public void HiddenSpansAndBandsAreRebuilt(float bandRatio)
    {
        const int patch = 2, span = 3, length = 24, steps = length / patch;
        int[] lengths = [24, 18, 8];
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(5), same = new(5);
        var encoder = Encoder(patch, streams);
        using var method = new MaskedAcousticModelTrainer.Method(encoder, streams, new() { MaskRatio = 0.6f, SpanLength = span, BandMaskRatio = bandRatio });
        var sounds = TestSeries.Of(lengths);
        double[][][] values = Numbers.Cubes(sounds.Values);
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([sounds]);
            using var noGrad = no_grad();
            bool[][] hidden = Hidden(lengths, patch, steps, 0.2, span, same);
            bool[][] bands = [.. lengths.Select(_ => new bool[Channels])];
            if (bandRatio > 0)
            {
                // The width, then where it begins.
                float[] draws = TestSeries.Floats(Draws.Uniform([lengths.Length, 2, 1], CPU, same.Masks));
                for (var i = 0; i < lengths.Length; i++)
                {
                    int width = (int)Math.Round(draws[2 * i] * Channels * bandRatio), start = (int)(draws[2 * i + 1] * (Channels - width + 1));
                    for (var c = start; c < start + width; c++)
                        bands[i][c] = true;
                }
            }
            float[] seen = [.. values.SelectMany((channels, i) => channels.SelectMany((row, c) => row.Select(value => bands[i][c] ? 0 : (float)value)))];
            var batch = new SeriesBatch(tensor(seen, sounds.Values.shape), sounds.Mask.alias(), sounds.Observed.alias());
            var encoded = encoder.EncodePrepared(batch, tensor([.. hidden.SelectMany(row => row)], [lengths.Length, steps]));
            double[][][] rebuilt = Numbers.Cubes(Steps.Child<LinearLayer>(method, "output").call(encoded));
            List<double> errors = [];
            for (var i = 0; i < lengths.Length; i++)
            {
                for (var c = 0; c < Channels; c++)
                {
                    errors.AddRange(Enumerable.Range(0, lengths[i]).Where(t => bands[i][c] || hidden[i][t / patch])
                        .Select(t => Math.Abs(rebuilt[i][t / patch][c * patch + t % patch] - values[i][c][t])));
                }
            }
            Numbers.AreEqual(errors.Average(), loss.Total, $"loss of step {step}");
        }
    }

    // The contrast of wav2vec 2.0 without codes, between hidden patches of a sound.
    [TestMethod]
    [ByHand(typeof(MaskedAcousticModelTrainer.Method))]
    public void HiddenSpansAreFoundAmongOthers()
    {
        const int patch = 2, length = 24, steps = length / patch, negatives = 5;
        int[] lengths = [24, 18, 4];
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(6), same = new(6);
        var encoder = Encoder(patch, streams);
        using var method = new MaskedAcousticModelTrainer.Method(encoder, streams, new()
        {
            MaskRatio = 0.5f, SpanLength = 2, BandMaskRatio = 0, Target = AcousticTarget.Contrast, NumberOfNegatives = negatives, Temperature = 0.3f,
        });
        var sounds = TestSeries.Of(lengths);
        var loss = method.Loss([sounds]);
        Steps.Backward(method, loss);
        bool[][] hidden = Hidden(lengths, patch, steps, 0.25, 2, same);
        double[][][] draws = Numbers.Cubes(Draws.Uniform([lengths.Length, steps, negatives], CPU, same.Views));
        Numbers.AreEqual(ByHand(), loss.Total);
        Numbers.IsTheSlope(Steps.Weight(method, "target.weight"), ByHand);

        double ByHand()
        {
            using var noGrad = no_grad();
            var encoded = encoder.EncodePrepared(sounds, tensor([.. hidden.SelectMany(row => row)], [lengths.Length, steps]));
            double[][][] said = Numbers.Cubes(Steps.Child<LinearLayer>(method, "output").call(encoded));
            double[][][] targets = Numbers.Cubes(Steps.Child<LinearLayer>(method, "target").call(encoder.Patches(sounds)));
            return Contrast(said, targets, hidden, draws, 0.3, (_, _, _) => false);
        }
    }

    // Baevski et al., 2020 (arXiv:2006.11477), equations 2 to 4: codes by Gumbel noise, the contrast, the diversity.
    [TestMethod]
    [ByHand(typeof(Wav2Vec2Trainer.Method))]
    public void HiddenStepsFindTheirCodes()
    {
        const int step = 5, length = 100, steps = length / step, negatives = 6, books = 2, size = 3, entry = 4;
        int[] lengths = [100, 73, 30];
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(7), same = new(7);
        var encoder = (SoundTransformerEncoder)TimeSeriesEncoders.SoundTransformer(8, 6, numberOfConvolutions: 1, numberOfLayers: 1, numberOfHeads: 2, dropout: 0)
            .Create(new SeriesLayout(Channels, null), streams);
        using var method = new Wav2Vec2Trainer.Method(encoder, streams, new()
        {
            SpanStartShare = 0.2f, SpanLength = 3, NumberOfNegatives = negatives, Temperature = 0.25f, NumberOfCodebooks = books, CodebookSize = size,
            CodeDimension = entry, ProjectionDimension = 7, GumbelTemperature = 4, FinalGumbelTemperature = 0.25f, DiversityWeight = 0.6f,
        });
        var sounds = TestSeries.Of(lengths);
        foreach (var (progress, isTraining) in new[] { (0.0, true), (0.5, true), (1.0, false) })
        {
            method.train(isTraining);
            method.OnStepStarting(progress);
            Assert.AreEqual(4 * Math.Pow(0.25 / 4, progress), method.ChoiceTemperature, 1e-6, "from the one temperature to the other, by the same factor in every step");
            var loss = method.Loss([sounds]);
            Steps.Backward(method, loss);
            bool[][] hidden = Hidden(lengths, step, steps, 0.2, 3, same);
            double[] noise = isTraining ? Numbers.Values(Draws.Uniform([lengths.Length, steps, books, size], CPU, same.Views)) : new double[lengths.Length * steps * books * size];
            double[][][] draws = Numbers.Cubes(Draws.Uniform([lengths.Length, steps, negatives], CPU, same.Views));
            Numbers.AreEqual(ByHand(), loss.Total, $"loss at {progress}");
            Numbers.IsTheSlope(Steps.Weight(method, "quantizer.entries"), ByHand);
            Numbers.IsTheSlope(Steps.Weight(method, "context_projection.weight"), ByHand);

            double ByHand()
            {
                using var noGrad = no_grad();
                var latents = encoder.Latents(sounds);
                double[][][] logits = Numbers.Cubes(Steps.Child<LinearLayer>(Steps.Child<GumbelQuantizer>(method, "quantizer"), "choice").call(latents));
                double[][] entries = [.. Numbers.Values(Steps.Weight(method, "quantizer.entries")).Chunk(entry)];
                var (codes, vectors) = (new int[lengths.Length][], new double[lengths.Length][][]);
                double[][] means = [.. Enumerable.Range(0, books).Select(_ => new double[size])];
                double counted = hidden.Sum(row => row.Count(flag => flag));
                for (var i = 0; i < lengths.Length; i++)
                {
                    (codes[i], vectors[i]) = (new int[steps], new double[steps][]);
                    for (var s = 0; s < steps; s++)
                    {
                        List<double> vector = [];
                        for (var g = 0; g < books; g++)
                        {
                            double[] scores = logits[i][s][(g * size)..((g + 1) * size)];
                            double[] noisy = [.. scores.Select((score, v) => isTraining ? score - Math.Log(-Math.Log(noise[((i * steps + s) * books + g) * size + v])) : score)];
                            int best = Array.IndexOf(noisy, noisy.Max());
                            codes[i][s] = codes[i][s] * size + best;
                            vector.AddRange(entries[g * size + best]);
                            double[] probabilities = Numbers.Softmax(scores);
                            for (var v = 0; v < size && hidden[i][s]; v++)
                                means[g][v] += probabilities[v] / counted;
                        }
                        vectors[i][s] = [.. vector];
                    }
                }
                var flags = tensor([.. hidden.SelectMany(row => row)], [lengths.Length, steps]);
                double[][][] said = Numbers.Cubes(Steps.Child<LinearLayer>(method, "context_projection").call(encoder.EncodeLatents(latents, encoder.StepMask(sounds), flags)));
                double[][][] targets = Numbers.Cubes(Steps.Child<LinearLayer>(method, "code_projection").call(Numbers.ToTensor(vectors)));
                double contrast = Contrast(said, targets, hidden, draws, 0.25, (i, own, other) => codes[i][own] == codes[i][other]);
                double perplexity = means.Average(row => Math.Exp(-row.Sum(p => p * Math.Log(p))));
                return contrast + 0.6 * (1 - perplexity / size);
            }
        }
    }

    // The gradient of the choice is that of the softmax at the temperature of the step.
    [TestMethod]
    public void TheChoiceLearnsByTheSoftmax()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(8), same = new(8);
        using var quantizer = new GumbelQuantizer(4, codebooks: 1, size: 3, dimension: 2, streams);
        var latents = randn(1, 5, 4, generator: streams.Views).requires_grad_();
        const double temperature = 0.7;
        using (randn(1, 5, 4, generator: same.Views))
        {
        }
        quantizer.Quantize(latents, temperature, streams.Views).Vectors.sum().backward();
        double[] noise = Numbers.Values(Draws.Uniform([1, 5, 1, 3], CPU, same.Views));
        double[][] entries = [.. Numbers.Values(Steps.Weight(quantizer, "entries")).Chunk(2)];
        Numbers.IsTheSlope(Steps.Weight(quantizer, "choice.weight"), () =>
        {
            using var noGrad = no_grad();
            double[][] logits = Numbers.Rows(Steps.Child<LinearLayer>(quantizer, "choice").call(latents.view(5, 4)));
            return logits.Select((row, s) => Numbers.Softmax([.. row.Select((score, v) => (score - Math.Log(-Math.Log(noise[s * 3 + v]))) / temperature)])
                .Select((share, v) => share * entries[v].Sum()).Sum()).Sum();
        });
    }

    private static PatchTransformerEncoder Encoder(int patch, RandomStreams streams) => (PatchTransformerEncoder)TimeSeriesEncoders
        .PatchTransformer(patch, numberOfLayers: 1, dimension: 8, numberOfHeads: 2, dropout: 0).Create(new SeriesLayout(Channels, null), streams);

    // The steps with the lowest draws begin spans of at most half a series; where all would be hidden, the one with the highest draw is not.
    private static bool[][] Hidden(int[] lengths, int patch, int steps, double share, int span, RandomStreams same)
    {
        double[][] draws = Numbers.Rows(Draws.Uniform([lengths.Length, steps], CPU, same.Masks));
        return [.. lengths.Select((length, i) =>
        {
            int count = (length + patch - 1) / patch;
            int[] order = [.. Enumerable.Range(0, count).OrderBy(place => draws[i][place])];
            var hidden = new bool[steps];
            foreach (var start in order.Take(Math.Max(1, (int)Math.Round((float)share * count))))
            {
                for (var place = start; place < Math.Min(count, start + Math.Clamp(count / 2, 1, span)); place++)
                    hidden[place] = true;
            }
            if (hidden.Count(flag => flag) == count && count > 1)
                hidden[order[^1]] = false;
            return hidden;
        })];
    }

    // The mean over hidden steps of the cross entropy of the own target among drawn other hidden steps of the series.
    private static double Contrast(double[][][] said, double[][][] targets, bool[][] hidden, double[][][] draws, double temperature, Func<int, int, int, bool> isSame)
    {
        List<double> losses = [];
        for (var i = 0; i < said.Length; i++)
        {
            int[] places = [.. Enumerable.Range(0, hidden[i].Length).Where(place => hidden[i][place])];
            for (var rank = 0; rank < places.Length; rank++)
            {
                int own = places[rank];
                int[] others = [.. places.Where(place => place != own)];
                double[] negatives = others.Length == 0 ? [] : [.. draws[i][own].Select(draw => others[(int)(draw * others.Length)])
                    .Where(other => !isSame(i, own, other)).Select(other => Numbers.Cosine(said[i][own], targets[i][other]) / temperature)];
                losses.Add(Numbers.CrossEntropy([Numbers.Cosine(said[i][own], targets[i][own]) / temperature, .. negatives], 0));
            }
        }
        return losses.Average();
    }
}
