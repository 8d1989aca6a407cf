using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators.Tests.Diagnostics;

[TestClass]
public class OptionFaultsTests
{
    private enum Pooling
    {
        Mean,
        Class,
    }

    [TestMethod]
    public void NoFaultDoesNotThrow()
    {
        new OptionFaults()
            .Positive(1, "A").NotNegative(0.0, "B").AtLeast(3, 3, "C").InRange(1.0, 0, 1, "D").InHalfOpenRange(0.0, 0, 1, "E")
            .Between(0.5f, 0, 1, "F").Defined(Pooling.Class, "G").NotNull(this, "H").NotEmpty("x", "I")
            .Positive((TimeSpan?)null, "J").Require(true, "K", "must hold", 1)
            .ThrowIfAny();
    }

    [TestMethod]
    public void OneFaultNamesTheOption()
    {
        float Temperature = 0;
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new OptionFaults().Positive(Temperature).ThrowIfAny());
        Assert.AreEqual("Temperature must be greater than 0, got 0. (Parameter 'Temperature')", fault.Message);
        Assert.AreEqual("Temperature", fault.ParamName);
    }

    [TestMethod]
    public void TheObjectInFrontOfAnOptionIsNotPartOfItsName()
    {
        var options = new { BatchSize = -2 };
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new OptionFaults().AtLeast(options.BatchSize, 1).ThrowIfAny());
        Assert.AreEqual("BatchSize", fault.ParamName);
    }

    [TestMethod]
    public void AllFaultsComeTogether()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new OptionFaults()
            .AtLeast(0, 1, "NumberOfEpochs").InRange(1.5, 0, 1, "MaskRatio").Positive(double.NaN, "LearningRate").ThrowIfAny());
        Assert.AreEqual("NumberOfEpochs must be at least 1, got 0. MaskRatio must be between 0 and 1, got 1.5. "
            + "LearningRate must be greater than 0, got NaN. (Parameter 'NumberOfEpochs')", fault.Message);
    }

    [TestMethod]
    [DataRow(double.NaN)]
    [DataRow(double.PositiveInfinity)]
    [DataRow(-1.0)]
    public void NumbersThatAreNoNumbersAreRefused(double value)
    {
        var faults = new OptionFaults();
        faults.Positive(value, "A").NotNegative(value, "B").AtLeast(value, 0, "C").InRange(value, 0, 1, "D")
            .InHalfOpenRange(value, 0, 1, "E").Between(value, 0, 1, "F");
        Assert.AreEqual(6, faults.Count);
    }

    [TestMethod]
    public void EdgesOfRanges()
    {
        var faults = new OptionFaults();
        faults.InRange(0.0, 0, 1, "A").InRange(1.0, 0, 1, "A").InHalfOpenRange(0.0, 0, 1, "B").AtLeast(1, 1, "C");
        Assert.AreEqual(0, faults.Count);
        faults.InHalfOpenRange(1.0, 0, 1, "B").Between(0.0, 0, 1, "D").Between(1.0, 0, 1, "D").Positive(0, "E");
        Assert.AreEqual(4, faults.Count);
    }

    [TestMethod]
    public void OtherKindsOfOptions()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new OptionFaults()
            .Defined((Pooling)7, "Pooling").NotNull(null, "Encoder").NotEmpty(" ", "OutputColumnName")
            .Positive(TimeSpan.Zero, "MaximumTrainingTime").Require(false, "QueueSize", "must be a multiple of BatchSize 500", 4096)
            .ThrowIfAny());
        Assert.AreEqual("Pooling must be one of Mean, Class, got 7. Encoder must be set, got null. "
            + "OutputColumnName must not be empty, got \" \". MaximumTrainingTime must be longer than 0, got 00:00:00. "
            + "QueueSize must be a multiple of BatchSize 500, got 4096. (Parameter 'Pooling')", fault.Message);
    }
}
