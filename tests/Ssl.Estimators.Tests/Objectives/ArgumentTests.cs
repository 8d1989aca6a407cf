using System.Reflection;
using Ssl.Estimators.Objectives;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Objectives;

/// <summary>Every loss takes the fewest rows that it states and refuses nulls and shapes that do not fit, by the name of the argument.</summary>
[TestClass]
public sealed class ArgumentTests
{
    // Two rows of three numbers each.
    private static Tensor Rows() => tensor(new float[,] { { 1, 2, 4 }, { -1, 0.5f, 2 } });

    private static Tensor Square() => tensor(new float[,] { { 2, 1 }, { 0, 3 } });

    private static Tensor Whole(params long[] values) => tensor(values);

    private static Tensor All(params long[] shape) => ones(shape, dtype: ScalarType.Bool);

    // A method, and arguments that it takes; those of Options keep their defaults.
    private static readonly (string Method, Func<Tensor[]> Arguments)[] s_methods =
    [
        ("BarlowTwinsLoss.Compute", () => [Rows(), Rows().neg()]),
        ("CellReconstructionLoss.Compute", () => [Rows(), Rows().neg(), All(2, 3), ones(2, 1, 4), Whole(1, 3).unsqueeze(1), All(2, 1)]),
        ("CellReconstructionLoss.PerCell", () => [Rows(), Rows().neg(), ones(2, 1, 4), Whole(1, 3).unsqueeze(1)]),
        ("CosineLoss.Compute", () => [Rows(), Rows().neg()]),
        ("DclLoss.Compute", () => [Rows(), Rows().neg()]),
        ("HierarchicalContrastiveLoss.Compute", () => [ones(2, 3, 4), ones(2, 3, 4).neg()]),
        ("InfoNceLoss.Compute", () => [Rows(), Rows().neg()]),
        ("InfoNceLoss.Compute", () => [Rows(), Rows().neg(), Rows()]),
        ("InfoNceLoss.NegativeLogits", () => [Rows(), Rows().neg()]),
        ("InfoNceLoss.Logits", () => [Rows(), Rows().neg()]),
        ("InfoNceLoss.FromLogits", () => [Square()]),
        ("InfoNceLoss.Accuracy", () => [Square()]),
        ("MaskedCrossEntropyLoss.Compute", () => [Rows(), Whole(0, 2)]),
        ("MaskedCrossEntropyLoss.Compute", () => [Rows(), Whole(0, 2), All(2)]),
        ("MaskedCrossEntropyLoss.Accuracy", () => [Rows(), Whole(0, 2)]),
        ("NtXentLoss.Compute", () => [Rows(), Rows().neg()]),
        ("PatchReconstructionLoss.Squared", () => [Rows().unsqueeze(0), Rows().neg().unsqueeze(0)]),
        ("PatchReconstructionLoss.Absolute", () => [Rows().unsqueeze(0), Rows().neg().unsqueeze(0)]),
        ("QueueContrastiveLoss.Compute", () => [Rows(), Rows().neg(), ones(5, 3)]),
        ("SigLipLoss.FromLogits", () => [Square()]),
        ("SigReg.Compute", () => [Rows(), ones(3, 4)]),
        ("SinkhornAssignment.Compute", () => [Rows()]),
        ("SoftTargetLoss.Compute", () => [Rows().softmax(1), Rows()]),
        ("SupervisedContrastiveLoss.Compute", () => [Rows(), Whole(1, 1)]),
        ("VicRegLoss.Compute", () => [Rows(), Rows().neg()]),
    ];

    public static IEnumerable<object[]> Methods => s_methods.Select((_, index) => new object[] { index });

    public static string NameOf(MethodInfo _, object[] data)
        => $"{s_methods[(int)data[0]].Method}, {s_methods[(int)data[0]].Arguments().Length} tensors";

    [TestMethod]
    public void EveryPublicMethodIsHere()
    {
        string[] all = [.. typeof(NtXentLoss).Assembly.GetExportedTypes().Where(type => type.Namespace == typeof(NtXentLoss).Namespace)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static)).Select(method => $"{method.DeclaringType!.Name}.{method.Name}")];
        CollectionAssert.AreEquivalent(all, s_methods.Select(method => method.Method).ToArray());
    }

    [TestMethod]
    [DynamicData(nameof(Methods), DynamicDataDisplayName = nameof(NameOf))]
    public void TwoRowsAreTakenNullsAndOtherShapesAreNot(int index)
    {
        using var scope = NewDisposeScope();
        var method = MethodOf(index);
        int count = s_methods[index].Arguments().Length;
        Assert.IsNull(Fault(method, s_methods[index].Arguments()), "arguments that fit");
        for (var i = 0; i < count; i++)
        {
            var missing = s_methods[index].Arguments();
            missing[i] = null!;
            var fault = Fault(method, missing);
            Assert.IsInstanceOfType<ArgumentNullException>(fault, $"null for {method.GetParameters()[i].Name}: {fault}");
            Assert.AreEqual(method.GetParameters()[i].Name, ((ArgumentNullException)fault).ParamName);
            foreach (var place in (long[])[0, -1])
            {
                var other = s_methods[index].Arguments();
                other[i] = other[i].unsqueeze(place);
                fault = Fault(method, other);
                Assert.IsInstanceOfType<ArgumentException>(fault, $"another dimension of {method.GetParameters()[i].Name} at {place}: {fault}");
                Assert.IsTrue(method.GetParameters().Any(parameter => parameter.Name == ((ArgumentException)fault).ParamName), fault.Message);
            }
        }
    }

    [TestMethod]
    [DataRow("BarlowTwinsLoss.Compute")]
    [DataRow("VicRegLoss.Compute")]
    [DataRow("DclLoss.Compute")]
    public void OneRowIsTooFewWhereRowsAreCompared(string name)
    {
        using var scope = NewDisposeScope();
        var index = Array.FindIndex(s_methods, method => method.Method == name);
        var fault = Fault(MethodOf(index), [.. s_methods[index].Arguments().Select(argument => argument.narrow(0, 0, 1))]);
        Assert.IsInstanceOfType<ArgumentException>(fault);
        StringAssert.Contains(fault.Message, "at least 2");
    }

    private static MethodInfo MethodOf(int index)
    {
        var (name, arguments) = s_methods[index];
        int count = arguments().Length;
        return typeof(NtXentLoss).Assembly.GetType($"{typeof(NtXentLoss).Namespace}.{name.Split('.')[0]}")!.GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Single(method => method.Name == name.Split('.')[1] && method.GetParameters().Count(parameter => parameter.ParameterType == typeof(Tensor)
                && !parameter.IsOptional) == count);
    }

    private static Exception? Fault(MethodInfo method, Tensor[] arguments)
    {
        var given = method.GetParameters().Select((parameter, i) => i < arguments.Length ? arguments[i] : parameter.DefaultValue).ToArray();
        return Reflected.Fault(method, null, given);
    }
}
