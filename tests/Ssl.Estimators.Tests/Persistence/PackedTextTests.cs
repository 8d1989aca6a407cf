using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Tests.Persistence;

[TestClass]
public class PackedTextTests
{
    [TestMethod]
    public void Every_length_comes_back()
    {
        var random = new Random(1);
        for (var length = 0; length < 200; length++)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            CollectionAssert.AreEqual(bytes, RoundTrip(bytes), $"length {length}");
        }
    }

    [TestMethod]
    [DataRow((byte)0)]
    [DataRow((byte)255)]
    [DataRow((byte)0xAA)]
    public void Extreme_bytes_come_back(byte value)
    {
        var bytes = Enumerable.Repeat(value, 31).ToArray();
        CollectionAssert.AreEqual(bytes, RoundTrip(bytes));
    }

    [TestMethod]
    public void Characters_stay_within_the_chosen_range()
    {
        var bytes = new byte[15_000];
        new Random(2).NextBytes(bytes);
        var characters = new char[PackedText.CharacterCount(bytes.Length)];
        PackedText.Pack(bytes, characters);
        Assert.HasCount(8_000, characters);
        Assert.IsTrue(characters.All(c => c is >= '\u3400' and <= '\uB3FF'));
    }

    [TestMethod]
    public void The_first_character_holds_the_lowest_15_bits()
    {
        var characters = new char[2];
        PackedText.Pack([0x34, 0x92, 0x01], characters);      // 0x019234: low 15 bits 0x1234, then 0x0003
        Assert.AreEqual((char)(0x3400 + 0x1234), characters[0]);
        Assert.AreEqual((char)(0x3400 + 0x0003), characters[1]);
    }

    [TestMethod]
    [DataRow('A')]
    [DataRow('\u33FF')]
    [DataRow('\uB400')]
    public void A_foreign_character_is_refused(char foreign)
    {
        var characters = new char[PackedText.CharacterCount(100)];
        PackedText.Pack(new byte[100], characters);
        characters[20] = foreign;
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => PackedText.Unpack(characters, new byte[100])).Message, "damaged");
    }

    private static byte[] RoundTrip(byte[] bytes)
    {
        var characters = new char[PackedText.CharacterCount(bytes.Length)];
        PackedText.Pack(bytes, characters);
        var back = new byte[bytes.Length];
        PackedText.Unpack(characters, back);
        return back;
    }
}
