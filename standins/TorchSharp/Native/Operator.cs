using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchSharp.Native;

/// <summary>
/// An operator of libtorch by name and overload, looked up at its first call. Arguments follow the operator's schema; missing
/// ones take the schema's defaults. Errors come as <see cref="ExternalException"/> with libtorch's text.
/// </summary>
internal sealed unsafe class Operator(string name, string overload = "")
{
    private const int StackWords = 128;

    private nint _target;

    /// <summary>Whether the loaded libtorch has the operator.</summary>
    public bool Exists => _target != 0 || (NativeMethods.Initialize() && NativeMethods.ssl_operator(FullName, overload, out _target) == 0);

    private string FullName => name.Contains(':') ? name : "aten::" + name;

    /// <summary>Calls the operator and gives its one tensor.</summary>
    public Tensor Call(params ReadOnlySpan<Arg> args)
    {
        var results = Invoke(args, 1, out _);
        return Tensor.Wrap(results[0].Value);
    }

    /// <summary>Calls the operator for its effect: its results are dropped.</summary>
    public void Run(params ReadOnlySpan<Arg> args) => Invoke(args, 0, out _);

    /// <summary>Calls an operator that works in place on <paramref name="self"/> and gives that tensor back.</summary>
    public Tensor InPlace(Tensor self, params ReadOnlySpan<Arg> args)
    {
        Invoke(args, 0, out _);
        return self;
    }

    public (Tensor, Tensor) Call2(params ReadOnlySpan<Arg> args)
    {
        var results = Invoke(args, 1, out _);
        var (first, second) = (results[0].Value, results[1].Value);
        return (Tensor.Wrap(first), Tensor.Wrap(second));
    }

    public (Tensor, Tensor, Tensor) Call3(params ReadOnlySpan<Arg> args)
    {
        var results = Invoke(args, 1, out _);
        var (first, second, third) = (results[0].Value, results[1].Value, results[2].Value);
        return (Tensor.Wrap(first), Tensor.Wrap(second), Tensor.Wrap(third));
    }

    /// <summary>Calls an operator that gives a list of tensors.</summary>
    public Tensor[] CallList(params ReadOnlySpan<Arg> args)
    {
        var results = Invoke(args, 1, out var count);
        var tensors = new Tensor[count];
        for (var k = 0; k < count; k++) tensors[k] = Tensor.Wrap(results[k].Value);
        return tensors;
    }

    /// <summary>Calls an operator that gives a number (an integer, a Boolean or the bits of a double).</summary>
    public (ArgTag Tag, long Bits) CallValue(params ReadOnlySpan<Arg> args)
    {
        var results = Invoke(args, 1, out _);
        return (results[0].Tag, results[0].Value);
    }

    private NativeArg* Invoke(ReadOnlySpan<Arg> args, int keep, out int count)
    {
        if (_target == 0) Resolve();
        var words = 0;
        foreach (ref readonly var arg in args) words += arg.Words;
        if (words > StackWords) return InvokeLarge(args, words, keep, out count);
        var native = stackalloc NativeArg[args.Length];
        var scratch = stackalloc nint[words];
        return Invoke(args, native, scratch, keep, out count);
    }

    private NativeArg* InvokeLarge(ReadOnlySpan<Arg> args, int words, int keep, out int count)
    {
        var native = stackalloc NativeArg[args.Length];
        var scratch = (nint*)NativeMemory.Alloc((nuint)words, (nuint)sizeof(nint));
        try
        {
            return Invoke(args, native, scratch, keep, out count);
        }
        finally
        {
            NativeMemory.Free(scratch);
        }
    }

    private NativeArg* Invoke(ReadOnlySpan<Arg> args, NativeArg* native, nint* scratch, int keep, out int count)
    {
        for (var k = 0; k < args.Length; k++)
        {
            args[k].Write(native + k, scratch);
            scratch += args[k].Words;
        }
        NativeArg* results;
        count = NativeMethods.ssl_call(_target, native, args.Length, keep, &results);
        foreach (ref readonly var arg in args) GC.KeepAlive(arg.Reference);
        if (count < 0) NativeMethods.Throw();
        return results;
    }

    private void Resolve()
    {
        NativeMethods.Initialize();
        NativeMethods.Check(NativeMethods.ssl_operator(FullName, overload, out _target));
    }
}
