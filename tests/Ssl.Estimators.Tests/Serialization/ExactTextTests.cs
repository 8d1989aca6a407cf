using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Tests.Serialization;

[TestClass]
public sealed class ExactTextTests
{
    [TestMethod]
    [DataRow("plain")]
    [DataRow("")]
    [DataRow("caf\u00E9 \uD83D\uDE00 \0 \u0301")]
    [DataRow("a\uD83D")]
    [DataRow("\uDE00b\uD83Dc\uD83D\uDE00\uDE00")]
    [DataRow("\uFDD0")]
    [DataRow("\uFDD0D83D")]
    [DataRow("\uFDD0\uFDD0xyz\uFFFD")]
    public void AnyTextComesBack(string text)
    {
        Assert.AreEqual(text, ExactText.Unescape(System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(ExactText.Escape(text)))));
        var json = new JsonObject { ["x" + text] = text, ["items"] = new JsonArray(text, 1, null, true, new JsonObject { ["a"] = 0.25 }) };
        var read = ExactText.Parse(ExactText.ToJson(json))!;
        Assert.AreEqual(text, (string)read["x" + text]!);
        Assert.AreEqual(text, (string)read["items"]![0]!);
        Assert.AreEqual(0.25, (double)read["items"]![4]!["a"]!);
        Assert.IsTrue(JsonNode.DeepEquals(json, read));
    }

    [TestMethod]
    public void CommonTextsAreWrittenAsBefore()
    {
        var json = new JsonObject { ["name"] = "caf\u00E9 \uD83D\uDE00", ["items"] = new JsonArray(1, 0.5, "a\0b", null), ["none"] = null };
        Assert.AreEqual(json.ToJsonString(), ExactText.ToJson(json));
    }

    // What stood in a file before this form is read as it was.
    [TestMethod]
    [DataRow("\uFDD0 not four digits")]
    [DataRow("\uFDD0")]
    [DataRow("\uFDD0D8")]
    public void AMarkWithoutDigitsIsItself(string text) => Assert.AreEqual(text, ExactText.Unescape(text));
}
