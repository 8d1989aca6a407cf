using System.Diagnostics;
using Mono.Cecil;
using Mono.Cecil.Cil;
using TorchSharp;

namespace Ssl.Estimators.Tests.Native;

/// <summary>No number or tensor that a native call reads may be freed meanwhile (Native/Scalars.cs).</summary>
[TestClass]
[TestCategory("Checkout")]
public class ScalarTests
{
    [TestMethod]
    public void NoMemberOfTorchSharpThatTheProductCallsMakesATemporaryScalar()
    {
        using var library = Read(typeof(torch));
        using var product = Read(typeof(TorchDevice));

        // From the members that convert a number to a Scalar or read one themselves to all that call one of those.
        var callers = Methods(library).SelectMany(method => Calls(method).Select(called => (called, method.FullName))).ToLookup(c => c.called, c => c.FullName);
        var makers = Methods(library).Where(method => method.DeclaringType.Name is not ("Scalar" or "ScalarExtensionMethods"))
            .Where(method => Calls(method).Any(IsConversion)).Select(method => method.FullName).ToHashSet();
        foreach (var known in (string[])["::add(TorchSharp.torch/Tensor)", "TensorExtensionMethods::ToSingle(TorchSharp.torch/Tensor)"])
            Assert.IsTrue(makers.Any(name => name.Contains(known, StringComparison.Ordinal)), $"the search finds {known}, which is known to be one");
        var pending = new Queue<string>(makers);
        while (pending.TryDequeue(out var maker))
            foreach (var caller in callers[maker].Where(makers.Add))
                pending.Enqueue(caller);

        var faults = Methods(product).SelectMany(method => Calls(method).Where(called => makers.Contains(called) || IsImplicit(called))
            .Select(called => $"{method.DeclaringType.Name}.{method.Name} calls {called}")).Distinct().ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    // Steps and embeddings are computed within a dispose scope, which holds every tensor until its end; networks are made outside of one.
    [TestMethod]
    public void NoConstructorComputesOnATensorThatNothingHolds()
    {
        using var product = Read(typeof(TorchDevice));
        var faults = Methods(product).Where(method => method.IsConstructor && !Calls(method).Any(called => called.Contains("::NewDisposeScope", StringComparison.Ordinal)))
            .SelectMany(method => Chained(method).Select(calls => $"{method.DeclaringType.Name}: {calls}")).ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));

        using var tests = Read(typeof(ScalarTests));
        var known = tests.MainModule.GetTypes().Single(type => type.Name == nameof(Chain)).Methods.Single(method => method.IsConstructor);
        Assert.AreEqual("zeros, squeeze", Chained(known).Single(), "the search finds what is known to be one");
    }

    [TestMethod]
    public void CollectionsDuringTrainingAndScoringChangeNoNumber()
    {
        var undisturbed = Task.Run(() => Train(stress: false));
        var disturbed = Train(stress: true);
        Assert.HasCount(11, undisturbed.Result);
        CollectionAssert.AreEqual(undisturbed.Result, disturbed);
    }

    private static string[] Train(bool stress)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Ssl.FreshProcess.dll"), "--train", "1", .. stress ? (string[])["stress"] : []])
            start.ArgumentList.Add(argument);
        start.Environment["OMP_NUM_THREADS"] = "1";
        if (stress)
        {
            start.Environment["DOTNET_GCgen0size"] = "400000"; // 4 MB: a collection every few steps
            // Code that is not optimized keeps what an expression holds until its method returns, and hides what is freed too early.
            start.Environment["DOTNET_TieredCompilation"] = "0";
        }
        using var process = Process.Start(start)!;
        var lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode, string.Join(Environment.NewLine, lines));
        return lines;
    }

    private sealed class Chain
    {
        private readonly torch.Tensor _value;

        public Chain() => _value = torch.zeros(1, dtype: torch.ScalarType.Int64).squeeze(0).DetachFromDisposeScope();

        public override string ToString() => $"{_value}";
    }

    private static AssemblyDefinition Read(Type type)
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(AppContext.BaseDirectory);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        return AssemblyDefinition.ReadAssembly(type.Assembly.Location, new ReaderParameters { AssemblyResolver = resolver });
    }

    // A call that gives a tensor, and the call on that tensor which follows before it is kept anywhere.
    private static IEnumerable<string> Chained(MethodDefinition method)
    {
        MethodReference? made = null;
        foreach (var instruction in method.Body.Instructions)
        {
            if (instruction.Operand is not MethodReference called)
            {
                if (instruction.OpCode.Code is Code.Stfld or Code.Stloc or Code.Stloc_S or Code.Stloc_0 or Code.Stloc_1 or Code.Stloc_2 or Code.Stloc_3)
                    made = null;
                continue;
            }
            var isOfTensor = called.HasThis && called.DeclaringType.Name == nameof(torch.Tensor);
            if (made is not null && isOfTensor && called.Name is not (nameof(torch.Tensor.DetachFromDisposeScope) or nameof(torch.Tensor.MoveToOuterDisposeScope)
                or nameof(torch.Tensor.Dispose)))
                yield return $"{made.Name}, {called.Name}";
            // A property gives what its object holds.
            if (called.ReturnType.Name == nameof(torch.Tensor))
                made = called.Name.StartsWith("get_", StringComparison.Ordinal) ? null : called;
            else if (isOfTensor || called.Parameters.Any(parameter => parameter.ParameterType.Name == nameof(torch.Tensor)))
                made = null;
        }
    }

    private static bool IsImplicit(string name) => name.Contains("TorchSharp.Scalar::op_Implicit", StringComparison.Ordinal);

    private static bool IsConversion(string name)
        => IsImplicit(name) || name.Contains("TorchSharp.ScalarExtensionMethods::To", StringComparison.Ordinal);

    private static IEnumerable<MethodDefinition> Methods(AssemblyDefinition assembly)
        => assembly.MainModule.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody);

    private static IEnumerable<string> Calls(MethodDefinition method)
        => method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>()
            .Select(reference => reference.Resolve()?.FullName ?? reference.FullName).Distinct();
}
