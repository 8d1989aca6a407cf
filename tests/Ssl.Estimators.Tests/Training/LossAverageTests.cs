using Ssl.Estimators.Training;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class LossAverageTests
{
    [TestMethod]
    public void AveragesOverRowsNotSteps()
    {
        var average = new LossAverage();
        Assert.IsTrue(double.IsNaN(average.Loss));
        average.Add(30, 1, ["a", "b"], [10, 0]);
        average.Add(10, 5, ["a", "b"], [2, 4]);
        Assert.AreEqual(2, average.Loss, 1e-12);
        Assert.AreEqual(8, average.Terms["a"], 1e-12);
        Assert.AreEqual(1, average.Terms["b"], 1e-12);
        Assert.AreEqual(40, average.Samples);
        Assert.AreEqual(2, average.Steps);
        average.Reset();
        Assert.AreEqual(0, average.Samples);
        Assert.IsEmpty(average.Terms.Where(term => term.Value != 0));
    }
}
