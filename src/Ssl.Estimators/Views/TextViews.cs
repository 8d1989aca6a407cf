using Ssl.Estimators.Encoders;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Views of texts, ready to use, and their composition.</summary>
public static class TextViews
{
    /// <summary>Several views one after the other.</summary>
    /// <param name="views">At least one; applied in this order.</param>
    public static TextView Compose(params TextView[] views)
    {
        GivenViews.Require(views);
        return views.Length == 1 ? views[0] : new ComposedTextView([.. views]);
    }

    /// <summary>A light change for methods that have dropout beside it: one token in ten is deleted.</summary>
    /// <param name="vocabulary">Of the tokenizer.</param>
    public static TextView Weak(TokenVocabulary vocabulary) => new TokenDeletion(vocabulary, 0.1);

    /// <summary>A strong change: a run of at least 60 % of the text, of which one token in five is deleted.</summary>
    /// <param name="vocabulary">Of the tokenizer.</param>
    public static TextView Strong(TokenVocabulary vocabulary) => Compose(new SpanCrop(vocabulary, 0.6), new TokenDeletion(vocabulary, 0.2));
}

/// <summary>Views one after the other.</summary>
internal sealed class ComposedTextView(TextView[] views) : TextView
{
    public override TokenBatch Apply(TokenBatch batch, Generator generator)
    {
        using var scope = NewDisposeScope();
        foreach (var view in views)
            batch = view.Apply(batch, generator);
        return new TokenBatch(batch.Ids.MoveToOuterDisposeScope(), batch.Mask.MoveToOuterDisposeScope());
    }
}
