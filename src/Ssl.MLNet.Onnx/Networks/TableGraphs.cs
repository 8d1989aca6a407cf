using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.MLNet.Onnx.Graph;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>The networks of tables as graphs.</summary>
/// <remarks>N rows, C numbers, K categories, H outputs of a layer, D the dimension of a cell.</remarks>
internal static class TableGraphs
{
    /// <summary>A row's embedding.</summary>
    /// <param name="factory">The network's sizes.</param>
    /// <param name="layout">The cells of a row.</param>
    /// <param name="weights">The network's.</param>
    /// <param name="cells">The rows.</param>
    /// <returns>Single [N, H].</returns>
    public static OnnxValue Encode(TabularEncoderFactory factory, TableLayout layout, NetworkWeights weights, TableCells cells) => factory switch
    {
        MlpTabularEncoderFactory sizes => Mlp(sizes, weights, cells),
        ResidualMlpTabularEncoderFactory sizes => ResidualMlp(sizes, layout, weights, cells),
        ColumnTransformerFactory sizes => ColumnTransformer(sizes, weights, cells),
        _ => throw Unsupported.Network(factory),
    };

    private static OnnxValue Mlp(MlpTabularEncoderFactory sizes, NetworkWeights weights, TableCells cells)
    {
        var first = weights.Part("cells");
        var state = first.Value("bias");                                                                // [H]
        if (cells.Numbers is { } numbers)
            state = first.Linear(OnnxValue.Concat(1, numbers, cells.Missing!.Value.To(DataType.Float)), "numbers") + state;
        if (cells.Entries is { } entries)
            state = first.Value("categories.weight").Gather(entries).Sum(false, 1) + state;
        state = state.Relu();
        for (var i = 0; i < sizes.NumberOfLayers - 1; i++)
            state = weights.Linear(state, $"hidden.{i}").Relu();
        return state;
    }

    private static OnnxValue ResidualMlp(ResidualMlpTabularEncoderFactory sizes, TableLayout layout, NetworkWeights weights, TableCells cells)
    {
        var all = new List<OnnxValue>();
        if (cells.Numbers is { } numbers)
        {
            var part = weights.Part("numbers");
            var vectors = sizes.NumericEmbedding == NumericEmbedding.Periodic ? Periodic(part, numbers) : PiecewiseLinear(part, layout, numbers);
            vectors = cells.Missing!.Value.Unsqueeze(2).Choose(part.Value("missing"), vectors);         // [N, C, D]
            all.Add(vectors.Reshape(0, (long)layout.NumericCount * sizes.CellDimension));
        }
        if (cells.Entries is { } entries)
            all.Add(weights.Value("categories.weight").Gather(entries).Reshape(0, (long)layout.CategoricalCount * sizes.CellDimension));
        var state = weights.Linear(OnnxValue.Concat(1, [.. all]), "input");
        for (var i = 0; i < sizes.NumberOfBlocks; i++)
        {
            var block = weights.Part($"blocks.{i}");
            state += block.Linear(block.Linear(block.LayerNorm(state, "norm"), "hidden").Relu(), "output");
        }
        return weights.LayerNorm(state, "norm");
    }

    private static OnnxValue Periodic(NetworkWeights weights, OnnxValue numbers)
    {
        var cells = numbers.Unsqueeze(2);                                                               // [N, C, 1]
        var angles = cells * weights.Value("frequencies") * (float)(2 * Math.PI);                       // [N, C, F]
        return weights.Linear(OnnxValue.Concat(2, cells, angles.Sin(), angles.Cos()), "linear").Relu();
    }

    private static OnnxValue PiecewiseLinear(NetworkWeights weights, TableLayout layout, OnnxValue numbers)
    {
        using var scope = NewDisposeScope();
        var (graph, bins) = (weights.Graph, layout.NumericQuantiles[0].Length - 1);
        float[] starts = [.. layout.NumericQuantiles.SelectMany(edges => edges[..^1])];
        float[] widths = [.. layout.NumericQuantiles.SelectMany(edges => edges[1..].Zip(edges, (end, start) => Math.Max(end - start, PiecewiseLinearEmbeddings.NarrowestBin)))];
        var passed = ((numbers.Unsqueeze(2) - graph.Weight(tensor(starts, [layout.NumericCount, bins]), "edges")) / graph.Weight(tensor(widths, [layout.NumericCount, bins]), "widths"))
            .Clip(graph.Constant(0f), graph.Constant(1f));                                              // [N, C, bins]
        var vectors = passed.Transpose(1, 0, 2).MatMul(weights.Value("weight")).Transpose(1, 0, 2);     // [N, C, D]
        return (vectors + weights.Value("bias")).Relu();
    }

    private static OnnxValue ColumnTransformer(ColumnTransformerFactory sizes, NetworkWeights weights, TableCells cells)
    {
        var all = new List<OnnxValue>();
        if (cells.Numbers is { } numbers)
        {
            var part = weights.Part("numbers");
            all.Add(numbers.Unsqueeze(2) * part.Value("weight") + cells.Missing!.Value.To(DataType.Float).Unsqueeze(2) * part.Value("missing"));
        }
        if (cells.Entries is { } entries)
            all.Add(weights.Value("categories.weight").Gather(entries));
        var tokens = OnnxValue.Concat(1, [.. all]) + weights.Value("columns");                          // [N, C + K, D]
        return TransformerGraphs.Stack(weights.Part("encoder"), tokens, sizes.NumberOfLayers, sizes.NumberOfHeads, null).Mean(false, 1);
    }
}
