namespace Ssl.Estimators.Training;

/// <summary>Mean of the loss and its named parts over rows, since the last reset.</summary>
internal sealed class LossAverage
{
    private double _loss;
    private double[] _terms = [];
    private IReadOnlyList<string> _names = [];

    /// <summary>Rows taken in.</summary>
    public long Samples { get; private set; }

    /// <summary>Steps taken in.</summary>
    public long Steps { get; private set; }

    /// <summary>Mean loss; NaN before the first step.</summary>
    public double Loss => Samples == 0 ? double.NaN : _loss / Samples;

    /// <summary>Mean of each part.</summary>
    public IReadOnlyDictionary<string, double> Terms
    {
        get
        {
            var terms = new Dictionary<string, double>(_names.Count);
            for (int i = 0; i < _names.Count && Samples > 0; i++)
                terms[_names[i]] = _terms[i] / Samples;
            return terms;
        }
    }

    /// <summary>Takes in one step.</summary>
    /// <param name="samples">Its rows.</param>
    /// <param name="loss">Its loss, a mean over its rows.</param>
    /// <param name="names">Names of the parts: the same in every step of a run.</param>
    /// <param name="terms">The parts.</param>
    public void Add(long samples, double loss, IReadOnlyList<string> names, ReadOnlySpan<float> terms)
    {
        if (_terms.Length != terms.Length)
            _terms = new double[terms.Length];
        _names = names;
        Samples += samples;
        Steps++;
        _loss += loss * samples;
        for (int i = 0; i < terms.Length; i++)
            _terms[i] += (double)terms[i] * samples;
    }

    /// <summary>Forgets all steps.</summary>
    public void Reset()
    {
        (_loss, Samples, Steps) = (0, 0, 0);
        Array.Clear(_terms);
    }
}
