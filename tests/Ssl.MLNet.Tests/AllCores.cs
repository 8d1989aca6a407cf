namespace Ssl.MLNet.Tests;

/// <summary>What goes through the front door computes on all cores, as in an application; elsewhere tests take one thread (tests/.runsettings).</summary>
[TestClass]
public static class AllCores
{
    // The pack sets the number of threads itself where it sees no such variable.
    [AssemblyInitialize]
    public static void Use(TestContext context) => Environment.SetEnvironmentVariable("OMP_NUM_THREADS", null);
}
