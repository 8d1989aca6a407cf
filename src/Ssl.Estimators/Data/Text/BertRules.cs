namespace Ssl.Estimators.Data;

/// <summary>How BERT's tokenizers clean and split a text before its words are cut into pieces.</summary>
/// <param name="LowerCase">Whether upper and lower case are the same.</param>
/// <param name="StripAccents">Whether "café" is "cafe": decomposed (NFD), without nonspacing marks.</param>
/// <param name="SplitChinese">Whether every Chinese character is a word.</param>
internal sealed record BertRules(bool LowerCase, bool StripAccents, bool SplitChinese);
