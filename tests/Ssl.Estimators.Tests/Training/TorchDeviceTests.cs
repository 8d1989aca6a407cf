using TorchSharp;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class TorchDeviceTests
{
    [TestMethod]
    public void NoGpuIdMeansCpu()
    {
        Assert.AreEqual(DeviceType.CPU, TorchDevice.Choose(null, false).type);
    }

    [TestMethod]
    public void ADeviceThatIsThereIsTaken()
    {
        torch.Device device = TorchDevice.Choose(1, false, _ => Assert.Fail("no warning"), () => 2);
        Assert.AreEqual(DeviceType.CUDA, device.type);
        Assert.AreEqual(1, device.index);
    }

    [TestMethod]
    public void WithoutFallbackAMissingDeviceIsAnError()
    {
        var none = Assert.ThrowsExactly<InvalidOperationException>(() => TorchDevice.Choose(0, false, null, () => 0));
        StringAssert.StartsWith(none.Message, "GpuDeviceId is 0, but TorchSharp finds no CUDA device. ");
        StringAssert.Contains(none.Message, "FallbackToCpu");
        var high = Assert.ThrowsExactly<InvalidOperationException>(() => TorchDevice.Choose(2, false, null, () => 2));
        StringAssert.StartsWith(high.Message, "GpuDeviceId is 2, but there are 2 CUDA devices (0 to 1).");
    }

    [TestMethod]
    public void WithFallbackItIsAWarning()
    {
        var warnings = new List<string>();
        Assert.AreEqual(DeviceType.CPU, TorchDevice.Choose(0, true, warnings.Add, () => 0).type);
        Assert.HasCount(1, warnings);
        StringAssert.EndsWith(warnings[0], "Computing on the CPU, since FallbackToCpu is true.");
    }

    [TestMethod]
    public void ANegativeIdIsOutOfRange()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => TorchDevice.Choose(-1, true));
        Assert.AreEqual("GpuDeviceId", fault.ParamName);
    }

    [TestMethod]
    public void AMissingNativeLibraryNamesThePackages()
    {
        foreach (Exception cause in new Exception[]
        {
            new DllNotFoundException("libtorch not found."),
            new NotSupportedException("no backend"),
            new TypeInitializationException("TorchSharp.torch", new DllNotFoundException("libtorch not found.")),
        })
        {
            var fault = Assert.ThrowsExactly<InvalidOperationException>(() => TorchDevice.RequireNativeLibrary(() => throw cause));
            StringAssert.Contains(fault.Message, "TorchSharp-cpu");
            StringAssert.Contains(fault.Message, $"in version {typeof(torch).Assembly.GetName().Version!.ToString(3)}");
            Assert.AreSame(cause, fault.InnerException);
        }
    }

    [TestMethod]
    public void OtherFaultsOfTheLibraryPass()
    {
        Assert.ThrowsExactly<OutOfMemoryException>(() => TorchDevice.RequireNativeLibrary(() => throw new OutOfMemoryException()));
        TorchDevice.RequireNativeLibrary();
    }

    [TestMethod]
    public void ThreadsAreSetOnceAndAChoiceOfTheApplicationStands()
    {
        int before = torch.get_num_threads();
        try
        {
            TorchDevice.UseAllCores();
            if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is { Length: > 0 } chosen)
                Assert.AreEqual(int.Parse(chosen), torch.get_num_threads());
            torch.set_num_threads(1);
            TorchDevice.UseAllCores();
            Assert.AreEqual(1, torch.get_num_threads());
        }
        finally
        {
            torch.set_num_threads(before);
        }
    }
}
