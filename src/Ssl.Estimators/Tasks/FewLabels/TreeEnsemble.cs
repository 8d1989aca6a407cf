using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;
using Ssl.Estimators.Interop;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>How trees are grown.</summary>
/// <param name="Leaves">Of a tree, at most.</param>
/// <param name="RowsPerLeaf">At least.</param>
/// <param name="Rounds">Of boosting.</param>
/// <param name="LearningRate">Of boosting.</param>
internal readonly record struct TreeSettings(int Leaves, int RowsPerLeaf, int Rounds, double LearningRate);

/// <summary>A node of a tree, for those who write it down.</summary>
/// <param name="Tree">Number of its tree.</param>
/// <param name="Number">Its number in the tree.</param>
/// <param name="Output">What its tree adds to.</param>
/// <param name="IsLeaf">Whether it ends a way.</param>
/// <param name="Slot">The slot that is looked at.</param>
/// <param name="Value">The threshold, up to which the way goes left; of a leaf what it adds.</param>
/// <param name="Left">Number of the node there.</param>
/// <param name="Right">Number of the other one.</param>
internal readonly record struct TreeNode(int Tree, int Number, int Output, bool IsLeaf, int Slot, float Value, int Left, int Right);

/// <summary>
/// Boosted trees of ML.NET's LightGBM over some of the slots, kept as arrays: they score batches of rows, are saved beside other weights,
/// and a process that only scores needs no LightGBM.
/// </summary>
internal sealed class TreeEnsemble
{
    private const string Prefix = "trees.";

    // Node by node, tree after tree. A child of at least 0 is a node of the same tree, else the complement of one of its leaves.
    private readonly int[] _slots;
    private readonly float[] _thresholds;
    private readonly int[] _left;
    private readonly int[] _right;
    private readonly double[] _leaves;

    // For each tree the output that it adds to, its first node and its first leaf; then one more, the ends.
    private readonly int[] _outputs;
    private readonly int[] _firstNodes;
    private readonly int[] _firstLeaves;
    private readonly double[] _bias;

    private TreeEnsemble(int[] slots, float[] thresholds, int[] left, int[] right, double[] leaves, int[] outputs, int[] firstNodes,
        int[] firstLeaves, double[] bias)
    {
        (_slots, _thresholds, _left, _right, _leaves) = (slots, thresholds, left, right, leaves);
        (_outputs, _firstNodes, _firstLeaves, _bias) = (outputs, firstNodes, firstLeaves, bias);
    }

    /// <summary>Outputs of a row: one for each class, or one.</summary>
    public int Outputs => _bias.Length;

    /// <summary>Slots of a row that are looked at lie below this number.</summary>
    public int Slots => _slots.Length == 0 ? 0 : _slots.Max() + 1;

    /// <summary>Grows trees.</summary>
    /// <param name="mlContext">Runs the trainer, whose seed is fixed.</param>
    /// <param name="features">Rows of equal length.</param>
    /// <param name="labels">The class from 0, or the value.</param>
    /// <param name="classes">Number of classes; 0 for values.</param>
    /// <param name="settings">How the trees are grown.</param>
    public static TreeEnsemble Fit(MLContext mlContext, float[][] features, float[] labels, int classes, TreeSettings settings)
    {
        var definition = SchemaDefinition.Create(typeof(Row));
        definition[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features[0].Length);
        if (classes == 0)
        {
            var values = mlContext.Data.LoadFromEnumerable(features.Select((f, i) => new Row { Features = f, Value = labels[i] }), definition);
            return Of([mlContext.Regression.Trainers.LightGbm(new LightGbmRegressionTrainer.Options
            {
                LabelColumnName = nameof(Row.Value), NumberOfLeaves = settings.Leaves, MinimumExampleCountPerLeaf = settings.RowsPerLeaf,
                NumberOfIterations = settings.Rounds, LearningRate = settings.LearningRate, Deterministic = true, Seed = 0,
            }).Fit(values).Model]);
        }
        // A key's value counts from 0 on its way in.
        definition[nameof(Row.Class)].ColumnType = new KeyDataViewType(typeof(uint), classes);
        var rows = mlContext.Data.LoadFromEnumerable(features.Select((f, i) => new Row { Features = f, Class = (uint)labels[i] }), definition);
        var model = mlContext.MulticlassClassification.Trainers.LightGbm(new LightGbmMulticlassTrainer.Options
        {
            LabelColumnName = nameof(Row.Class), UseSoftmax = true, NumberOfLeaves = settings.Leaves,
            MinimumExampleCountPerLeaf = settings.RowsPerLeaf, NumberOfIterations = settings.Rounds, LearningRate = settings.LearningRate,
            Deterministic = true, Seed = 0,
        }).Fit(rows).Model;
        return Of([.. SubModels.Of(model).Select(part => part switch
        {
            TreeEnsembleModelParametersBasedOnRegressionTree trees => trees,
            CalibratedModelParametersBase<LightGbmBinaryModelParameters, PlattCalibrator> calibrated => calibrated.SubModel,
            _ => throw new NotSupportedException($"LightGBM gave a {part.GetType()} for a class. Use the version of Microsoft.ML.LightGbm that "
                + "Ssl.Estimators asks for."),
        })]);
    }

    /// <summary>Adds the outputs of a row, which stand for log-odds of the classes up to a constant, or for the value.</summary>
    public void Score(ReadOnlySpan<float> row, Span<double> outputs)
    {
        _bias.CopyTo(outputs);
        for (var tree = 0; tree < _outputs.Length; tree++)
        {
            var (firstNode, node) = (_firstNodes[tree], 0);
            if (firstNode == _firstNodes[tree + 1])
                node = ~0;
            while (node >= 0)
            {
                var at = firstNode + node;
                node = row[_slots[at]] <= _thresholds[at] ? _left[at] : _right[at];
            }
            outputs[_outputs[tree]] += _leaves[_firstLeaves[tree] + ~node];
        }
    }

    /// <summary>What the sums begin with, for each output.</summary>
    public IReadOnlyList<double> Bias => _bias;

    /// <summary>All nodes, tree after tree: those that branch, then its leaves. The first of a tree is its root.</summary>
    public IReadOnlyList<TreeNode> Nodes()
    {
        var all = new List<TreeNode>();
        for (var tree = 0; tree < _outputs.Length; tree++)
        {
            var (first, count) = (_firstNodes[tree], _firstNodes[tree + 1] - _firstNodes[tree]);
            for (var node = 0; node < count; node++)
            {
                var at = first + node;
                all.Add(new TreeNode(tree, node, _outputs[tree], IsLeaf: false, _slots[at], _thresholds[at], Numbered(_left[at]), Numbered(_right[at])));
            }
            for (var leaf = _firstLeaves[tree]; leaf < _firstLeaves[tree + 1]; leaf++)
                all.Add(new TreeNode(tree, count + leaf - _firstLeaves[tree], _outputs[tree], IsLeaf: true, 0, (float)_leaves[leaf], 0, 0));

            int Numbered(int child) => child >= 0 ? child : count + ~child;
        }
        return all;
    }

    /// <summary>Adds the arrays to an archive's tensors, in the current dispose scope.</summary>
    public void AddTo(Dictionary<string, Tensor> tensors)
    {
        tensors[Prefix + "slots"] = tensor(_slots);
        tensors[Prefix + "thresholds"] = tensor(_thresholds);
        tensors[Prefix + "left"] = tensor(_left);
        tensors[Prefix + "right"] = tensor(_right);
        tensors[Prefix + "leaves"] = tensor(_leaves);
        tensors[Prefix + "outputs"] = tensor(_outputs);
        tensors[Prefix + "first_nodes"] = tensor(_firstNodes);
        tensors[Prefix + "first_leaves"] = tensor(_firstLeaves);
        tensors[Prefix + "bias"] = tensor(_bias);
    }

    /// <summary>Reads what <see cref="AddTo"/> wrote; null where there are no trees.</summary>
    /// <exception cref="FormatException">The arrays do not describe trees.</exception>
    public static TreeEnsemble? Read(IReadOnlyDictionary<string, Tensor> tensors)
    {
        if (!tensors.ContainsKey(Prefix + "slots"))
            return null;
        var read = new TreeEnsemble(Array<int>("slots"), Array<float>("thresholds"), Array<int>("left"), Array<int>("right"),
            Array<double>("leaves"), Array<int>("outputs"), Array<int>("first_nodes"), Array<int>("first_leaves"), Array<double>("bias"));
        read.ThrowIfWrong();
        return read;

        T[] Array<T>(string name) where T : unmanaged => MemoryMarshal.Cast<byte, T>(tensors[Prefix + name].bytes).ToArray();
    }

    // A walk must stay within its tree and come to a leaf: nodes are numbered so that children come after their parents.
    private void ThrowIfWrong()
    {
        var (nodes, trees) = (_slots.Length, _outputs.Length);
        var right = _thresholds.Length == nodes && _left.Length == nodes && _right.Length == nodes && _bias.Length > 0
            && _firstNodes.Length == trees + 1 && _firstLeaves.Length == trees + 1 && _firstNodes[0] == 0 && _firstLeaves[0] == 0
            && _firstNodes[^1] == nodes && _firstLeaves[^1] == _leaves.Length && System.Array.TrueForAll(_slots, slot => slot >= 0)
            && System.Array.TrueForAll(_outputs, output => output >= 0 && output < _bias.Length);
        for (var tree = 0; right && tree < trees; tree++)
        {
            var (count, leaves) = (_firstNodes[tree + 1] - _firstNodes[tree], _firstLeaves[tree + 1] - _firstLeaves[tree]);
            right = count >= 0 && leaves == count + 1;
            for (var node = 0; right && node < count; node++)
            {
                right = Fits(_left[_firstNodes[tree] + node]) && Fits(_right[_firstNodes[tree] + node]);
                bool Fits(int child) => child >= 0 ? child > node && child < count : ~child < leaves;
            }
        }
        if (!right)
            throw new FormatException("The saved trees do not fit together.");
    }

    private static TreeEnsemble Of(IReadOnlyList<TreeEnsembleModelParametersBasedOnRegressionTree> models)
    {
        List<int> slots = [], left = [], right = [], outputs = [], firstNodes = [0], firstLeaves = [0];
        List<float> thresholds = [];
        List<double> leaves = [];
        foreach (var (output, model) in models.Index())
        {
            var ensemble = model.TrainedTreeEnsemble;
            foreach (var (tree, weight) in ensemble.Trees.Zip(ensemble.TreeWeights))
            {
                slots.AddRange(tree.NumericalSplitFeatureIndexes);
                thresholds.AddRange(tree.NumericalSplitThresholds);
                left.AddRange(tree.LeftChild);
                right.AddRange(tree.RightChild);
                leaves.AddRange(tree.LeafValues.Select(value => value * weight));
                outputs.Add(output);
                firstNodes.Add(slots.Count);
                firstLeaves.Add(leaves.Count);
            }
        }
        return new TreeEnsemble([.. slots], [.. thresholds], [.. left], [.. right], [.. leaves], [.. outputs], [.. firstNodes], [.. firstLeaves],
            [.. models.Select(model => model.TrainedTreeEnsemble.Bias)]);
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public uint Class { get; set; }

        public float Value { get; set; }
    }
}
