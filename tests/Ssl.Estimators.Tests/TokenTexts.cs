using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests;

/// <summary>Token batches made by hand.</summary>
internal static class TokenTexts
{
    /// <summary>Texts of these ids, padded with 0.</summary>
    public static TokenBatch Of(params long[][] texts)
    {
        int longest = texts.Max(text => text.Length);
        var ids = new long[texts.Length * longest];
        var mask = new bool[texts.Length * longest];
        for (int i = 0; i < texts.Length; i++)
        {
            for (int j = 0; j < texts[i].Length; j++)
            {
                ids[i * longest + j] = texts[i][j];
                mask[i * longest + j] = true;
            }
        }
        return new TokenBatch(tensor(ids).view(texts.Length, longest), tensor(mask).view(texts.Length, longest));
    }

    /// <summary>Texts of random plain tokens and lengths from 1, with class and separator token where asked.</summary>
    public static TokenBatch Random(int rows, int longest, TokenVocabulary vocabulary, int seed, bool specialTokens)
    {
        var random = new Random(seed);
        return Of([.. Enumerable.Range(0, rows).Select(_ =>
        {
            int length = random.Next(1, longest + 1 - (specialTokens ? 2 : 0));
            long[] words = [.. Enumerable.Range(0, length).Select(_ => (long)random.Next(vocabulary.SpecialCount, vocabulary.Size))];
            return specialTokens ? [vocabulary.ClassId, .. words, vocabulary.SeparatorId] : words;
        })]);
    }

    /// <summary>The ids without padding, text by text.</summary>
    public static long[][] Texts(this TokenBatch batch)
    {
        long[] ids = batch.Ids.contiguous().data<long>().ToArray();
        bool[] mask = batch.Mask.contiguous().data<bool>().ToArray();
        int length = (int)batch.Ids.shape[1];
        return [.. Enumerable.Range(0, (int)batch.Count)
            .Select(i => Enumerable.Range(i * length, length).Where(p => mask[p]).Select(p => ids[p]).ToArray())];
    }
}
