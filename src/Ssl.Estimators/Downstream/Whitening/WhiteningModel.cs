using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>(x - mean) W in double precision, and how it is saved. Any number of threads may compute at once.</summary>
internal sealed class WhiteningModel : VectorComputation, IDisposable
{
    /// <summary>The kind of archive.</summary>
    public const string ArchiveKind = "whitening";

    private const string MeanName = "mean", MatrixName = "matrix", InputKey = "input_column", OutputKey = "output_column",
        ShrinkageKey = "shrinkage";

    // Of the largest eigenvalue: what is below is rounding, and there is nothing in its direction.
    private const double Rounding = 1e-12;

    private readonly Tensor _mean;          // [1, D]
    private readonly Tensor _matrix;        // [D, O]

    private WhiteningModel(Tensor mean, Tensor matrix, double shrinkage, string inputColumn, string outputColumn)
    {
        (_mean, _matrix, Shrinkage) = (mean.DetachFromDisposeScope(), matrix.DetachFromDisposeScope(), shrinkage);
        (InputColumn, OutputColumn, Dimension, Width) = (inputColumn, outputColumn, (int)matrix.shape[0], (int)matrix.shape[1]);
        Lifetime = new Lifetime(nameof(WhiteningTransformer), Free);
    }

    public override string InputColumn { get; }

    /// <summary>Name of the new column.</summary>
    public string OutputColumn { get; }

    public override int Dimension { get; }

    public override int Width { get; }

    /// <summary>How much of the covariance is that of a sphere, from 0 to 1.</summary>
    public double Shrinkage { get; }

    public override Lifetime Lifetime { get; }

    /// <summary>The whitening of a mean and a covariance.</summary>
    /// <param name="mean">D numbers.</param>
    /// <param name="covariance">[D, D], positive semidefinite and not 0.</param>
    /// <param name="shrinkage">How much of it is that of a sphere.</param>
    /// <param name="kind">Which matrix.</param>
    /// <param name="components">O, the numbers of a whitened vector; D for ZCA.</param>
    /// <param name="columns">Names of the columns.</param>
    public static WhiteningModel Fit(double[] mean, Tensor covariance, double shrinkage, WhiteningKind kind, int components,
        (string Input, string Output) columns)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (ascending, unordered) = linalg.eigh(covariance);
        var values = ascending.flip(0);                                             // [D], falling
        var vectors = unordered.flip(1);                                            // [D, D], one a column
        var scale = values.rsqrt().masked_fill(values.le(values[0] * Number(Rounding)), Number(0.0));
        Tensor matrix;
        if (kind == WhiteningKind.ZeroPhaseComponentAnalysis)
        {
            matrix = (vectors * scale).mm(vectors.t());                             // [D, D]
        }
        else
        {
            // An eigenvector has no sign of its own: its largest number is made positive.
            var largest = vectors.gather(0, vectors.abs().argmax(0, keepdim: true));                    // [1, D]
            matrix = (vectors * largest.sign() * scale).narrow(1, 0, components);   // [D, O]
        }
        return new WhiteningModel(tensor(mean, dtype: ScalarType.Float64).view(1, -1).clone(), matrix.contiguous().clone(), shrinkage,
            columns.Input, columns.Output);
    }

    public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row) => VectorGetter(row);

    protected override void Compute(Span<float> vectors, int count, Span<float> results)
    {
        using var use = Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var host = empty([count, Dimension], ScalarType.Float32);
        MemoryMarshal.AsBytes(vectors[..(count * Dimension)]).CopyTo(host.bytes);
        var white = (host.to(ScalarType.Float64) - _mean).mm(_matrix).to(ScalarType.Float32);           // [N, O]
        MemoryMarshal.Cast<byte, float>(white.bytes).CopyTo(results);
    }

    /// <summary>Writes everything; <see cref="Read"/> reads it back.</summary>
    public void WriteArchive(Stream stream)
    {
        using var use = Lifetime.Enter();
        var content = new JsonObject { [InputKey] = InputColumn, [OutputKey] = OutputColumn, [ShrinkageKey] = Shrinkage };
        ModelArchive.Write(stream, ArchiveKind, content, new Dictionary<string, Tensor> { [MeanName] = _mean, [MatrixName] = _matrix });
    }

    /// <summary>Reads what <see cref="WriteArchive"/> wrote.</summary>
    /// <exception cref="FormatException">The archive holds something else or is damaged.</exception>
    public static WhiteningModel Read(ArchiveManifest manifest, SafeTensorsReader tensors)
        => VectorArchive.Read(manifest, tensors, ArchiveKind, (content, all) =>
    {
        var (mean, matrix) = (all[MeanName], all[MatrixName]);
        if (mean.dtype != ScalarType.Float64 || matrix.dtype != ScalarType.Float64 || mean.ndim != 2 || mean.shape[0] != 1
            || matrix.ndim != 2 || matrix.shape[0] != mean.shape[1] || matrix.shape[1] == 0)
            throw new FormatException("The saved whitening is damaged: its mean does not fit its matrix.");
        return new WhiteningModel(mean.alias(), matrix.alias(), (double)content[ShrinkageKey]!, content.Name(InputKey),
            content.Name(OutputKey));
    });

    /// <inheritdoc/>
    public void Dispose() => Lifetime.Close();

    private void Free()
    {
        _mean.Dispose();
        _matrix.Dispose();
    }
}
