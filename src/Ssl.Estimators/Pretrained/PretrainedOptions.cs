using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;

namespace Ssl.Estimators.Pretrained;

/// <summary>How pretrained weights are read.</summary>
public sealed class PretrainedOptions
{
    /// <summary>Name of the new column: a known-size vector of <see cref="float"/>.</summary>
    /// <value>The default value is "Features".</value>
    [NotEmpty]
    public string OutputColumnName { get; set; } = ColumnNames.Features;

    /// <summary>Name of the column that is embedded; null for "Text" or "Image", as the network reads the one or the other.</summary>
    /// <value>The default value is null.</value>
    [NotEmpty(AllowsNull = true)]
    public string? InputColumnName { get; set; }

    /// <summary>
    /// Texts are cut at this number of tokens, the two special ones included. At least 3, at most what the network has positions for; null
    /// for what its files say (sentence_bert_config.json, tokenizer_config.json), else all positions.
    /// </summary>
    /// <value>The default value is null.</value>
    [OptionRange(Minimum = 3)]
    public int? MaximumTokens { get; set; }

    /// <summary>
    /// How the tokens' vectors become the text's; null for what modules.json says, else the mean.
    /// </summary>
    /// <value>The default value is null.</value>
    public TextPooling? Pooling { get; set; }

    /// <summary>
    /// Whether embeddings are brought to unit length; null for what modules.json says. Where there is none: no for a folder of transformers,
    /// yes for an ONNX file, since those without their settings are sentence encoders.
    /// </summary>
    /// <value>The default value is null.</value>
    public bool? UnitLength { get; set; }

    internal void ThrowIfInvalid()
    {
        var faults = new OptionFaults();
        OptionRuleAttribute.Check(this, faults);
        if (Pooling is { } pooling)
            faults.Defined(pooling, nameof(Pooling));
        faults.ThrowIfAny();
    }
}
