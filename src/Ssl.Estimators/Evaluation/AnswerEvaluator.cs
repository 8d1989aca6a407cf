using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Evaluation;

/// <summary>Compares answers with those that are right.</summary>
internal static class AnswerEvaluator
{
    private static readonly string[] s_articles = ["a", "an", "the"];

    /// <summary>All figures of a view.</summary>
    public static AnswerMetrics Evaluate(IDataView data, string labelColumn, string answerColumn)
    {
        ArgumentNullException.ThrowIfNull(data);
        var label = ColumnShape.Find(data.Schema, labelColumn, "label");
        if (!label.IsText)
            throw Check.SchemaMismatch("label", labelColumn, "String", label.ToString());
        var answer = ColumnShape.Find(data.Schema, answerColumn, "answer");
        if (answer.ItemType is not TextDataViewType)
            throw Check.SchemaMismatch("answer", answerColumn, "VarVector<String>", answer.ToString());
        long rows = 0, answered = 0;
        double exact = 0, f1 = 0, answeredExact = 0, answeredF1 = 0, unansweredRight = 0, any = 0;
        TaggingEvaluator.Read(data, [[labelColumn], [answerColumn]], (_, groups) =>
        {
            var right = Words(groups[0].Texts.Span[0].Span);
            var given = groups[1].Texts.ToArray().Select(text => Words(text.Span)).ToArray();
            var likeliest = given.Length == 0 ? [] : given[0];
            var (isExact, overlap) = (likeliest.SequenceEqual(right), Overlap(likeliest, right));
            rows++;
            (exact, f1) = (exact + (isExact ? 1 : 0), f1 + overlap);
            if (given.Length == 0 ? isExact : given.Any(words => words.SequenceEqual(right)))
                any++;
            if (right.Length == 0)
                unansweredRight += isExact ? 1 : 0;
            else
                (answered, answeredExact, answeredF1) = (answered + 1, answeredExact + (isExact ? 1 : 0), answeredF1 + overlap);
        });
        return new AnswerMetrics(rows, answered, exact, f1, answeredExact, answeredF1, unansweredRight, any);
    }

    /// <summary>The words of an answer that count.</summary>
    public static string[] Words(ReadOnlySpan<char> answer)
    {
        var kept = new StringBuilder();
        foreach (var rune in answer.EnumerateRunes())
        {
            if (!Rune.IsPunctuation(rune) && !(rune.IsAscii && Rune.IsSymbol(rune)))        // Python's string.punctuation, and other scripts' marks
                kept.Append(Rune.ToLowerInvariant(rune).ToString());
        }
        return [.. kept.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Where(word => !s_articles.Contains(word))];
    }

    // Harmonic mean of the shares of words that both have.
    private static double Overlap(string[] given, string[] right)
    {
        if (given.Length == 0 || right.Length == 0)
            return given.Length == right.Length ? 1 : 0;
        var left = right.ToList();
        var common = given.Count(left.Remove);
        return common == 0 ? 0 : 2.0 * common / (given.Length + right.Length);
    }
}
