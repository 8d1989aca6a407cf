using System.Text.RegularExpressions;
using Ssl.Estimators.Serialization;
using TorchSharp;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>
/// A small network of images with random weights, computed in plain loops by the published formulas, and its files as the libraries write them.
/// Its weights have the names of torchvision (residual networks) and timm (vision transformers).
/// </summary>
internal sealed class SmallImageNetwork
{
    public const int Side = 32, Width = 4, Patch = 8, Dimension = 8, Heads = 2, Hidden = 12, Layers = 2;

    private readonly Random _random = new(7);

    private SmallImageNetwork()
    {
    }

    /// <summary>Weights by name.</summary>
    public Dictionary<string, (long[] Shape, float[] Values)> Weights { get; } = [];

    /// <summary>Blocks of a residual network.</summary>
    public int[] Blocks { get; private init; } = [];

    public bool IsBottleneck { get; private init; }

    public bool IsResNet => Blocks.Length > 0;

    public bool HasDistillation { get; private init; }

    /// <summary>Added to variances by layer normalizations.</summary>
    public double Epsilon { get; set; } = 1e-6;

    /// <summary>What is done to pixels from 0 to 1.</summary>
    public (double[] Mean, double[] Deviation) Pixels { get; set; } = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    public static SmallImageNetwork ResNet(bool isBottleneck)
    {
        var network = new SmallImageNetwork { Blocks = [1, 1, 2, 1], IsBottleneck = isBottleneck };
        network.AddConvolution("conv1", "bn1", 3, Width, 7);
        var inputs = Width;
        for (var stage = 0; stage < 4; stage++)
        {
            for (var block = 0; block < network.Blocks[stage]; block++)
            {
                var (name, width) = ($"layer{stage + 1}.{block}.", Width << stage);
                var outputs = isBottleneck ? 4 * width : width;
                network.AddConvolution(name + "conv1", name + "bn1", inputs, width, isBottleneck ? 1 : 3);
                network.AddConvolution(name + "conv2", name + "bn2", width, width, 3);
                if (isBottleneck)
                    network.AddConvolution(name + "conv3", name + "bn3", width, outputs, 1);
                if (block == 0 && (stage > 0 || inputs != outputs))
                    network.AddConvolution(name + "downsample.0", name + "downsample.1", inputs, outputs, 1);
                inputs = outputs;
            }
        }
        network.Add("fc.weight", 1, 5, inputs);
        return network;
    }

    public static SmallImageNetwork Transformer(bool hasDistillation = false)
    {
        var network = new SmallImageNetwork { HasDistillation = hasDistillation };
        network.Add("cls_token", 1, 1, 1, Dimension);
        if (hasDistillation)
            network.Add("dist_token", 1, 1, 1, Dimension);
        network.Add("pos_embed", 1, 1, (hasDistillation ? 2 : 1) + Side / Patch * (Side / Patch), Dimension);
        network.AddLinear("patch_embed.proj", Dimension, 3, Patch, Patch);
        for (var layer = 0; layer < Layers; layer++)
        {
            var name = $"blocks.{layer}.";
            network.AddNorm(name + "norm1");
            network.AddLinear(name + "attn.qkv", 3 * Dimension, Dimension);
            network.AddLinear(name + "attn.proj", Dimension, Dimension);
            network.AddNorm(name + "norm2");
            network.AddLinear(name + "mlp.fc1", Hidden, Dimension);
            network.AddLinear(name + "mlp.fc2", Dimension, Hidden);
        }
        network.AddNorm("norm");
        network.AddLinear("head", 5, Dimension);
        return network;
    }

    /// <summary>Writes model.safetensors.</summary>
    /// <param name="folder">Is made.</param>
    /// <param name="rename">The names of a library; null for torchvision's ResNets and timm's transformers.</param>
    /// <param name="prefix">What stands before all names.</param>
    public void Write(string folder, Func<string, string[]>? rename = null, string prefix = "")
    {
        Directory.CreateDirectory(folder);
        using var scope = torch.NewDisposeScope();
        var tensors = new List<KeyValuePair<string, torch.Tensor>>();
        foreach (var (name, (shape, values)) in Weights)
        {
            var names = rename?.Invoke(name) ?? [name];
            var parts = torch.tensor(values, shape).chunk(names.Length, 0);
            tensors.AddRange(names.Select((renamed, i) => KeyValuePair.Create(renamed.StartsWith("classifier", StringComparison.Ordinal) ? renamed : prefix + renamed, parts[i])));
        }
        using var file = File.Create(Path.Combine(folder, "model.safetensors"));
        SafeTensors.Write(file, tensors);
    }

    /// <summary>The names of transformers.</summary>
    public string[] OfTransformers(string name)
    {
        if (name.StartsWith("fc", StringComparison.Ordinal) || name.StartsWith("head", StringComparison.Ordinal))
            return [Regex.Replace(name, "^(fc|head)", IsResNet ? "classifier.1" : "classifier")];
        (string From, string To)[] table = IsResNet
            ?
            [
                (@"^conv1\.", "embedder.embedder.convolution."), (@"^bn1\.", "embedder.embedder.normalization."),
                (@"^layer(\d)\.(\d)\.", "encoder.stages.$1.layers.$2."), (@"downsample\.0\.", "shortcut.convolution."), (@"downsample\.1\.", "shortcut.normalization."),
                (@"\.conv(\d)\.", ".layer.$1.convolution."), (@"\.bn(\d)\.", ".layer.$1.normalization."),
            ]
            :
            [
                ("^cls_token", "embeddings.cls_token"), ("^dist_token", "embeddings.distillation_token"), ("^pos_embed", "embeddings.position_embeddings"),
                (@"^patch_embed\.proj", "embeddings.patch_embeddings.projection"), (@"^norm\.", "layernorm."), (@"^blocks\.", "encoder.layer."),
                ("norm1", "layernorm_before"), ("norm2", "layernorm_after"), (@"attn\.proj", "attention.output.dense"), (@"mlp\.fc1", "intermediate.dense"),
                (@"mlp\.fc2", "output.dense"),
            ];
        var renamed = table.Aggregate(name, (current, entry) => Regex.Replace(current, entry.From, entry.To));
        if (IsResNet)     // counted from 0 there
            renamed = Regex.Replace(renamed, @"(stages|layer)\.(\d)", match => $"{match.Groups[1].Value}.{match.Groups[2].Value[0] - '1'}");
        return renamed.Contains("attn.qkv", StringComparison.Ordinal)
            ? [.. new[] { "query", "key", "value" }.Select(part => renamed.Replace("attn.qkv", "attention.attention." + part, StringComparison.Ordinal))] : [renamed];
    }

    /// <summary>The names of torchvision's vision transformers.</summary>
    public static string[] OfTorchvision(string name)
    {
        (string From, string To)[] table =
        [
            ("^cls_token", "class_token"), ("^pos_embed", "encoder.pos_embedding"), (@"^patch_embed\.proj", "conv_proj"), (@"^norm\.", "encoder.ln."),
            (@"^blocks\.(\d)\.", "encoder.layers.encoder_layer_$1."), ("norm1", "ln_1"), ("norm2", "ln_2"), (@"attn\.qkv\.", "self_attention.in_proj_"),
            (@"attn\.proj", "self_attention.out_proj"), (@"mlp\.fc1", "mlp.0"), (@"mlp\.fc2", "mlp.3"), ("^head", "heads.head"),
        ];
        return [table.Aggregate(name, (current, entry) => Regex.Replace(current, entry.From, entry.To))];
    }

    /// <summary>The embedding of an image: the mean over places, or the class token; all tokens behind the last norm where there are some.</summary>
    /// <param name="pixels">0 to 255, [3, Side, Side].</param>
    /// <param name="mean">Whether the mean of the patches is wanted.</param>
    public double[] Embed(IReadOnlyList<double> pixels, bool mean = false)
    {
        var plane = pixels.Count / 3;
        var image = new Maps(3, (int)Math.Sqrt(plane), [.. pixels.Select((pixel, i) => (pixel / 255 - Pixels.Mean[i / plane]) / Pixels.Deviation[i / plane])]);
        if (IsResNet)
            return EmbedResNet(image);
        var tokens = Tokens(image);
        var prefix = HasDistillation ? 2 : 1;
        return mean ? [.. Enumerable.Range(0, Dimension).Select(d => tokens[prefix..].Average(token => token[d]))] : tokens[0];
    }

    private double[] EmbedResNet(Maps image)
    {
        var maps = MaximumOf3(Norm("bn1", Convolve("conv1", image, 2)).Relu());
        for (var stage = 0; stage < 4; stage++)
        {
            for (var block = 0; block < Blocks[stage]; block++)
            {
                var (name, stride) = ($"layer{stage + 1}.{block}.", stage > 0 && block == 0 ? 2 : 1);
                var sum = Norm(name + "bn1", Convolve(name + "conv1", maps, IsBottleneck ? 1 : stride)).Relu();
                sum = Norm(name + "bn2", Convolve(name + "conv2", sum, IsBottleneck ? stride : 1));
                if (IsBottleneck)
                    sum = Norm(name + "bn3", Convolve(name + "conv3", sum.Relu(), 1));
                if (Weights.ContainsKey(name + "downsample.0.weight"))
                    maps = Norm(name + "downsample.1", Convolve(name + "downsample.0", maps, stride));
                maps = new Maps(sum.Channels, sum.Side, [.. sum.Values.Zip(maps.Values, (a, b) => a + b)]).Relu();
            }
        }
        return [.. maps.Values.Chunk(maps.Side * maps.Side).Select(map => map.Average())];
    }

    private double[][] Tokens(Maps image)
    {
        var grid = image.Side / Patch;
        var patches = Convolve("patch_embed.proj", image, Patch, padding: 0);
        double[][] tokens =
        [
            Values("cls_token"), .. HasDistillation ? new[] { Values("dist_token") } : [],
            .. Enumerable.Range(0, grid * grid).Select(place => Enumerable.Range(0, Dimension)
                .Select(d => patches.Values[d * grid * grid + place] + Values("patch_embed.proj.bias")[d]).ToArray()),
        ];
        tokens = [.. tokens.Select((token, i) => token.Select((value, d) => value + Values("pos_embed")[i * Dimension + d]).ToArray())];
        for (var layer = 0; layer < Layers; layer++)
        {
            var name = $"blocks.{layer}.";
            double[][] joined = [.. tokens.Select(token => Linear(name + "attn.qkv", LayerNorm(name + "norm1", token)))];
            tokens = [.. tokens.Select((token, i) =>
            {
                var context = new double[Dimension];
                for (var head = 0; head < Heads; head++)
                {
                    var size = Dimension / Heads;
                    double[] scores = [.. joined.Select(other => Math.Exp(Enumerable.Range(head * size, size).Sum(d => joined[i][d] * other[Dimension + d]) / Math.Sqrt(size)))];
                    for (var d = head * size; d < (head + 1) * size; d++)
                        context[d] = joined.Select((other, j) => scores[j] * other[2 * Dimension + d]).Sum() / scores.Sum();
                }
                double[] attended = [.. Linear(name + "attn.proj", context).Zip(token, (a, b) => a + b)];
                double[] hidden = [.. Linear(name + "mlp.fc1", LayerNorm(name + "norm2", attended)).Select(x => x * 0.5 * (1 + SmallNetwork.Erf(x / Math.Sqrt(2))))];
                return Linear(name + "mlp.fc2", hidden).Zip(attended, (a, b) => a + b).ToArray();
            })];
        }
        return [.. tokens.Select(token => LayerNorm("norm", token))];
    }

    private double[] Values(string name) => [.. Weights[name].Values.Select(value => (double)value)];

    private double[] Linear(string name, double[] input)
    {
        var (shape, weight) = Weights[name + ".weight"];
        var bias = Weights[name + ".bias"].Values;
        return [.. Enumerable.Range(0, (int)shape[0]).Select(o => bias[o] + Enumerable.Range(0, input.Length).Sum(i => weight[o * input.Length + i] * input[i]))];
    }

    private double[] LayerNorm(string name, double[] input)
    {
        var mean = input.Average();
        var deviation = Math.Sqrt(input.Average(x => (x - mean) * (x - mean)) + Epsilon);
        return [.. input.Select((x, d) => (x - mean) / deviation * Weights[name + ".weight"].Values[d] + Weights[name + ".bias"].Values[d])];
    }

    private Maps Convolve(string name, Maps input, int stride, int? padding = null)
    {
        var (shape, weight) = Weights[name + ".weight"];
        var side = (int)shape[2];
        var pad = padding ?? side / 2;
        var size = (input.Side + 2 * pad - side) / stride + 1;
        var output = new double[shape[0] * size * size];
        for (var at = 0; at < output.Length; at++)
        {
            var (o, y, x) = (at / (size * size), at / size % size, at % size);
            for (var c = 0; c < input.Channels; c++)
            {
                for (var k = 0; k < side * side; k++)
                {
                    var (row, column) = (y * stride + k / side - pad, x * stride + k % side - pad);
                    if (row >= 0 && row < input.Side && column >= 0 && column < input.Side)
                        output[at] += weight[(o * input.Channels + c) * side * side + k] * input.Values[(c * input.Side + row) * input.Side + column];
                }
            }
        }
        return new Maps((int)shape[0], size, output);
    }

    private Maps Norm(string name, Maps maps) => new(maps.Channels, maps.Side, [.. maps.Values.Select((value, i) =>
    {
        var c = i / (maps.Side * maps.Side);
        return (value - Values(name + ".running_mean")[c]) / Math.Sqrt(Values(name + ".running_var")[c] + 1e-5) * Values(name + ".weight")[c] + Values(name + ".bias")[c];
    })]);

    private static Maps MaximumOf3(Maps maps)
    {
        var size = (maps.Side - 1) / 2 + 1;
        return new(maps.Channels, size, [.. Enumerable.Range(0, maps.Channels * size * size).Select(at =>
        {
            var (c, y, x) = (at / (size * size), at / size % size * 2, at % size * 2);
            return Enumerable.Range(0, 9).Select(k => (Row: y + k / 3 - 1, Column: x + k % 3 - 1))
                .Where(place => place.Row >= 0 && place.Row < maps.Side && place.Column >= 0 && place.Column < maps.Side)
                .Max(place => maps.Values[(c * maps.Side + place.Row) * maps.Side + place.Column]);
        })]);
    }

    private void AddConvolution(string name, string norm, int inputs, int outputs, int side)
    {
        Add(name + ".weight", 2 / Math.Sqrt(inputs * side * side), outputs, inputs, side, side);
        Add(norm + ".weight", 1, outputs);
        Add(norm + ".bias", 0.3, outputs);
        Add(norm + ".running_mean", 0.3, outputs);
        Add(norm + ".running_var", 1, outputs);
        var variance = Weights[norm + ".running_var"].Values;
        for (var i = 0; i < outputs; i++)
            variance[i] = 0.5f + Math.Abs(variance[i]);
    }

    private void AddLinear(string name, int outputs, params int[] inputs)
    {
        Add(name + ".weight", 0.5, [outputs, .. inputs]);
        Add(name + ".bias", 0.3, outputs);
    }

    private void AddNorm(string name)
    {
        Add(name + ".weight", 1, Dimension);
        Add(name + ".bias", 0.3, Dimension);
    }

    private void Add(string name, double scale, params int[] shape)
        => Weights[name] = ([.. shape.Select(size => (long)size)],
            [.. Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(_ => (float)(scale * (2 * _random.NextDouble() - 1)))]);

    /// <summary>Square maps, channel by channel.</summary>
    private sealed record Maps(int Channels, int Side, double[] Values)
    {
        public Maps Relu() => this with { Values = [.. Values.Select(value => Math.Max(0, value))] };
    }
}
