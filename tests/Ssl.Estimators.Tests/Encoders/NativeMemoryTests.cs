namespace Ssl.Estimators.Tests.Encoders;

/// <summary>Memory that only the operating system sees, in processes of their own.</summary>
[TestClass]
[TestCategory("Checkout")]
[DoNotParallelize]
[OSCondition(OperatingSystems.Linux)]
public sealed class NativeMemoryTests
{
    [TestMethod]
    public void Three_hundred_dropped_encoders_leave_nothing()
        => Assert.IsLessThan(200, Growth("dropped", "300"), "MB, where each has a table of 50");

    [TestMethod]
    [DataRow("text")]
    [DataRow("table")]
    [DataRow("image")]
    [DataRow("series")]
    public void Memory_is_flat_over_steps(string kind) => Assert.IsLessThan(20, Growth("steps", kind, "400"), "MB over 200 steps, warm-up included");

    [TestMethod]
    [TestCategory("Long")]
    [DataRow("text")]
    [DataRow("table")]
    [DataRow("image")]
    [DataRow("series")]
    public void Memory_is_flat_over_two_thousand_steps(string kind)
        => Assert.IsLessThan(16, Growth("steps", kind, "2200"), "MB over 2,000 steps");

    [TestMethod]
    public void A_shortcut_of_few_channels_on_one_thread_spoils_no_memory()
        => Assert.AreEqual("finite: True", ChildProcess.Run("resnet", environment: [new("MALLOC_CHECK_", "3")]).Trim());

    private static int Growth(string task, params string[] arguments)
        => int.Parse(ChildProcess.Run(task, arguments).Trim().Split(' ')[1]);
}
