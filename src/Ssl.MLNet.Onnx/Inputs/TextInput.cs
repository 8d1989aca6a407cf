using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Pretrained;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Networks;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Inputs;

/// <summary>A column of texts: token ids and which of them count, named as transformers names them.</summary>
internal sealed class TextInput(TextRowFormat format) : ModelInput
{
    public const string Ids = "input_ids", Mask = "attention_mask";

    public override string Preparation => $"{Ids} holds the token ids of each text, at most {format.Factory.MaximumTokens} of them"
        + (format.Factory.UsesSpecialTokens ? ", special tokens included" : "") + $", padded with {format.Tokenizer.Vocabulary.PaddingId} to the longest; "
        + $"{Mask} is 1 where there is a token and 0 in the padding. The vocabulary stands beside the model.";

    public override OnnxValue Embed(NetworkWeights weights)
    {
        var (ids, mask) = Tokens(weights.Graph);
        return TextGraphs.Encode(format.Factory, weights, ids, mask, format.Tokenizer.Vocabulary.SpecialCount);
    }

    /// <summary>Adds the inputs: ids, Int64 [N, L], and Boolean [N, L].</summary>
    public (OnnxValue Ids, OnnxValue Mask) Tokens(OnnxBuilder graph)
    {
        var ids = graph.Input(Ids, DataType.Int64, $"Token ids of column '{format.Columns[0]}'.", Rows, "length");
        var mask = graph.Input(Mask, DataType.Int64, "1 where there is a token, 0 in the padding.", Rows, "length");
        return (ids, mask > graph.Integer(0));
    }

    public override Dictionary<string, OrtValue> Values(IReadOnlyList<RawRow> rows, RowStore store)
    {
        using var batch = (TokenBatch)store.ToBatch(store.AllRows);
        return Values(batch);
    }

    /// <summary>Values of the inputs for a batch.</summary>
    public static Dictionary<string, OrtValue> Values(TokenBatch batch)
    {
        var ids = MemoryMarshal.Cast<byte, long>(batch.Ids.bytes).ToArray();
        var mask = new long[ids.Length];
        for (var i = 0; i < mask.Length; i++)
            mask[i] = batch.Mask.bytes[i];
        return new()
        {
            [Ids] = OrtValue.CreateTensorValueFromMemory(ids, batch.Ids.shape),
            [Mask] = OrtValue.CreateTensorValueFromMemory(mask, batch.Ids.shape),
        };
    }

    // Tokens of the vocabulary, of texts of any length; one in ten is empty.
    public override RawRow MadeUp(Random random)
    {
        var vocabulary = format.Tokenizer.Vocabulary;
        var count = random.Next(10) == 0 ? 0 : random.Next(1, Math.Min(80, format.Factory.MaximumTokens) + 1);
        int[] ids = [.. Enumerable.Range(0, count).Select(_ => random.Next(Math.Min(vocabulary.SpecialCount, vocabulary.Size - 1), vocabulary.Size))];
        ReadOnlyMemory<char>[] cells = [format.Tokenizer.Decode(ids).AsMemory()];
        return new RawRow(default, cells);
    }

    public override IReadOnlyList<(string Name, Action<Stream> Write)> Files => format.Tokenizer is SubwordTokenizer subword
        ? [(WordPieceFiles.FastName, stream => PretrainedWriter.WriteJson(subword.Definition, stream))]
        : [(WordPieceFiles.VocabularyName, stream => PretrainedWriter.WriteVocabulary(format.Tokenizer, stream))];
}
