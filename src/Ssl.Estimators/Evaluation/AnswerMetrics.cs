namespace Ssl.Estimators;

/// <summary>
/// How well questions are answered, as SQuAD measures it (Rajpurkar et al., 2016 and 2018): answers are compared without case, punctuation,
/// the articles a, an and the, and further white space.
/// </summary>
public sealed class AnswerMetrics
{
    internal AnswerMetrics(long rows, long answered, double exact, double f1, double answeredExact, double answeredF1, double unansweredRight, double anyExact)
    {
        (NumberOfRows, NumberOfAnswered) = (rows, answered);
        (ExactMatch, F1) = (exact / rows, f1 / rows);
        if (answered > 0)
            (AnsweredExactMatch, AnsweredF1) = (answeredExact / answered, answeredF1 / answered);
        UnansweredAccuracy = rows == answered ? null : unansweredRight / (rows - answered);
        AnyExactMatch = anyExact / rows;
    }

    /// <summary>Rows compared.</summary>
    public long NumberOfRows { get; }

    /// <summary>Those of them that have an answer.</summary>
    public long NumberOfAnswered { get; }

    /// <summary>Share of the rows whose likeliest answer is right; of a row without an answer, that none is given.</summary>
    public double ExactMatch { get; }

    /// <summary>Mean over the rows of the harmonic mean of precision and recall in words; of a row without an answer 1 where none is given, else 0.</summary>
    public double F1 { get; }

    /// <summary><see cref="ExactMatch"/> over the rows that have an answer; null where none has.</summary>
    public double? AnsweredExactMatch { get; }

    /// <summary><see cref="F1"/> over the rows that have an answer; null where none has.</summary>
    public double? AnsweredF1 { get; }

    /// <summary>Share of the rows without an answer for which none is given; null where all have one.</summary>
    public double? UnansweredAccuracy { get; }

    /// <summary>Share of the rows of which any of the answers given, not only the likeliest, is right.</summary>
    public double AnyExactMatch { get; }
}
