using Microsoft.ML.Transforms;

namespace Ssl.Estimators.Persistence;

/// <summary>
/// Refuses model files of the first form, in which built-in transformers carried an encoder as text: the first of them is looked up by this
/// name.
/// </summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class FormerModelFiles : CustomMappingFactory<FormerModelFiles.NoColumns, FormerModelFiles.KeyColumn>
{
    /// <summary>Name in those files.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Key";

    /// <summary>Says what to do.</summary>
    public override Action<NoColumns, KeyColumn> GetMapping() => throw new NotSupportedException(
        "The model file was written in the first form, as text within built-in transformers, by a version that was never "
        + "published; it cannot be read any more. Fit the model again and save it.");

    internal sealed class NoColumns;

    internal sealed class KeyColumn
    {
        public float Key { get; set; }
    }
}
