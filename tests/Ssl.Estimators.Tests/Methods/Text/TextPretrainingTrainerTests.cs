using Microsoft.ML;
using Ssl.Estimators.Rows;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Methods.Text;

/// <summary>How every method on texts comes to its tokens; one of them stands for all.</summary>
[TestClass]
public sealed class TextPretrainingTrainerTests
{
    private sealed class Row
    {
        public string Text { get; set; } = "";

        public float Number { get; set; }

        public string[] Many { get; set; } = ["a"];
    }

    private readonly MLContext _mlContext = TestDevice.Context(1);

    private IDataView View() => _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 30)
        .Select(i => new Row { Text = $"Alpha beta {(i % 2 == 0 ? "Gamma" : "delta")} one two {(i == 3 ? "seldom" : "often")}" }).ToArray());

    private TextRowFormat Fit(Action<SimCseTrainer.Options>? change = null)
    {
        var options = new SimCseTrainer.Options { Encoder = TextEncoders.Bag(8, 8, 8), NumberOfEpochs = 0, Seed = 1 };
        change?.Invoke(options);
        using var model = _mlContext.SelfSupervised().Text.SimCse(options).Fit(View());
        return (TextRowFormat)model.Model.Format;
    }

    private static bool Knows(TextRowFormat format, string word) => format.Tokenizer is WordPieceTokenizer pieces && pieces.Tokens.Contains(word);

    [TestMethod]
    [DataRow(nameof(Row.Number), "Load or convert it as text first")]
    [DataRow(nameof(Row.Many), "Give one text a row")]
    public void A_column_that_is_no_text_is_named_with_what_to_do(string column, string advice)
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(options => options.InputColumnName = column));
        StringAssert.Contains(fault.Message, $"'{column}'");
        StringAssert.Contains(fault.Message, advice);
    }

    [TestMethod]
    public void The_vocabulary_is_made_as_the_options_say()
    {
        var plain = Fit();
        Assert.IsTrue(Knows(plain, "alpha") && Knows(plain, "gamma") && !Knows(plain, "Alpha"), "lower case unless set otherwise");
        Assert.IsFalse(Knows(plain, "seldom"), "a word that stands once is made of pieces");
        var cased = Fit(options => options.LowerCase = false);
        Assert.IsTrue(Knows(cased, "Alpha") && Knows(cased, "Gamma") && !Knows(cased, "gamma"));
        Assert.IsTrue(Knows(Fit(options => options.MinimumTokenCount = 1), "seldom"));
        Assert.IsTrue(Knows(Fit(options => options.RequiredWords = ["seldom"]), "seldom"));
    }

    [TestMethod]
    public void A_given_tokenizer_is_taken_as_it_is()
    {
        var own = Fit(options => options.LowerCase = false).Tokenizer;
        Assert.AreSame(own, Fit(options => options.Tokenizer = own).Tokenizer);
    }

    [TestMethod]
    public void Long_texts_lose_their_end_unless_set_otherwise()
    {
        Assert.AreEqual(TextTruncation.Head, Fit().Truncation);
        Assert.AreEqual(TextTruncation.HeadAndTail, Fit(options => options.Truncation = TextTruncation.HeadAndTail).Truncation);
    }

    /// <summary>Weights that exist keep their tokenizer and where texts are cut, unless the latter is said anew.</summary>
    [TestMethod]
    public void A_started_encoder_brings_its_tokenizer_and_its_cut()
    {
        using var first = _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Transformer(1, 8, 2, maximumTokens: 8), NumberOfEpochs = 0, Seed = 1, Truncation = TextTruncation.HeadAndTail,
        }).Fit(View());
        var tokenizer = ((TextRowFormat)first.Model.Format).Tokenizer;
        var start = first.ToTextEncoderFactory();
        var second = Fit(options => options.Encoder = start);
        Assert.AreSame(tokenizer, second.Tokenizer);
        Assert.AreEqual(TextTruncation.HeadAndTail, second.Truncation);
        Assert.AreEqual(TextTruncation.Head, Fit(options => (options.Encoder, options.Truncation) = (start, TextTruncation.Head)).Truncation);
    }

    [TestMethod]
    public void Another_tokenizer_than_that_of_the_weights_is_refused()
    {
        using var first = _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options { Encoder = TextEncoders.Bag(8, 8, 8), NumberOfEpochs = 0, Seed = 1 }).Fit(View());
        var own = ((TextRowFormat)first.Model.Format).Tokenizer;
        var start = first.ToTextEncoderFactory();
        Fit(options => (options.Encoder, options.Tokenizer) = (start, own));
        var other = Fit(options => options.LowerCase = false).Tokenizer;
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(options => (options.Encoder, options.Tokenizer) = (start, other)));
        StringAssert.Contains(fault.Message, "Tokenizer must be null where Encoder starts from weights that exist");
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _mlContext.SelfSupervised().ImageText.Clip(new ClipTrainer.Options { TextEncoder = start, Tokenizer = other }));
        StringAssert.Contains(fault.Message, "Tokenizer must be null where TextEncoder starts from weights that exist");
    }
}
