using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static partial class autograd
    {
        /// <summary>The gradients of outputs with respect to inputs, without adding to the inputs' own.</summary>
        public static IList<Tensor> grad(
            IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false,
            bool create_graph = false,
            bool allow_unused = false)
        {
            nint[] first = List(outputs), second = List(inputs), third = List(grad_outputs);
            fixed (nint* outputHandles = first, inputHandles = second, gradientHandles = third)
            {
                var a = new NativeArg { Tag = ArgTag.TensorList, Count = first.Length, Value = (nint)outputHandles };
                var b = new NativeArg { Tag = ArgTag.TensorList, Count = second.Length, Value = (nint)inputHandles };
                var c = new NativeArg { Tag = ArgTag.TensorList, Count = third.Length, Value = (nint)gradientHandles };
                NativeArg* results;
                var keep = retain_graph || create_graph ? 1 : 0;
                var count = NativeMethods.ssl_grad(&a, &b, &c, keep, create_graph ? 1 : 0, allow_unused ? 1 : 0, &results);
                GC.KeepAlive(outputs);
                GC.KeepAlive(inputs);
                GC.KeepAlive(grad_outputs);
                if (count < 0) NativeMethods.Throw();
                var gradients = new Tensor[count];
                for (var k = 0; k < count; k++) gradients[k] = Tensor.Wrap(results[k].Value);
                return gradients;
            }
        }

        internal static nint[] List(IList<Tensor>? tensors)
        {
            if (tensors is null || tensors.Count == 0) return [];
            var handles = new nint[tensors.Count];
            for (var k = 0; k < handles.Length; k++) handles[k] = tensors[k] is { } tensor ? tensor.Handle : 0;
            return handles;
        }
    }
}
