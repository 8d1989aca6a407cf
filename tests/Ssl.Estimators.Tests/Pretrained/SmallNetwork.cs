using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;
using TorchSharp;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>
/// A small network of BERT's family with random weights: its folder as transformers writes it, and its embeddings computed in plain loops by the
/// published formulas, from the tensors' names in that folder.
/// </summary>
internal sealed class SmallNetwork
{
    public const int Dimension = 8, Heads = 2, Layers = 2, FeedForward = 12, Positions = 40, Buckets = 8;

    private readonly Dictionary<string, (long[] Shape, float[] Values)> _weights = [];
    private readonly Random _random = new(5);
    private readonly string _kind;

    public SmallNetwork(string kind, string[] tokens)
    {
        (_kind, Tokens) = (kind, tokens);
        Add("embeddings.word_embeddings.weight", 0.5, tokens.Length + 2, Dimension);      // files may have a few more rows than tokens
        Add("embeddings.position_embeddings.weight", 0.5, Positions, Dimension);
        if (kind is "bert" or "roberta")
            Add("embeddings.token_type_embeddings.weight", 0.5, 2, Dimension);
        AddNorm("embeddings.LayerNorm");
        if (kind is "mpnet")
            Add("encoder.relative_attention_bias.weight", 1, Buckets, Heads);
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var name in new[] { Query, Key, Value, AttentionOutput })
                AddLinear(Name(layer, name), Dimension, Dimension);
            AddNorm(Name(layer, AttentionNorm));
            AddLinear(Name(layer, Intermediate), Dimension, FeedForward);
            AddLinear(Name(layer, Output), FeedForward, Dimension);
            AddNorm(Name(layer, OutputNorm));
        }
    }

    /// <summary>BERT's small vocabulary.</summary>
    public static string[] BertTokens => ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. Words];

    /// <summary>MPNet's.</summary>
    public static string[] MpNetTokens => ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", .. Words, "<mask>"];

    private static string[] Words => [.. "the a cat dog sat on mat . ! ##s ##ting s t red".Split(' ')];

    public string[] Tokens { get; }

    private string Query => _kind switch { "bert" or "roberta" => "attention.self.query", "distilbert" => "attention.q_lin", _ => "attention.attn.q" };

    private string Key => _kind switch { "bert" or "roberta" => "attention.self.key", "distilbert" => "attention.k_lin", _ => "attention.attn.k" };

    private string Value => _kind switch { "bert" or "roberta" => "attention.self.value", "distilbert" => "attention.v_lin", _ => "attention.attn.v" };

    private string AttentionOutput => _kind switch { "bert" or "roberta" => "attention.output.dense", "distilbert" => "attention.out_lin", _ => "attention.attn.o" };

    private string AttentionNorm => _kind switch { "bert" or "roberta" => "attention.output.LayerNorm", "distilbert" => "sa_layer_norm", _ => "attention.LayerNorm" };

    private string Intermediate => _kind == "distilbert" ? "ffn.lin1" : "intermediate.dense";

    private string Output => _kind == "distilbert" ? "ffn.lin2" : "output.dense";

    private string OutputNorm => _kind == "distilbert" ? "output_layer_norm" : "output.LayerNorm";

    /// <summary>Writes the folder of transformers, without settings of sentence-transformers.</summary>
    /// <param name="folder">An empty one.</param>
    /// <param name="prefix">What stands before all names, as in files of networks with a head.</param>
    /// <param name="shards">Into how many files the weights go.</param>
    public void Write(string folder, string prefix = "", int shards = 1)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "vocab.txt"), string.Join("\r\n", Tokens) + "\r\n");
        JsonObject config = _kind == "distilbert"
            ? new() { ["model_type"] = _kind, ["dim"] = Dimension, ["n_heads"] = Heads, ["n_layers"] = Layers, ["hidden_dim"] = FeedForward, ["activation"] = "gelu" }
            : new()
            {
                ["model_type"] = _kind, ["hidden_size"] = Dimension, ["num_attention_heads"] = Heads, ["num_hidden_layers"] = Layers,
                ["intermediate_size"] = FeedForward, ["hidden_act"] = "gelu", ["layer_norm_eps"] = 1e-5,
            };
        config["max_position_embeddings"] = Positions;
        if (_kind is "bert" or "roberta")
            config["type_vocab_size"] = 2;
        if (_kind == "mpnet")
            config["relative_attention_num_buckets"] = Buckets;
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        using var scope = torch.NewDisposeScope();
        var tensors = _weights.Select(weight => KeyValuePair.Create(prefix + weight.Key, torch.tensor(weight.Value.Values, weight.Value.Shape))).ToList();
        if (prefix.Length > 0)
            tensors.Add(KeyValuePair.Create("cls.predictions.bias", torch.zeros(3)));
        if (shards == 1)
        {
            using var file = File.Create(Path.Combine(folder, "model.safetensors"));
            SafeTensors.Write(file, tensors);
            return;
        }
        var map = new JsonObject();
        for (var i = 0; i < shards; i++)
        {
            var name = $"model-{i + 1:00000}-of-{shards:00000}.safetensors";
            var part = tensors.Where((_, place) => place % shards == i).ToList();
            foreach (var (tensor, _) in part)
                map[tensor] = name;
            using var file = File.Create(Path.Combine(folder, name));
            SafeTensors.Write(file, part);
        }
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
    }

    /// <summary>Adds the settings of sentence-transformers.</summary>
    public static void WriteModules(string folder, string pooling, bool normalize, int maximum)
    {
        List<object> modules =
        [
            new { idx = 0, name = "0", path = "", type = "sentence_transformers.models.Transformer" },
            new { idx = 1, name = "1", path = "1_Pooling", type = "sentence_transformers.models.Pooling" },
        ];
        if (normalize)
            modules.Add(new { idx = 2, name = "2", path = "2_Normalize", type = "sentence_transformers.models.Normalize" });
        File.WriteAllText(Path.Combine(folder, "modules.json"), JsonSerializer.Serialize(modules));
        Directory.CreateDirectory(Path.Combine(folder, "1_Pooling"));
        File.WriteAllText(Path.Combine(folder, "1_Pooling", "config.json"), new JsonObject
        {
            ["word_embedding_dimension"] = Dimension,
            ["pooling_mode_cls_token"] = pooling == "cls",
            ["pooling_mode_mean_tokens"] = pooling == "mean",
            ["pooling_mode_max_tokens"] = pooling == "max",
        }.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "sentence_bert_config.json"), $"{{\"max_seq_length\": {maximum}, \"do_lower_case\": false}}");
    }

    /// <summary>The vectors of a text's tokens, in plain loops.</summary>
    public double[][] Tokenwise(IReadOnlyList<int> ids)
    {
        var epsilon = _kind == "distilbert" ? 1e-12 : 1e-5;
        var first = _kind is "mpnet" or "roberta" ? 2 : 0;
        var tokens = ids.Select((id, place) => Norm("embeddings.LayerNorm", epsilon, [.. Enumerable.Range(0, Dimension).Select(d =>
            At("embeddings.word_embeddings.weight", id, d) + At("embeddings.position_embeddings.weight", place + first, d)
                + (_kind is "bert" or "roberta" ? At("embeddings.token_type_embeddings.weight", 0, d) : 0.0))])).ToArray();
        for (var layer = 0; layer < Layers; layer++)
        {
            double[][] queries = [.. tokens.Select(t => Linear(Name(layer, Query), t))], keys = [.. tokens.Select(t => Linear(Name(layer, Key), t))];
            double[][] values = [.. tokens.Select(t => Linear(Name(layer, Value), t))];
            tokens = [.. tokens.Select((token, i) =>
            {
                var context = new double[Dimension];
                const int Width = Dimension / Heads;
                for (var head = 0; head < Heads; head++)
                {
                    double[] scores = [.. Enumerable.Range(0, tokens.Length).Select(j => Math.Exp(Enumerable.Range(head * Width, Width).Sum(d =>
                        queries[i][d] * keys[j][d]) / Math.Sqrt(Width) + (_kind == "mpnet" ? At("encoder.relative_attention_bias.weight", Bucket(i, j), head) : 0.0)))];
                    for (var d = head * Width; d < (head + 1) * Width; d++)
                        context[d] = Enumerable.Range(0, tokens.Length).Sum(j => scores[j] * values[j][d]) / scores.Sum();
                }
                var attended = Norm(Name(layer, AttentionNorm), epsilon, [.. Linear(Name(layer, AttentionOutput), context).Zip(token, (a, b) => a + b)]);
                double[] hidden = [.. Linear(Name(layer, Intermediate), attended).Select(x => x * 0.5 * (1 + Erf(x / Math.Sqrt(2))))];
                return Norm(Name(layer, OutputNorm), epsilon, [.. Linear(Name(layer, Output), hidden).Zip(attended, (a, b) => a + b)]);
            })];
        }
        return tokens;
    }

    private string Name(int layer, string part) => $"{(_kind == "distilbert" ? "transformer" : "encoder")}.layer.{layer}.{part}";

    // transformers' relative_position_bucket, both directions, distances up to 128.
    private static int Bucket(int query, int key)
    {
        var (half, n, bucket) = (Buckets / 2, query - key, 0);
        if (n < 0)
            (bucket, n) = (half, -n);
        var exact = half / 2;
        return bucket + (n < exact ? n
            : Math.Min(half - 1, exact + (int)(Math.Log((double)n / exact) / Math.Log(128.0 / exact) * (half - exact))));
    }

    private double At(string name, int row, int column) => _weights[name].Values[row * _weights[name].Shape[1] + column];

    private double[] Linear(string name, double[] input)
    {
        var (shape, weight) = _weights[name + ".weight"];
        var bias = _weights[name + ".bias"].Values;
        return [.. Enumerable.Range(0, (int)shape[0]).Select(o => bias[o] + Enumerable.Range(0, input.Length).Sum(i => weight[o * input.Length + i] * input[i]))];
    }

    private double[] Norm(string name, double epsilon, double[] input)
    {
        var mean = input.Average();
        var deviation = Math.Sqrt(input.Average(x => (x - mean) * (x - mean)) + epsilon);
        return [.. input.Select((x, d) => (x - mean) / deviation * _weights[name + ".weight"].Values[d] + _weights[name + ".bias"].Values[d])];
    }

    // The series of the error function.
    internal static double Erf(double x)
    {
        double sum = 0, term = x;
        for (var n = 0; n < 60; n++)
        {
            sum += term / (2 * n + 1);
            term *= -x * x / (n + 1);
        }
        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private void AddLinear(string name, int inputs, int outputs)
    {
        Add(name + ".weight", 0.4, outputs, inputs);
        Add(name + ".bias", 0.2, outputs);
    }

    private void AddNorm(string name)
    {
        Add(name + ".weight", 1, Dimension);
        Add(name + ".bias", 0.2, Dimension);
    }

    private void Add(string name, double scale, params int[] shape)
        => _weights[name] = ([.. shape.Select(size => (long)size)],
            [.. Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(_ => (float)(scale * (2 * _random.NextDouble() - 1)))]);
}
