using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Tests.Persistence;

[TestClass]
public class CarrierStateTests
{
    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(61_440)]
    [DataRow(CarrierState.BytesPerText)]
    [DataRow(CarrierState.BytesPerText + 1)]
    [DataRow(2 * CarrierState.BytesPerText + 77_777)]
    public void Bytes_come_back_over_texts_and_buffers(int length)
    {
        var bytes = Bytes(length);
        var state = Encode(bytes);
        Assert.HasCount(1 + (length + CarrierState.BytesPerText - 1) / CarrierState.BytesPerText, state);
        Assert.IsTrue(bytes.AsSpan().SequenceEqual(CarrierState.Decode(state, ReadAll)));
    }

    [TestMethod]
    public void The_header_is_the_checksum_and_the_length()
    {
        var header = Encode([1, 2, 3])[0].ToString();
        Assert.AreEqual("039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81 3", header);
    }

    [TestMethod]
    public void One_changed_character_is_noticed()
    {
        var state = Encode(Bytes(100_000));
        var text = state[1].ToString().ToCharArray();
        text[50_000] = text[50_000] == '\u3400' ? '\u3401' : '\u3400';
        state[1] = text;
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => CarrierState.Decode(state, ReadAll)).Message, "checksum");
    }

    [TestMethod]
    public void A_missing_text_is_noticed()
    {
        var state = Encode(Bytes(CarrierState.BytesPerText + 10));
        Assert.ThrowsExactly<FormatException>(() => CarrierState.Decode(state[..2], ReadAll));
        Assert.ThrowsExactly<FormatException>(() => CarrierState.Decode([.. state, "x".AsMemory()], ReadAll));
    }

    [TestMethod]
    public void A_short_text_is_noticed()
    {
        var state = Encode(Bytes(100));
        state[1] = state[1][..^1];
        Assert.ThrowsExactly<FormatException>(() => CarrierState.Decode(state, ReadAll));
    }

    [TestMethod]
    public void A_foreign_header_is_noticed()
        => Assert.ThrowsExactly<FormatException>(() => CarrierState.Decode(["no header".AsMemory()], ReadAll));

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static ReadOnlyMemory<char>[] Encode(byte[] bytes)
    {
        var (header, texts) = CarrierState.Encode(
            stream =>
            {
                // In uneven pieces, as a model writes them.
                for (var start = 0; start < bytes.Length; start += 1_000_003)
                {
                    stream.Write(bytes.AsSpan(start, Math.Min(1_000_003, bytes.Length - start)));
                }
            },
            packed => packed.ToString());
        return [header.AsMemory(), .. texts.Select(t => t.AsMemory())];
    }

    private static byte[] ReadAll(Stream stream)
    {
        var bytes = new byte[stream.Length];
        var read = 0;
        for (var piece = 1; read < bytes.Length; piece = piece * 3 + 1)
        {
            var count = stream.Read(bytes, read, Math.Min(piece, bytes.Length - read));
            Assert.AreNotEqual(0, count);
            read += count;
        }

        Assert.AreEqual(-1, stream.ReadByte());
        return bytes;
    }
}
