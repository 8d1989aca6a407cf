using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// A text in units, and these in windows that fit the encoder, each behind a frame: the class token, or class token, question and
/// separator. A separator ends each. The same for training and for scoring.
/// </summary>
internal sealed class WindowedText
{
    private readonly int[] _frame;
    private readonly int[] _ids;
    private readonly int[] _starts;
    private readonly int _separator;

    private WindowedText(TextUnits units, int[] frame, int room, double overlap, int separator)
    {
        (_frame, _separator) = (frame, separator);
        (_ids, _starts, Units) = ([.. units.Ids], [.. units.Starts], [.. units.Units]);
        Windows = UnitWindows.Cut(_starts, room, overlap);
        Owners = UnitWindows.Owners(Windows, _starts);
    }

    /// <summary>The parts that get labels.</summary>
    public IReadOnlyList<TextUnit> Units { get; }

    /// <summary>Which of them are computed together; none where there are no units.</summary>
    public IReadOnlyList<UnitWindow> Windows { get; }

    /// <summary>For each unit the window that tells its label.</summary>
    public IReadOnlyList<int> Owners { get; }

    /// <summary>The tokens of a window.</summary>
    public int[] Ids(int window)
    {
        var (first, end) = (_starts[Windows[window].First], _starts[Windows[window].End]);
        return [.. _frame, .. _ids.AsSpan(first, end - first), _separator];
    }

    /// <summary>Where a unit's first token stands in a window.</summary>
    public int Position(int unit, int window) => _frame.Length + _starts[unit] - _starts[Windows[window].First];

    /// <summary>Reads texts. Not safe for several threads at once.</summary>
    /// <param name="format">Has tokenizer and encoder.</param>
    /// <param name="kind">What a unit is.</param>
    /// <param name="overlap">Share of a window that the next one has, too.</param>
    /// <param name="hasQuestion">Whether texts stand behind a question, which may take half the room.</param>
    internal sealed class Reader(TextRowFormat format, UnitKind kind, double overlap, bool hasQuestion)
    {
        private readonly TokenVocabulary _vocabulary = format.Tokenizer.Vocabulary;
        private readonly int _mostQuestionTokens = hasQuestion ? format.Factory.MaximumTokens / 2 : 0;
        private readonly TextUnits _units = new(format.Tokenizer, kind, UnitWindows.MostTokens(Room(format, hasQuestion)));
        private readonly List<int> _question = [];

        // Of the windows of the longest question.
        private static int Room(TextRowFormat format, bool hasQuestion)
            => format.Factory.MaximumTokens - (hasQuestion ? 3 + format.Factory.MaximumTokens / 2 : 2);

        /// <summary>Questions that were longer than half of what the encoder takes, and lost their ends.</summary>
        public long QuestionsCut { get; private set; }

        /// <summary>Cuts a text.</summary>
        /// <param name="text">The text.</param>
        /// <param name="question">What it may answer; not read without one.</param>
        public WindowedText Read(ReadOnlySpan<char> text, ReadOnlySpan<char> question = default)
        {
            _units.Read(text);
            if (!hasQuestion)
                return new WindowedText(_units, [_vocabulary.ClassId], format.Factory.MaximumTokens - 2, overlap, _vocabulary.SeparatorId);
            _question.Clear();
            if (format.Tokenizer.Encode(question, _question, _mostQuestionTokens + 1) > _mostQuestionTokens)
            {
                QuestionsCut++;
                _question.RemoveAt(_question.Count - 1);
            }
            return new WindowedText(_units, [_vocabulary.ClassId, .. _question, _vocabulary.SeparatorId],
                format.Factory.MaximumTokens - 3 - _question.Count, overlap, _vocabulary.SeparatorId);
        }
    }
}
