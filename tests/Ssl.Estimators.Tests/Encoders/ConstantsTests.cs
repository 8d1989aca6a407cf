using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders;

[TestClass]
public sealed class ConstantsTests
{
    [TestMethod]
    public void AnArrayIsOneTensorThatOutlivesTheScope()
    {
        float[] values = [1.5f, -2];
        Tensor first, second;
        using (NewDisposeScope())
        {
            first = Constants.On(CPU, values);
            second = Constants.On(CPU, (float[])values.Clone());
        }
        Assert.AreSame(first, Constants.On(CPU, values));
        Assert.AreNotSame(first, second);
        CollectionAssert.AreEqual(values, first.data<float>().ToArray());
        CollectionAssert.AreEqual(new long[] { 3, 4 }, Constants.On(CPU, [3L, 4L]).data<long>().ToArray());
        CollectionAssert.AreEqual(new[] { true, false }, Constants.On(CPU, [true, false]).data<bool>().ToArray());
    }
}
