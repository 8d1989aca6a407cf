using System.Diagnostics;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Ssl.Estimators.Training;
using TorchSharp;

namespace Ssl.Estimators.Tests.Native;

/// <summary>No number that a native call reads may be freed meanwhile (Native/Scalars.cs).</summary>
[TestClass]
[TestCategory("Checkout")]
public class ScalarTests
{
    [TestMethod]
    public void NoMemberOfTorchSharpThatTheProductCallsMakesATemporaryScalar()
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(AppContext.BaseDirectory);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        var reading = new ReaderParameters { AssemblyResolver = resolver };
        using var library = AssemblyDefinition.ReadAssembly(typeof(torch).Assembly.Location, reading);
        using var product = AssemblyDefinition.ReadAssembly(typeof(TorchDevice).Assembly.Location, reading);

        // From the members that convert a number themselves to all that call one of those.
        var callers = Methods(library).SelectMany(method => Calls(method).Select(called => (called, method.FullName))).ToLookup(c => c.called, c => c.FullName);
        var makers = Methods(library).Where(method => method.DeclaringType.Name is not ("Scalar" or "ScalarExtensionMethods"))
            .Where(method => Calls(method).Any(IsConversion)).Select(method => method.FullName).ToHashSet();
        Assert.IsTrue(makers.Any(name => name.Contains("::add(TorchSharp.torch/Tensor)")), "the search finds what is known to be one");
        var pending = new Queue<string>(makers);
        while (pending.TryDequeue(out var maker))
            foreach (var caller in callers[maker].Where(makers.Add))
                pending.Enqueue(caller);

        var faults = Methods(product).SelectMany(method => Calls(method).Where(called => makers.Contains(called) || IsImplicit(called))
            .Select(called => $"{method.DeclaringType.Name}.{method.Name} calls {called}")).Distinct().ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void CollectionsDuringTrainingAndScoringChangeNoNumber()
    {
        var expected = Train(stress: false);
        Assert.HasCount(10, expected);
        CollectionAssert.AreEqual(expected, Train(stress: true));
    }

    private static string[] Train(bool stress)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Ssl.FreshProcess.dll"), "--train", "2", .. stress ? (string[])["stress"] : []])
            start.ArgumentList.Add(argument);
        start.Environment["OMP_NUM_THREADS"] = "1";
        if (stress)
            start.Environment["DOTNET_GCgen0size"] = "400000"; // 4 MB: a collection every few steps
        using var process = Process.Start(start)!;
        var lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode, string.Join(Environment.NewLine, lines));
        return lines;
    }

    private static bool IsImplicit(string name) => name.Contains("TorchSharp.Scalar::op_Implicit", StringComparison.Ordinal);

    private static bool IsConversion(string name)
        => IsImplicit(name) || name.Contains("TorchSharp.ScalarExtensionMethods::ToScalar", StringComparison.Ordinal);

    private static IEnumerable<MethodDefinition> Methods(AssemblyDefinition assembly)
        => assembly.MainModule.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody);

    private static IEnumerable<string> Calls(MethodDefinition method)
        => method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>()
            .Select(reference => reference.Resolve()?.FullName ?? reference.FullName).Distinct();
}
