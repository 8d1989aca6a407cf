using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// Two softmax cross-entropies over the places of a window at which an answer may begin or end. A token's target says whether it is such a
/// place, and whether the answer begins (<see cref="Begins"/>) or ends (<see cref="Ends"/>) there, or both.
/// </summary>
internal sealed class AnswerSpans : TokenMethod
{
    /// <summary>A score of the beginning and one of the end.</summary>
    public const int Outputs = 2;

    /// <summary>Target of a place where an answer may begin or end, and bits of those where it does.</summary>
    public const int Possible = 0, Begins = 1, Ends = 2;

    /// <summary>The method.</summary>
    /// <param name="encoder">A copy of the pretrained encoder.</param>
    /// <param name="head">With two outputs.</param>
    /// <param name="tuning">Which weights of the encoder change.</param>
    public AnswerSpans(TextEncoder encoder, PredictionHead head, EncoderTuning tuning) : base(nameof(AnswerSpans), encoder, head, tuning)
    {
    }

    /// <inheritdoc/>
    protected override StepLoss Loss(Tensor logits, Tensor labels)
    {
        var impossible = labels.eq(Number(TokenWindows.Ignored)).unsqueeze(2);                          // [N, L, 1]
        var scores = logits.masked_fill(impossible, Number(float.NegativeInfinity));                    // [N, L, 2]
        var begins = labels.eq(Number(Begins)).logical_or(labels.eq(Number(Begins | Ends))).to(ScalarType.Float32).argmax(1);     // [N]
        var ends = labels.eq(Number(Ends)).logical_or(labels.eq(Number(Begins | Ends))).to(ScalarType.Float32).argmax(1);
        var (first, last) = (scores.select(2, 0), scores.select(2, 1));                                 // [N, L]
        var loss = nn.functional.cross_entropy(first, begins).add(nn.functional.cross_entropy(last, ends), One) / Number(2);
        var right = first.detach().argmax(1).eq(begins).logical_and(last.detach().argmax(1).eq(ends));
        return new StepLoss(loss, [("exact", right.to(ScalarType.Float32).mean())]);
    }
}

/// <summary>Makes windows to train on of questions, contexts and answers.</summary>
/// <param name="texts">Cuts texts.</param>
/// <param name="windows">Takes the windows.</param>
internal sealed class AnsweredTextReader(WindowedText.Reader texts, TokenWindows windows)
{
    /// <summary>What was made.</summary>
    public TokenWindows Windows => windows;

    /// <summary>Numbers of the rows that can be learned from.</summary>
    public List<int> Rows { get; } = [];

    /// <summary>Rows without a context.</summary>
    public long LeftOut { get; private set; }

    /// <summary>Rows whose answer does not stand where they say.</summary>
    public long Misplaced { get; private set; }

    /// <summary>The first of them.</summary>
    public int FirstMisplaced { get; private set; }

    /// <summary>Rows to learn from that have no answer.</summary>
    public long Unanswered { get; private set; }

    /// <summary>Takes a row.</summary>
    /// <param name="row">Its number, from 0.</param>
    /// <param name="groups">Question, context, answer; then where the answer begins, where that is told.</param>
    public void Add(int row, RawRow[] groups)
    {
        var context = groups[1].Texts.Span[0].Span;
        var answer = groups[2].Texts.Span[0].Span;
        var text = texts.Read(context, groups[0].Texts.Span[0].Span);
        if (text.Units.Count == 0)
        {
            LeftOut++;
            return;
        }
        var start = groups.Length > 3 ? groups[3].Numbers.Span[0] : answer.IsEmpty ? -1 : context.IndexOf(answer, StringComparison.Ordinal);
        (int First, int Last)? span = null;
        if (answer.IsEmpty || groups.Length > 3 && start < 0)
        {
            Unanswered++;
        }
        else if (start >= 0 && start == Math.Floor(start) && start + answer.Length <= context.Length
            && context.Slice((int)start, answer.Length).SequenceEqual(answer)
            && UnitSpan.Of(text.Units, (int)start, (int)start + answer.Length) is { } found)
        {
            span = found;
        }
        else
        {
            if (Misplaced++ == 0)
                FirstMisplaced = row;
            return;
        }
        Rows.Add(row);
        for (var window = 0; window < text.Windows.Count; window++)
        {
            var ids = text.Ids(window);
            var targets = new int[ids.Length];
            Array.Fill(targets, TokenWindows.Ignored);
            var (first, end) = (text.Windows[window].First, text.Windows[window].End);
            for (var unit = first; unit < end; unit++)
                targets[text.Position(unit, window)] = AnswerSpans.Possible;
            targets[0] = AnswerSpans.Possible;
            // Half an answer is none.
            if (span is { } whole && whole.First >= first && whole.Last < end)
            {
                targets[text.Position(whole.First, window)] |= AnswerSpans.Begins;
                targets[text.Position(whole.Last, window)] |= AnswerSpans.Ends;
            }
            else
            {
                targets[0] = AnswerSpans.Begins | AnswerSpans.Ends;
            }
            windows.Add(row, ids, targets);
        }
    }
}
