namespace Ssl.Estimators;

/// <summary>How the tokens' vectors become the vector of the text.</summary>
public enum TextPooling
{
    /// <summary>The mean of all tokens.</summary>
    Mean,

    /// <summary>The class token, which begins every text.</summary>
    Class,

    /// <summary>The largest value of each dimension over all tokens.</summary>
    Max,
}
