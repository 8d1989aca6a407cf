namespace Ssl.Estimators;

/// <summary>Which of the whitening matrices is taken; inner products of whitened vectors are the same with all of them.</summary>
public enum WhiteningKind
{
    /// <summary>ZCA: as near to the vectors as can be; number i of the result belongs to number i of the vector.</summary>
    ZeroPhaseComponentAnalysis,

    /// <summary>Principal components, those of the largest variance first; they can be cut off.</summary>
    PrincipalComponentAnalysis,
}
