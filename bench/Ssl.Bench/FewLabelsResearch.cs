using System.Globalization;
using Microsoft.Data.Analysis;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.LightGbm;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Tasks;
using Ssl.MLNet;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>Research.</summary>
public sealed class FewLabelsResearch : BenchCase
{
    /// <inheritdoc/>
    public override string Name => "research";
    /// <inheritdoc/>
    public override int Minutes => 40;
    /// <inheritdoc/>
    public override string Description => "research";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        string[] sets = settings.Sets ?? ["credit-g", "segmentation", "phoneme", "churn", "splice", "satimage", "spambase", "connect-4", "magic", "letter", "adult"];
        foreach (var name in sets)
        {
            using var outer = NewDisposeScope();
            var table = BenchTable.Read(name);
            var mlContext = new MLContext(1);
            var ssl = mlContext.SelfSupervised();
            var clock = System.Diagnostics.Stopwatch.StartNew();
            var temperature = table.Columns.Any(column => table.Training[column] is StringDataFrameColumn) ? 1 : 0.2f;
            int n = (int)table.Training.Rows.Count;
            var cache = Path.Combine("/tmp/enc", name + ".ssl");
            Directory.CreateDirectory("/tmp/enc");
            using var encoder = File.Exists(cache) ? ssl.LoadEncoder(cache) : ssl.Tabular.ContrastiveMaskedCells(new ContrastiveMaskedCellsTrainer.Options
            {
                InputColumnNames = table.Columns, NumberOfEpochs = Math.Max(1, 800 * 256 / n), Temperature = temperature, Seed = 1,
            }).Fit(table.Training);
            if (!File.Exists(cache)) ssl.SaveEncoder(encoder, cache);
            if (!File.Exists(cache)) ssl.SaveEncoder(encoder, cache);
            var pre = clock.Elapsed.TotalSeconds;
            int[] labels = BenchTable.ClassesOf(table.Training), testLabels = BenchTable.ClassesOf(table.Test);
            float[][] V(DataFrame d) => [.. encoder.Transform(d).GetColumn<float[]>("Features")];
            var (all, allTest) = (V(table.Training), V(table.Test));
            var (std, stdTest) = Stock(mlContext, table);
            var testY = tensor(testLabels.Select(l => (long)l).ToArray());
            foreach (var (share, draws) in new[] { (.01, 5), (.1, 2) })
            {
                var sums = new SortedDictionary<string, List<double>>();
                void Add(string k, double v) { if (!sums.TryGetValue(k, out var l)) sums[k] = l = []; l.Add(v); }
                for (var draw = 0; draw < draws; draw++)
                {
                    using var sc = NewDisposeScope();
                    var order = Enumerable.Range(0, n).ToArray();
                    new Random(draw).Shuffle(order);
                    var rows = order[..(int)(share * n)];
                    var index = tensor(rows.Select(r => (long)r).ToArray());
                    int[] y = [.. rows.Select(r => labels[r])];
                    if (y.Distinct().Count() < 2) continue;
                    double Acc(Tensor p) => 100 * p.argmax(1).eq(testY).to(ScalarType.Float32).mean().item<float>();
                    var folds = Folds(y, 5, draw);
                    clock.Restart();
                    var (pStd, _) = Linear(std.index_select(0, index), y, stdTest, table.Classes, folds);
                    Add("A lbfgs stock", Acc(pStd));
                    var tl = clock.Elapsed.TotalSeconds; clock.Restart();
                    var (pTree, _, _) = Trees(mlContext, table, rows, y, folds);
                    Add("D lgbm tuned", Acc(pTree));
                    var tt = clock.Elapsed.TotalSeconds; clock.Restart();
                    var set = rows.ToHashSet();
                    var definition = SchemaDefinition.Create(typeof(Row));
                    definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, all[0].Length);
                    definition["Features"].AddAnnotation("SslEncoder", encoder.Model.Id.AsMemory(), TextDataViewType.Instance);
                    definition["Label"].ColumnType = new KeyDataViewType(typeof(uint), table.Classes);
                    var view = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, n).Select(i => new Row { Features = all[i], Label = set.Contains(i) ? (uint)labels[i] : uint.MaxValue }), definition);
                    var model = ssl.FewLabels.MulticlassClassification(new FewLabelsTrainer.Options { Seed = draw }).Fit(view);
                    var test = mlContext.Data.LoadFromEnumerable(allTest.Select((f, i) => new Row { Features = f, Label = (uint)testLabels[i] }), definition);
                    Add("E ours", 100.0 * model.Transform(test).GetColumn<uint>("PredictedLabel").Zip(testLabels).Count(q => q.First == q.Second + 1) / testLabels.Length);
                    var to = clock.Elapsed.TotalSeconds; clock.Restart();
                    var labeled = mlContext.Data.LoadFromEnumerable(rows.Select(i => new Row { Features = all[i], Label = (uint)labels[i] }), definition);
                    foreach (var scale in new[] { 1f, .5f, 2f })
                    {
                        var lab = mlContext.Data.LoadFromEnumerable(rows.Select(i => new Row { Features = [.. all[i].Select(v => v * scale)], Label = (uint)labels[i] }), definition);
                        var tst = mlContext.Data.LoadFromEnumerable(allTest.Select((f, i) => new Row { Features = [.. f.Select(v => v * scale)], Label = (uint)testLabels[i] }), definition);
                        Add($"F default x{scale}", 100.0 * mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(lab).Transform(tst).GetColumn<uint>("PredictedLabel").Zip(testLabels).Count(q => q.First == q.Second + 1) / testLabels.Length);
                    }
                    if (Environment.GetEnvironmentVariable("V") is not null)
                        Console.WriteLine($"   {draw}: " + string.Join("; ", model.Candidates.Select(c => $"{c.Name} {c.Settings} {c.Metric:0.000} {c.Loss:0.000} {c.Share:0.00}")));
                    Add("Z tl", tl); Add("Z tt", tt); Add("Z to", to);
                }
                Console.WriteLine($"R {name} {share} n={n} pre={pre:0} " + string.Join("  ", sums.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Key} {p.Value.Average():0.0}"))));
            }
        }
    }

    sealed class Row { public float[] Features { get; set; } = []; public uint Label { get; set; } }

    static Tensor Prior(int[] y, int[] folds, int classes, out Tensor full)
    {
        var oof = zeros(y.Length, classes);
        Tensor Of(IEnumerable<int> rows)
        {
            var c = new float[classes];
            foreach (var i in rows) c[y[i]]++;
            var sum = c.Sum() + classes * .1f;
            return tensor(c.Select(v => (v + .1f) / sum).ToArray());
        }
        for (var i = 0; i < y.Length; i++)
            oof[i] = Of(Enumerable.Range(0, y.Length).Where(j => folds[j] != folds[i]));
        full = Of(Enumerable.Range(0, y.Length));
        return oof;
    }

    static double[] Em(Tensor[] oof, int[] y)
    {
        var ys = tensor(y.Select(l => (long)l).ToArray()).unsqueeze(1);
        var p = oof.Select(o => o.gather(1, ys).clamp_min(1e-6).contiguous().data<float>().ToArray()).ToArray();
        var w = Enumerable.Repeat(1.0 / p.Length, p.Length).ToArray();
        for (var it = 0; it < 300; it++)
        {
            var next = new double[w.Length];
            for (var i = 0; i < y.Length; i++)
            {
                var sum = 0.0;
                for (var j = 0; j < w.Length; j++) sum += w[j] * p[j][i];
                for (var j = 0; j < w.Length; j++) next[j] += w[j] * p[j][i] / sum;
            }
            for (var j = 0; j < w.Length; j++) w[j] = next[j] / y.Length;
        }
        return w;
    }

    static double Weight(Tensor a, Tensor b, int[] y)
    {
        var ys = tensor(y.Select(l => (long)l).ToArray()).unsqueeze(1);
        var (pa, pb) = (a.gather(1, ys), b.gather(1, ys));
        double best = double.PositiveInfinity, w = .5;
        for (var i = 0; i <= 20; i++)
        {
            var loss = -(pa * (i / 20f) + pb * (1 - i / 20f)).clamp_min(1e-6).log().mean().item<float>();
            if (loss < best) (best, w) = (loss, i / 20.0);
        }
        return w;
    }

    static int[] Folds(int[] y, int k, int seed)
    {
        var folds = new int[y.Length];
        var random = new Random(seed);
        var next = 0;
        foreach (var g in Enumerable.Range(0, y.Length).GroupBy(i => y[i]))
        {
            var members = g.ToArray();
            random.Shuffle(members);
            foreach (var i in members)
                folds[i] = next++ % k;
        }
        return folds;
    }

    static readonly double[] L2s = [.3, .1, .03, .01, .003, .001, .0003];
    static readonly double[] L1s = [0, .001, .004];

    internal static (Tensor Test, Tensor Oof) Linear(Tensor x, int[] y, Tensor xt, int classes, int[] folds)
    {
        var target = nn.functional.one_hot(tensor(y.Select(l => (long)l).ToArray()), classes).to(ScalarType.Float32);
        var grid = L1s.SelectMany(l1 => L2s.Where(l2 => l1 == 0 || l2 is .0003 or .003 or .03).Select(l2 => new Penalty(l1, l2))).ToArray();
        var oof = grid.Select(_ => zeros(y.Length, classes)).ToArray();
        for (var f = 0; f < 5; f++)
        {
            using var sc = NewDisposeScope();
            Tensor used = tensor(Enumerable.Range(0, y.Length).Where(i => folds[i] != f).Select(i => (long)i).ToArray()),
                held = tensor(Enumerable.Range(0, y.Length).Where(i => folds[i] == f).Select(i => (long)i).ToArray());
            var (xu, xh, tu) = (x.index_select(0, used), x.index_select(0, held), target.index_select(0, used));
            Tensor? last = null;
            for (var g = 0; g < grid.Length; g++)
            {
                last = SoftmaxRegression.Fit(xu, tu, null, grid[g], g > 0 && grid[g].L1 == grid[g - 1].L1 ? last : null);
                oof[g].index_copy_(0, held, SoftmaxRegression.Logits(xh, last).softmax(1));
            }
        }
        var losses = oof.Select(o => -(o.clamp_min(1e-6).log() * target).sum(1).mean().item<float>()).ToArray();
        var best = Array.IndexOf(losses, losses.Min());
        if (Environment.GetEnvironmentVariable("V") is not null)
            Console.WriteLine($"   {grid[best]} {string.Join(" ", losses.Select(l => l.ToString("0.000")))}");
        var model = SoftmaxRegression.Fit(x, target, null, grid[best]);
        return (SoftmaxRegression.Logits(xt, model).softmax(1), oof[best]);
    }

    static Tensor Matrix(float[][] rows) => tensor(rows.SelectMany(r => r).ToArray()).view(rows.Length, -1);

    static (Tensor, Tensor) Stock(MLContext ml, BenchTable t)
    {
        var text = t.Columns.Where(c => t.Training[c] is StringDataFrameColumn).ToArray();
        var num = t.Columns.Except(text).ToArray();
        IEstimator<ITransformer> chain = num.Length == 0 ? ml.Transforms.CopyColumns("xx", t.Columns[0]) : ml.Transforms.Concatenate("N", num)
            .Append(ml.Transforms.ReplaceMissingValues("N")).Append(ml.Transforms.NormalizeMeanVariance("N", fixZero: false));
        if (text.Length > 0)
            chain = chain.Append(ml.Transforms.Categorical.OneHotEncoding([.. text.Select(c => new InputOutputColumnPair(c + "_", c))]));
        var model = chain.Append(ml.Transforms.Concatenate("Features", [.. num.Length > 0 ? ["N"] : Array.Empty<string>(), .. text.Select(c => c + "_")])).Fit(t.Training);
        Tensor M(DataFrame d) => Matrix([.. model.Transform(d).GetColumn<float[]>("Features")]);
        return (M(t.Training), M(t.Test));
    }

    static (Tensor Test, Tensor Oof, Tensor X) Trees(MLContext ml, BenchTable t, int[] rows, int[] y, int[] folds)
    {
        var text = t.Columns.Where(c => t.Training[c] is StringDataFrameColumn).ToArray();
        var num = t.Columns.Except(text).ToArray();
        IEstimator<ITransformer> chain = ml.Transforms.Conversion.MapValueToKey("Label", BenchTable.Class, keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue);
        if (text.Length > 0)
            chain = chain.Append(ml.Transforms.Categorical.OneHotEncoding([.. text.Select(c => new InputOutputColumnPair(c + "_", c))]));
        var prep = chain.Append(ml.Transforms.Concatenate("Features", [.. num, .. text.Select(c => c + "_")])).Fit(t.Training);
        (int leaves, int min, int iters, double rate)[] grid = [(31, 2, 40, .1), (31, 5, 40, .1), (31, 20, 100, .1), (8, 5, 100, .1), (31, 10, 200, .05)];
        IDataView Of(IEnumerable<int> r) => ml.Data.LoadFromEnumerable(Array.Empty<int>().Select(_ => new { A = 1 })) is var _ ? prep.Transform(BenchTable.Rows(t.Training, [.. r])) : null!;
        Tensor Fit(IDataView train, IDataView test, (int leaves, int min, int iters, double rate) g)
        {
            var model = ml.MulticlassClassification.Trainers.LightGbm(new LightGbmMulticlassTrainer.Options
            {
                UseSoftmax = true, NumberOfLeaves = g.leaves, MinimumExampleCountPerLeaf = g.min, NumberOfIterations = g.iters, LearningRate = g.rate,
                LabelColumnName = "Label", NumberOfThreads = 1,
            }).Fit(train);
            return Matrix([.. model.Transform(test).GetColumn<float[]>("Score")]);
        }
        var target = nn.functional.one_hot(tensor(y.Select(l => (long)l).ToArray()), t.Classes).to(ScalarType.Float32);
        var best = (double.PositiveInfinity, 0, (Tensor?)null);
        for (var g = 0; g < grid.Length; g++)
        {
            var oof = zeros(y.Length, t.Classes);
            for (var f = 0; f < 5; f++)
            {
                var used = Enumerable.Range(0, y.Length).Where(i => folds[i] != f).ToArray();
                var held = Enumerable.Range(0, y.Length).Where(i => folds[i] == f).ToArray();
                oof.index_copy_(0, tensor(held.Select(i => (long)i).ToArray()), Fit(Of(used.Select(i => rows[i])), Of(held.Select(i => rows[i])), grid[g]));
            }
            var loss = -(oof.clamp_min(1e-6).log() * target).sum(1).mean().item<float>();
            if (loss < best.Item1) best = (loss, g, oof);
        }
        return (Fit(Of(rows), prep.Transform(t.Test), grid[best.Item2]), best.Item3!, best.Item3!);
    }
}
