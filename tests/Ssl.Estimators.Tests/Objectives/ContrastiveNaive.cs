namespace Ssl.Estimators.Tests.Objectives;

/// <summary>The contrastive losses as double loops over plain arrays, straight from their definitions.</summary>
internal static class ContrastiveNaive
{
    /// <summary>Mean of -log softmax at the partner, over rows and over columns.</summary>
    public static double InfoNce(double[][] first, double[][] second, double temperature)
    {
        double sum = 0;
        int n = first.Length;
        for (int i = 0; i < n; i++)
        {
            double row = 0, column = 0;
            for (int j = 0; j < n; j++)
            {
                row += Math.Exp(Cosine(first[i], second[j]) / temperature);
                column += Math.Exp(Cosine(first[j], second[i]) / temperature);
            }
            double own = Math.Exp(Cosine(first[i], second[i]) / temperature);
            sum -= (Math.Log(own / row) + Math.Log(own / column)) / 2;
        }
        return sum / n;
    }

    /// <summary>InfoNCE in which each row of the first side has one more candidate of its own that is wrong.</summary>
    public static double InfoNce(double[][] first, double[][] second, double[][] negatives, double temperature)
    {
        double sum = 0;
        for (int i = 0; i < first.Length; i++)
        {
            double row = Math.Exp(Cosine(first[i], negatives[i]) / temperature), column = 0;
            for (int j = 0; j < first.Length; j++)
            {
                row += Math.Exp(Cosine(first[i], second[j]) / temperature);
                column += Math.Exp(Cosine(first[j], second[i]) / temperature);
            }
            double own = Math.Exp(Cosine(first[i], second[i]) / temperature);
            sum -= (Math.Log(own / row) + Math.Log(own / column)) / 2;
        }
        return sum / first.Length;
    }

    /// <summary>Mean of -log softmax at the partner, over all vectors but the vector itself.</summary>
    public static double NtXent(double[][] first, double[][] second, double temperature)
    {
        double[][] all = [.. first, .. second];
        int n = first.Length;
        double sum = 0;
        for (int i = 0; i < 2 * n; i++)
        {
            double others = 0;
            for (int k = 0; k < 2 * n; k++)
            {
                if (k != i)
                    others += Math.Exp(Cosine(all[i], all[k]) / temperature);
            }
            sum -= Math.Log(Math.Exp(Cosine(all[i], all[(i + n) % (2 * n)]) / temperature) / others);
        }
        return sum / (2 * n);
    }

    /// <summary>The slope of a loss by central differences.</summary>
    public static double[] Gradient(Func<double[][], double> loss, double[][] at)
    {
        const double step = 1e-5;
        var slopes = new List<double>();
        foreach (double[] row in at)
        {
            for (int j = 0; j < row.Length; j++)
            {
                double kept = row[j];
                row[j] = kept + step;
                double above = loss(at);
                row[j] = kept - step;
                double below = loss(at);
                row[j] = kept;
                slopes.Add((above - below) / (2 * step));
            }
        }
        return [.. slopes];
    }

    /// <summary>The inputs of tests/scripts/contrastive_numbers.py.</summary>
    public static double[][] Values(double phase, int rows = ContrastiveNumbers.Rows, int columns = ContrastiveNumbers.Columns)
        => [.. Enumerable.Range(0, rows).Select(i => Enumerable.Range(0, columns)
            .Select(j => Math.Sin(1.3 * (i * columns + j) + phase) + 0.3 * Math.Cos(2.1 * (i * columns + j))).ToArray())];

    private static double Cosine(double[] a, double[] b)
        => a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));
}
