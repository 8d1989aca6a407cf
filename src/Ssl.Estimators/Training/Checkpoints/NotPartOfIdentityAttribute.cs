namespace Ssl.Estimators.Training.Checkpoints;

/// <summary>
/// Marks an option that may differ when a training is resumed from its checkpoint, because it changes none of the numbers, or because
/// something else stands for it. All other public properties of an options class must be the same.
/// </summary>
/// <param name="reason">Why it may differ.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NotPartOfIdentityAttribute(string reason) : Attribute
{
    /// <summary>Why the option may differ.</summary>
    public string Reason { get; } = reason;
}
