using TorchSharp.Native;

namespace TorchSharp;

public static unsafe partial class torch
{
    // Reductions, sorting, comparisons over dimensions.
    public partial class Tensor
    {
        public Tensor all() => Ops.all.Call(this);
        public Tensor all(long dim, bool keepdim = false) => Ops.all_dim.Call(this, dim, keepdim);
        public bool allclose(Tensor target, double rtol = 1E-05, double atol = 1E-08, bool equal_nan = false) =>
            Ops.allclose.CallValue(this, target, rtol, atol, equal_nan).Bits != 0;
        public Tensor amax(long[] dims, bool keepdim = false, Tensor? @out = null) => Into(Ops.amax.Call(this, dims, keepdim), @out);
        public Tensor amax(params long[] dims) => Ops.amax.Call(this, dims);
        public Tensor amin(long[] dims, bool keepdim = false, Tensor? @out = null) => Into(Ops.amin.Call(this, dims, keepdim), @out);
        public Tensor amin(params long[] dims) => Ops.amin.Call(this, dims);
        public Tensor any() => Ops.any.Call(this);
        public Tensor any(long dim, bool keepdim = false) => Ops.any_dim.Call(this, dim, keepdim);
        public Tensor argmax() => Ops.argmax.Call(this);
        public Tensor argmax(long dim, bool keepdim = false) => Ops.argmax.Call(this, dim, keepdim);
        public Tensor argmin() => Ops.argmin.Call(this);
        public Tensor argmin(long dim, bool keepdim = false) => Ops.argmin.Call(this, dim, keepdim);
        public Tensor argsort(long dim = -1, bool descending = false) => Ops.argsort.Call(this, dim, descending);
        public Tensor bincount(Tensor weights, long minlength = 0) => Ops.bincount.Call(this, weights, minlength);
        public Tensor bucketize(Tensor boundaries, bool outInt32 = false, bool right = false) =>
            Ops.bucketize_Tensor.Call(this, boundaries, outInt32, right);
        public Tensor count_nonzero(long[]? dims = null) =>
            dims is null ? Ops.count_nonzero.Call(this, Arg.None) : Ops.count_nonzero_dim_IntList.Call(this, dims);
        public Tensor cumprod(long dim, ScalarType? type = null) => Ops.cumprod.Call(this, dim, type);
        public Tensor cumsum(long dim, ScalarType? type = null) => Ops.cumsum.Call(this, dim, type);
        public Tensor diff(long n = 1, long dim = -1, Tensor? prepend = null, Tensor? append = null) =>
            Ops.diff.Call(this, n, dim, prepend, append);
        public Tensor equal(Tensor target) => torch.tensor(Equals(target));
        public Tensor isclose(Tensor other, double rtol = 1E-05, double atol = 1E-08, bool nanEqual = false) =>
            Ops.isclose.Call(this, other, rtol, atol, nanEqual);
        public Tensor isin(Tensor test_elements, bool assumeUnique = false, bool invert = false) =>
            Ops.isin_Tensor_Tensor.Call(this, test_elements, assumeUnique, invert);
        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Ops.log_softmax_int.Call(this, dim, dtype);
        public Tensor logsumexp(long dim, bool keepdim = false) => Ops.logsumexp.Call(this, new long[] { dim }, keepdim);
        public (Tensor, Tensor) max(long dim, bool keepdim = false) => Ops.max_dim.Call2(this, dim, keepdim);
        public Tensor max() => Ops.max.Call(this);
        public Tensor max(Tensor other) => Ops.max_other.Call(this, other);
        public Tensor mean() => Ops.mean.Call(this);
        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null) =>
            Ops.mean_dim.Call(this, dimensions, keepdim, type);
        public Tensor median() => Ops.median.Call(this);
        public (Tensor, Tensor) min(long dim, bool keepdim = false) => Ops.min_dim.Call2(this, dim, keepdim);
        public Tensor min() => Ops.min.Call(this);
        public Tensor min(Tensor other) => Ops.min_other.Call(this, other);
        public (Tensor, Tensor) mode(long dim = -1, bool keepdim = false) => Ops.mode.Call2(this, dim, keepdim);
        public Tensor nanmean(int? dim = null, bool keepdim = false, ScalarType? dtype = null) =>
            Ops.nanmean.Call(this, dim is { } d ? [d] : (long[]?)null, keepdim, dtype);
        public Tensor nansum() => Ops.nansum.Call(this);
        public Tensor norm(float p = 2f) => Ops.norm_Scalar.Call(this, (double)p);
        public Tensor norm(int dim, bool keepdim = false, float p = 2f) =>
            Ops.norm_ScalarOpt_dim.Call(this, (double)p, new long[] { dim }, keepdim);
        public Tensor prod(ScalarType? type = null) => Ops.prod.Call(this, type);
        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null) => Ops.prod_dim_int.Call(this, dim, keepdim, type);
        public Tensor quantile(Tensor q, long dim = -1, bool keepdim = false) => Ops.quantile.Call(this, q, dim, keepdim);
        public Tensor softmax(long dim, ScalarType? dtype = null) => Ops.softmax_int.Call(this, dim, dtype);
        public (Tensor, Tensor) sort(long dim = -1, bool descending = false, bool stable = false) =>
            Ops.sort_stable.Call2(this, stable, dim, descending);
        public Tensor std((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.std_dim.Call(this, new[] { dim.Item1, dim.Item2 }, unbiased, keepdim), type);
        public Tensor std((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.std_dim.Call(this, new[] { dim.Item1, dim.Item2, dim.Item3 }, unbiased, keepdim), type);
        public Tensor std(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.std_dim.Call(this, dimensions, unbiased, keepdim), type);
        public Tensor std(bool unbiased = true) => Ops.std.Call(this, unbiased);
        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.std_dim.Call(this, new[] { dim }, unbiased, keepdim), type);
        public Tensor std(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.std_dim.Call(this, dimensions, unbiased, keepdim), type);
        public (Tensor, Tensor) std_mean(bool unbiased = true) => Ops.std_mean.Call2(this, unbiased);
        public (Tensor, Tensor) std_mean(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.std_mean_dim.Call2(this, new[] { dim }, unbiased, keepdim), type);
        public (Tensor, Tensor) std_mean(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.std_mean_dim.Call2(this, dimensions, unbiased, keepdim), type);
        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null) =>
            Ops.sum_dim_IntList.Call(this, dim, keepdim, type);
        public Tensor sum(ScalarType? type = null) => Ops.sum.Call(this, type);
        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) =>
            Ops.sum_dim_IntList.Call(this, new long[] { dim }, keepdim, type);
        public Tensor sum(long dim0, long dim1, bool keepdim = false, ScalarType? type = null) =>
            Ops.sum_dim_IntList.Call(this, new[] { dim0, dim1 }, keepdim, type);
        public Tensor sum(long dim0, long dim1, long dim2, bool keepdim = false, ScalarType? type = null) =>
            Ops.sum_dim_IntList.Call(this, new[] { dim0, dim1, dim2 }, keepdim, type);
        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => Ops.sum_dim_IntList.Call(this, dim, keepdim, type);
        public (Tensor, Tensor) topk(int k, int dim = -1, bool largest = true, bool sorted = true) =>
            Ops.topk.Call2(this, (long)k, (long)dim, largest, sorted);
        public Tensor trace() => Ops.trace.Call(this);
        public (Tensor, Tensor, Tensor) unique(bool sorted = true, bool return_inverse = false, bool return_counts = false,
            int? dim = null) =>
                    dim is { } d ? Ops.unique_dim.Call3(this, (long)d, sorted, return_inverse, return_counts)
                    : Ops._unique.Call3(this, sorted, return_inverse, return_counts);
        public Tensor var((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.var_dim.Call(this, new[] { dim.Item1, dim.Item2 }, unbiased, keepdim), type);
        public Tensor var((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.var_dim.Call(this, new[] { dim.Item1, dim.Item2, dim.Item3 }, unbiased, keepdim), type);
        public Tensor var(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.var_dim.Call(this, dimensions, unbiased, keepdim), type);
        public Tensor var(bool unbiased = true) => Ops.var.Call(this, unbiased);
        public Tensor var(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.var_dim.Call(this, new[] { dim }, unbiased, keepdim), type);
        public Tensor var(long[] dimensions, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.var_dim.Call(this, dimensions, true, keepdim), type);
        public Tensor var(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.var_dim.Call(this, dimensions, unbiased, keepdim), type);
        public (Tensor, Tensor) var_mean(bool unbiased = true) => Ops.var_mean.Call2(this, unbiased);
        public (Tensor, Tensor) var_mean(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.var_mean_dim.Call2(this, new[] { dim }, unbiased, keepdim), type);
        public (Tensor, Tensor) var_mean(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Typed(Ops.var_mean_dim.Call2(this, dimensions, unbiased, keepdim), type);
    }
}
