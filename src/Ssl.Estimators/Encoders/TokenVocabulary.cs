namespace Ssl.Estimators.Encoders;

/// <summary>What networks, views and masks must know of a tokenizer.</summary>
/// <param name="Size">Number of ids: they go from 0 to Size - 1.</param>
/// <param name="PaddingId">Fills short texts up; never counts.</param>
/// <param name="UnknownId">Stands for what the vocabulary lacks.</param>
/// <param name="ClassId">Begins a text where special tokens are used.</param>
/// <param name="SeparatorId">Ends a text where special tokens are used.</param>
/// <param name="MaskId">Hides a token.</param>
/// <param name="SpecialCount">The ids below it are special tokens, words begin there.</param>
public sealed record TokenVocabulary(int Size, int PaddingId, int UnknownId, int ClassId, int SeparatorId, int MaskId, int SpecialCount);
