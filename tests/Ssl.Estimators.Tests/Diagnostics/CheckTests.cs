using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators.Tests.Diagnostics;

[TestClass]
public class CheckTests
{
    [TestMethod]
    public void MissingColumnIsMLNetsSentence()
    {
        ArgumentOutOfRangeException fault = Check.MissingColumn("input", "A");
        Assert.AreEqual("Could not find input column 'A' (Parameter 'inputSchema')", fault.Message);
        Assert.AreEqual("inputSchema", fault.ParamName);
    }

    [TestMethod]
    public void MissingColumnListsWhatIsThere()
    {
        Assert.AreEqual("Could not find input column 'A'. Columns there: 'B', 'C' (Parameter 'inputSchema')",
            Check.MissingColumn("input", "A", ["B", "C"]).Message);
        string[] many = [.. Enumerable.Range(0, 12).Select(i => $"C{i}")];
        StringAssert.Contains(Check.MissingColumn("input", "A", many).Message, "'C9', ... (");
    }

    [TestMethod]
    public void SchemaMismatchIsMLNetsSentence()
    {
        Assert.AreEqual("Schema mismatch for input column 'F': expected Vector<Single>, got VarVector<Single> (Parameter 'inputSchema')",
            Check.SchemaMismatch("input", "F", "Vector<Single>", "VarVector<Single>").Message);
        StringAssert.StartsWith(Check.SchemaMismatch("input", "Image", "Image", "String", "Load it first: X.").Message,
            "Schema mismatch for input column 'Image': expected Image, got String. Load it first: X.");
    }

    [TestMethod]
    public void SeveralSchemaFaultsComeTogether()
    {
        ArgumentOutOfRangeException fault = Check.SchemaFaults(
            [Check.MissingColumn("input", "A"), Check.SchemaMismatch("label", "B", "Key", "String")]);
        Assert.AreEqual("Could not find input column 'A'. Schema mismatch for label column 'B': expected Key, got String. "
            + "(Parameter 'inputSchema')", fault.Message);
    }

    [TestMethod]
    public void NoTrainingData()
    {
        StringAssert.StartsWith(Check.NoTrainingData().Message, "Training data has no rows.");
        StringAssert.EndsWith(Check.NoTrainingData("every text is empty").Message, ": every text is empty.");
    }
}
