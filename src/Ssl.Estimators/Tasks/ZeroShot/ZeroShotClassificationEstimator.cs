using System.Globalization;
using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Says of images which of some texts fits best, without a labeled image: each label is put into the prompts and embedded, and an image goes to
/// the label whose embedding is the nearest. Learns nothing.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Image</term><description>the column of images that the encoder was pretrained on, or one that is read as it.</description></item>
/// <item><term>PredictedLabel</term><description>a key whose values are the labels.</description></item>
/// <item><term>Score</term><description>a known-size vector of <see cref="float"/>, one number for each label, from 0 to 1: the softmax over the labels
/// of the cosine similarities times the scale that the pretraining learned. Not calibrated.</description></item>
/// </list>
/// <para>Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021 (arXiv:2103.00020), section 3.1: the
/// directions of all prompts of a label are averaged.</para>
/// </remarks>
public sealed class ZeroShotClassificationEstimator : IEstimator<FineTunedTransformer>
{
    /// <summary>Where a label goes in a prompt.</summary>
    internal const string Place = "{0}";

    private readonly MLContext _mlContext;
    private readonly EncoderTransformer _encoder;
    private readonly string[] _labels, _prompts;
    private readonly ImageRowFormat _format;

    internal ZeroShotClassificationEstimator(MLContext mlContext, EncoderTransformer encoder, IEnumerable<string> labels, IEnumerable<string>? prompts,
        string? imageColumnName)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(labels);
        (_mlContext, _encoder) = (mlContext, encoder);
        var format = TwoTowers.FormatOf(encoder);
        _format = imageColumnName is null ? format.Images : (ImageRowFormat)format.Images.WithColumns([imageColumnName]);
        (_labels, _prompts) = ([.. labels], [.. prompts ?? [Place]]);
        new OptionFaults()
            .Require(imageColumnName is null || !string.IsNullOrWhiteSpace(imageColumnName), nameof(imageColumnName), "must not be empty", "\"\"")
            .Require(_labels.Length >= 2, nameof(labels), "must be at least 2", _labels.Length)
            .Require(!_labels.Any(string.IsNullOrWhiteSpace), nameof(labels), "must be texts", "an empty one")
            .Require(_labels.Distinct().Count() == _labels.Length, nameof(labels), "must differ from each other", _labels.GroupBy(label => label)
                .FirstOrDefault(group => group.Count() > 1)?.Key)
            .Require(_prompts.Length > 0 && _prompts.All(prompt => prompt?.Contains(Place, StringComparison.Ordinal) == true), nameof(prompts),
                $"must have {Place} where the label goes, as \"a photo of a {Place}\"", _prompts.FirstOrDefault(prompt => prompt?.Contains(Place, StringComparison.Ordinal) != true) ?? "none")
            .ThrowIfAny();
    }

    /// <summary>Embeds the labels; of the rows only the schema is read.</summary>
    /// <param name="input">Holds the column of images.</param>
    /// <returns>A classifier with its own copy of the image encoder; dispose of it when it is no longer needed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or has another type.</exception>
    public FineTunedTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _format.CheckColumns(input.Schema);
        var model = TwoTowers.Of(_encoder);
        using var use = model.Lifetime.Enter();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var towers = (TwoTowerEncoder)model.Network;
        var directions = Directions(towers, TwoTowers.FormatOf(_encoder).Texts);                     // [K, D] of length 1
        // An image's vector has length sqrt(D): the product is the cosine times the scale.
        var factor = towers.LogitScale.exp().div(Number(Math.Sqrt(directions.shape[1])));
        var head = PredictionHead.Unfilled((int)directions.shape[1], hiddenUnits: 0, outputs: _labels.Length);
        head.Fill(directions.mul(factor).cpu(), zeros(_labels.Length, dtype: ScalarType.Float32));
        EncoderModel.Keep(head);
        var images = model.Part(network => ((TwoTowerEncoder)network).Images, _format);
        var task = new PredictionTask(PredictionKind.MulticlassClassification, ClassValues.OfTexts(_labels));
        return new FineTunedTransformer(_mlContext, new FineTunedModel(images, head, task, directions.device));
    }

    /// <summary>All input columns and those of the prediction.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column of images is missing or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _format.CheckColumns(inputSchema);
        return PredictionColumns.AppendClasses(inputSchema);
    }

    // The mean direction of the prompts of each label.
    private Tensor Directions(TwoTowerEncoder towers, TextRowFormat format)
    {
        var rows = format.NewStore();
        foreach (var label in _labels)
        {
            foreach (var prompt in _prompts)
            {
                ReadOnlyMemory<char>[] text = [string.Format(CultureInfo.InvariantCulture, prompt, label).AsMemory()];
                rows.Add(new RawRow(default, text), keepsEmpty: true);
            }
        }
        var vectors = rows.Encode(towers.Texts, towers.LogitScale.device);                           // [K x P, D]
        var means = Contrastive.Normalize(vectors).view(_labels.Length, _prompts.Length, -1).mean([1L]);              // [K, D]
        return Contrastive.Normalize(means);
    }
}
