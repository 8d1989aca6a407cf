namespace Ssl.Estimators.Training;

/// <summary>
/// Remembers the steps of a run in bounded memory: when there are too many entries, neighbors are averaged, and from then on an entry
/// takes in twice as many steps.
/// </summary>
/// <param name="capacity">The most entries. Even, at least 2.</param>
internal sealed class StepRecorder(int capacity = TrainingHistory.MaximumSteps)
{
    private readonly List<TrainingStep> _entries = [];
    private long _steps;

    /// <summary>Steps that an entry takes in; a power of two.</summary>
    public int Interval { get; private set; } = 1;

    /// <summary>The entries in order; the last one may stand for fewer steps than the others.</summary>
    public IReadOnlyList<TrainingStep> Entries => _entries;

    /// <summary>Takes in the next step of the run.</summary>
    /// <param name="epoch">Its epoch, from 1.</param>
    /// <param name="loss">Its loss.</param>
    /// <param name="terms">The named parts of the loss.</param>
    /// <param name="learningRate">Its learning rate.</param>
    /// <param name="spread">The last embedding spread.</param>
    public void Add(int epoch, double loss, IReadOnlyDictionary<string, double> terms, double learningRate, double? spread)
    {
        var step = new TrainingStep(++_steps, epoch, 1, loss, terms, learningRate, spread);
        if (_entries.Count > 0 && _entries[^1].Count < Interval)
        {
            _entries[^1] = Mean(_entries[^1], step);
            return;
        }
        if (_entries.Count == capacity)
            Halve();
        _entries.Add(step);
    }

    /// <summary>Goes on from entries that another recorder of the same capacity gave.</summary>
    public void Restore(IEnumerable<TrainingStep> entries)
    {
        _entries.Clear();
        _entries.AddRange(entries);
        _steps = _entries.Count > 0 ? _entries[^1].Step : 0;
        Interval = _entries.Count > 0 ? _entries[0].Count : 1;
    }

    private void Halve()
    {
        for (int i = 0; i < capacity / 2; i++)
            _entries[i] = Mean(_entries[2 * i], _entries[2 * i + 1]);
        _entries.RemoveRange(capacity / 2, _entries.Count - capacity / 2);
        Interval *= 2;
    }

    private static TrainingStep Mean(TrainingStep first, TrainingStep second)
    {
        int count = first.Count + second.Count;
        double share = (double)second.Count / count;
        // The names are the same in every step of a run.
        Dictionary<string, double> terms = second.Terms.ToDictionary(term => term.Key,
            term => Between(first.Terms.GetValueOrDefault(term.Key, term.Value), term.Value));
        return second with { Count = count, Loss = Between(first.Loss, second.Loss), Terms = terms };

        double Between(double a, double b) => a + share * (b - a);
    }
}
