using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators;

public sealed partial class WordPieceTokenizer
{
    internal static class Defaults
    {
        internal const int VocabularySize = 12_000;
        internal const int MinimumCount = 2;
        internal const bool LowerCase = true;
        internal const bool SplitCamelCase = true;
    }

    /// <summary>How a vocabulary is learned.</summary>
    public sealed class Options
    {
        /// <summary>The most tokens, special ones included. At least 10; small corpora fill fewer.</summary>
        /// <value>The default value is 12,000.</value>
        public int VocabularySize { get; set; } = Defaults.VocabularySize;

        /// <summary>A word or piece must occur this often to become a token. At least 1.</summary>
        /// <value>The default value is 2.</value>
        public int MinimumCount { get; set; } = Defaults.MinimumCount;

        /// <summary>Whether upper and lower case are the same.</summary>
        /// <value>The default value is <see langword="true"/>.</value>
        public bool LowerCase { get; set; } = Defaults.LowerCase;

        /// <summary>Whether a capital inside a word begins a new one: "ReadAllLines" is then three words.</summary>
        /// <value>The default value is <see langword="true"/>.</value>
        public bool SplitCamelCase { get; set; } = Defaults.SplitCamelCase;

        /// <summary>What is made equal before a text is cut, such as full-width letters and common ones.</summary>
        /// <value>The default value is <see cref="TextNormalization.Nfkc"/>.</value>
        public TextNormalization Normalization { get; set; } = TextNormalization.Nfkc;

        /// <summary>Words that must be single tokens whatever their count, such as those of a synonym dictionary.</summary>
        /// <value>The default value is empty.</value>
        public IReadOnlyCollection<string> RequiredWords { get; set; } = [];

        /// <summary>Ends the training with <see cref="OperationCanceledException"/>: a part of a vocabulary is of no use.</summary>
        public CancellationToken CancellationToken { get; set; }

        internal void Validate()
        {
            var faults = new OptionFaults()
                .AtLeast(VocabularySize, 10)
                .AtLeast(MinimumCount, 1)
                .Defined(Normalization)
                .NotNull(RequiredWords);
            RequireSingleWords(faults, RequiredWords, LowerCase, Normalization);
            faults.ThrowIfAny();
        }

        /// <summary>Refuses required words that the splitting of texts would cut.</summary>
        internal static void RequireSingleWords(OptionFaults faults, IEnumerable<string>? words, bool lowerCase, TextNormalization normalization)
        {
            var rules = new WordRules(lowerCase, SplitCamelCase: false, normalization, KeepsAll: true);
            Span<char> buffer = new char[WordSplitter.LongestWord];
            foreach (string word in words ?? [])
            {
                var whole = TextNormalizer.Normalize(word, normalization);
                var parts = new WordSplitter(whole, rules, buffer);
                bool single = parts.MoveNext() && parts.Current.Length == whole.Length;
                faults.Require(single, nameof(RequiredWords), "must be single words of letters or of digits", $"\"{word}\"");
            }
        }
    }
}
