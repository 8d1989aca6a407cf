using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;

namespace Ssl.Estimators.Tests;

/// <summary>One column of texts in memory as a batch source.</summary>
internal sealed class TokenRowSource : IBatchSource
{
    private readonly TokenRows _rows = new(0);
    private readonly int _batchSize;
    private readonly Random _shuffle;

    public TokenRowSource(IEnumerable<string> texts, WordPieceTokenizer tokenizer, int maximumTokens, int batchSize, Random shuffle)
    {
        _batchSize = batchSize;
        _shuffle = shuffle;
        foreach (string text in texts)
            _rows.Add([.. tokenizer.Encode(text, maximumTokens, addSpecialTokens: true)]);
    }

    public long? RowCount => _rows.Count;

    public TokenRows Rows => _rows;

    public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
        => BatchOrder.Cut(BatchOrder.Shuffled(_rows.Count, _shuffle), _batchSize, dropLast: false, _rows.Length, _shuffle)
            .Select(rows => (IReadOnlyList<Batch>)[_rows.ToBatch(rows)]);
}
