using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// First weights of a linear head for classes: the linear discriminant of the class means (Fisher, 1936) with the covariance shrunk
/// towards a sphere, so that it can be had from a few rows a class (Friedman, 1989). Few labels then go far, and the first gradients do
/// not pull the encoder at random.
/// </summary>
internal static class ClassMeansHead
{
    // Half way to a sphere: measured on 5 and 20 rows a class, where 0.3 to 0.7 differ little.
    private const double Shrinkage = 0.5;

    // How far the logit of a row's own class stands above the mean of all at most: from few rows a discriminant is far too sure of itself,
    // and leaves no gradients.
    private const double LargestMargin = 5;

    private const double LeastSpread = 1e-6;

    /// <summary>Fills the head.</summary>
    /// <param name="head">Linear, with an output for each class, or one for the second of two.</param>
    /// <param name="encoder">Gives the embeddings, in evaluation mode; on the CPU, as the head.</param>
    /// <param name="rows">The R labeled rows.</param>
    /// <param name="classes">C, the number of classes.</param>
    /// <param name="areBalanced">Whether all classes count the same; else a class is the likelier, the more rows it has.</param>
    public static void Fill(PredictionHead head, Encoder encoder, CachedBatchSource rows, int classes, bool areBalanced)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var (all, of) = Embed(encoder, rows, classes);                                      // [R, D], [R, C]
        var counts = of.t().sum(1, keepdim: true);                                          // [C, 1]
        var present = counts.gt(Number(0)).to(ScalarType.Float32);
        var means = of.t().mm(all) / counts.clamp_min(Number(1));                                   // [C, D]
        var middle = means.mul(present).sum(dim: 0, keepdim: true) / present.sum();         // [1, D]
        var centered = (means - middle).mul(present);                                        // [C, D]

        var rest = all - of.mm(means);                                                      // [R, D]
        var within = rest.t().mm(rest) / Number(rest.shape[0]);                                     // [D, D]
        // Where all rows of a class are the same: next to nothing, measured by how far all embeddings lie apart.
        var least = (all - middle).pow(Number(2)).mean().mul(Number(LeastSpread)).clamp_min(Number(1e-30));
        var spread = within.diagonal(0, 0, 1).mean().maximum(least);
        var shrunk = within.mul(Number(1 - Shrinkage)).add(eye(within.shape[0], dtype: ScalarType.Float32).mul(spread * Number(Shrinkage)), One);
        var weight = linalg.solve(shrunk, centered.t()).t();                                 // [C, D]
        var half = weight.mul(centered).sum(1, keepdim: true).mul(Number(0.5));                      // [C, 1]

        var logits = (all - middle).mm(weight.t()) - half.t();                              // [R, C]
        var margin = (logits.mul(of).sum() / of.sum() - logits.mean()).clamp_min(Number(1e-6));
        var scale = margin.reciprocal().mul(Number(LargestMargin)).clamp_max(Number(1));
        weight = weight.mul(scale);
        var bias = weight.mm(middle.t()).neg() - half.mul(scale);                           // [C, 1]
        if (!areBalanced)
            bias = bias.add((counts * present.sum() / Number(rest.shape[0])).clamp_min(Number(1e-12)).log().mul(present), One); // 0 for classes of equal size
        // A class without rows is as far as can be.
        bias = bias - (present.neg().add(Number(1), One)).mul(Number(LargestMargin));
        if (head.Outputs == 1)
            (weight, bias) = (weight.narrow(0, 1, 1) - weight.narrow(0, 0, 1), bias.narrow(0, 1, 1) - bias.narrow(0, 0, 1));
        head.Fill(weight, bias.squeeze(1));
    }

    // Embeddings [R, D], and for each row a 1 in the place of its class [R, C].
    private static (Tensor Embeddings, Tensor Members) Embed(Encoder encoder, CachedBatchSource rows, int classes)
    {
        var wasTraining = encoder.training;
        encoder.eval();
        var embeddings = new List<Tensor>();
        var members = new List<Tensor>();
        foreach (var columns in rows.InOrder())
        {
            // The encoder comes to the rows' device with the training only.
            using var inputs = columns[0].To(CPU);
            using var labels = ((LabelBatch)columns[1]).To(CPU);
            embeddings.Add(encoder.call(inputs).to(ScalarType.Float32));
            members.Add(nn.functional.one_hot(labels.Values.to(ScalarType.Int64), classes).to(ScalarType.Float32));
            foreach (var column in columns)
                column.Dispose();
        }
        encoder.train(wasTraining);
        return (cat(embeddings, 0), cat(members, 0));
    }
}
