using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using TorchSharp;

namespace Ssl.MLNet.Tests;

/// <summary>The views that a contrastive text trainer takes in place of token deletion.</summary>
[TestClass]
public sealed class TextViewOptionTests
{
    private static readonly Dictionary<string, string[]> Synonyms = new() { ["quick"] = ["speedy", "rapid"], ["error"] = ["fault"] };

    [TestMethod]
    public void The_view_is_made_of_the_runs_tokenizer_and_applied_in_every_step()
    {
        var mlContext = TestDevice.Context(1);
        CountingTextView? view = null;
        using var encoder = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Bag(16, 16),
            NumberOfEpochs = 2,
            BatchSize = 16,
            VocabularySize = 200,
            RequiredWords = [.. Synonyms.Keys, .. Synonyms.Values.SelectMany(words => words)],
            View = tokenizer => view = new CountingTextView(TextViews.Compose(
                new SentenceReordering(tokenizer.Vocabulary,
                    tokenizer.SentenceEnds.DefaultIfEmpty(tokenizer.Vocabulary.Size - 1).ToArray()),
                new SpanCrop(tokenizer.Vocabulary, 0.6),
                new SynonymReplacement(tokenizer.Vocabulary, tokenizer.ToIds(Synonyms)))),
        }).Fit(ContractData.View(mlContext));
        Assert.IsNotNull(view);
        Assert.IsGreaterThanOrEqualTo(2, view.Count);
    }

    [TestMethod]
    public void Another_view_gives_other_weights_and_the_same_view_the_same()
    {
        float[] deletion = First(options => options.TokenDeletion = 0.3f);
        float[] view = First(options => options.View = tokenizer => new TokenDeletion(tokenizer.Vocabulary, 0.3f));
        float[] crop = First(options => options.View = tokenizer => new SpanCrop(tokenizer.Vocabulary, 0.5));
        CollectionAssert.AreEqual(deletion, view);
        CollectionAssert.AreNotEqual(deletion, crop);

        static float[] First(Action<PairedContrastiveTrainer.Options> change)
        {
            var mlContext = TestDevice.Context(1);
            var options = new PairedContrastiveTrainer.Options
            {
                InputColumnName = "Text",
                PairColumnName = "Text",
                Encoder = TextEncoders.Bag(16, 16),
                NumberOfEpochs = 1,
                BatchSize = 16,
                Seed = 3,
            };
            change(options);
            var data = ContractData.View(mlContext);
            using var encoder = mlContext.SelfSupervised().Text.PairedContrastive(options).Fit(data);
            return [.. encoder.Transform(data).GetColumn<float[]>("Features").First()];
        }
    }

    [TestMethod]
    public void Words_that_are_no_single_words_are_refused_with_the_other_faults()
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => TestDevice.Context(1).SelfSupervised().Text.SimCse(
            new SimCseTrainer.Options { RequiredWords = ["two words"], Temperature = 0 }));
        StringAssert.Contains(fault.Message, "two words");
        StringAssert.Contains(fault.Message, "Temperature");
    }

    [TestMethod]
    public void A_view_that_is_null_is_refused_in_a_sentence()
    {
        var mlContext = TestDevice.Context(1);
        var trainer = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options { View = _ => null! });
        var fault = Assert.Throws<InvalidOperationException>(() => trainer.Fit(ContractData.View(mlContext)));
        StringAssert.Contains(fault.Message, "View returned null");
    }

    private sealed class CountingTextView(TextView inner) : TextView
    {
        public int Count { get; private set; }

        public override TokenBatch Apply(TokenBatch batch, torch.Generator generator)
        {
            Count++;
            return inner.Apply(batch, generator);
        }
    }
}
